"""The commented reference is complete, true, and passes as it is written."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import callpost
from callpost.config import Config
from callpost.config.api_door import API
from callpost.config.doors import DOOR
from callpost.config.filters import FILTER
from callpost.config.subscriptions import SUBSCRIPTION
from callpost.config.top import (
    CALLS,
    CONTROL,
    DELIVERY,
    EGRESS,
    INTAKE,
    LOG,
    METRICS,
    NUMBERS,
    PRIVACY,
    SPOOL,
    TENANCY,
    TOP,
)

REFERENCE = Path(callpost.__file__).with_name("callpost.toml")
LINKED = Path(__file__).parents[2] / "config" / "callpost.toml"
# Tables that may stand more than once, in any file, and are shown in comments.
ADDED_UP = {"customer", "forward", "preset", "subscription"}
# These lines show a form, not a default: the default is that the key is absent.
FORMS = {"auth", "tls", "body_signature", "status_callback", "delivery_report"}
FORMS |= {"http2", "frame", "envelope", "ack"}
TABLES = {"intake": INTAKE, "spool": SPOOL, "delivery": DELIVERY, "egress": EGRESS}
TABLES |= {
    "control": CONTROL,
    # Tokens stand in tables of their own.
    "api": {key: rule for key, rule in API.items() if key != "token"},
    "metrics": METRICS,
    "log": LOG,
    "numbers": NUMBERS,
    "privacy": PRIVACY,
    "tenancy": TENANCY,
    "calls": CALLS,
}


def _keys(section: str) -> Iterator[str]:
    """The keys that one section of the reference shows, with or without their #."""
    current = ""
    for line in REFERENCE.read_text().splitlines():
        if header := re.fullmatch(r"\[+(\w+)\]+", line):
            current = header[1]
        elif (key := re.match(r"#?(\w+) = ", line)) and current == section:
            yield key[1]


def _with_defaults_written() -> str:
    return "\n".join(
        line.removeprefix("#")
        if (key := re.match(r"#(\w+) = ", line)) and key[1] not in FORMS
        else line
        for line in REFERENCE.read_text().splitlines()
    )


def test_the_reference_passes_as_it_is_written(parsed: Callable[..., Config]) -> None:
    """It has one live example, for `callpost listen` on this machine."""
    config = parsed(REFERENCE.read_text())
    assert [one.endpoints[0].origin for one in config.subscriptions] == ["http://127.0.0.1:8900"]


def test_the_defaults_that_the_reference_shows_are_true(parsed: Callable[..., Config]) -> None:
    """Writing every one of them changes nothing."""
    assert parsed(_with_defaults_written()) == parsed(REFERENCE.read_text())


@pytest.mark.parametrize("table", TABLES)
def test_every_key_of_a_table_is_in_the_reference_once(table: str) -> None:
    """No key is known that is not told, and none is told that is not known."""
    assert sorted(_keys(table)) == sorted(TABLES[table])


def test_every_key_outside_the_tables_is_in_the_reference() -> None:
    """The directories stand in front."""
    assert set(_keys("")) == set(TOP) - set(TABLES) - ADDED_UP


def test_every_key_of_a_subscription_is_in_the_reference_once() -> None:
    """Filters and endpoints among them."""
    assert sorted(_keys("subscription")) == sorted({*SUBSCRIPTION, *DOOR, *FILTER})


def test_the_reference_stands_in_the_configuration_folder_too() -> None:
    """As a link, so that there is one text only."""
    assert (LINKED.is_symlink(), LINKED.read_bytes()) == (True, REFERENCE.read_bytes())
