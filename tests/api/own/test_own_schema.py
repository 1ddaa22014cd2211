"""What the description says of documents is what the configuration's rules know."""

from collections.abc import Iterator
from typing import Any

import pytest

from callpost.api.own.schema import (
    FORWARD_KEYS,
    KEYS,
    NEW_SUBSCRIPTION,
    PATCHED_SUBSCRIPTION,
    SUBSCRIPTION,
    WHOLE_SUBSCRIPTION,
)
from callpost.config.doors import DOOR
from callpost.config.forwards import FORWARD
from callpost.config.subscriptions import SUBSCRIPTION as RULES
from callpost.web.openapi import Described, Json

ANSWERED = {"name", "customer", "origin", "created_at", "modified_at", "state"}


def test_every_key_of_a_subscription_is_described() -> None:
    """And none that there is not."""
    assert set(KEYS) == set(RULES) - {"name", "customer"}


def test_every_key_of_a_rule_is_described() -> None:
    """And none that there is not."""
    assert set(FORWARD_KEYS) == set(FORWARD) - {"customer"}


@pytest.mark.parametrize("key", ["status_callback", "delivery_report"])
def test_another_endpoint_has_the_keys_of_one(key: str) -> None:
    """A report has no level, and says on what it is sent."""
    told: Any = KEYS[key]
    if "$ref" in told:
        told = next(one.schema for one in SUBSCRIPTION.uses if one.reference == told)
    wanted = set(DOOR) if key == "status_callback" else (set(DOOR) - {"level"}) | {"on"}
    assert set(told["properties"]) == wanted


@pytest.mark.parametrize(
    "kind", [SUBSCRIPTION, NEW_SUBSCRIPTION, WHOLE_SUBSCRIPTION, PATCHED_SUBSCRIPTION]
)
def test_every_document_has_the_same_keys(kind: Described) -> None:
    """So that what was got can be sent back."""
    properties = kind.schema["properties"]
    assert isinstance(properties, dict)
    assert set(properties) == set(KEYS) | ANSWERED


def references(told: object) -> Iterator[str]:
    """All `$ref` in a schema."""
    if isinstance(told, dict):
        yield from (str(value) for key, value in told.items() if key == "$ref")
        for value in told.values():
            yield from references(value)
    elif isinstance(told, list):
        for value in told:
            yield from references(value)


@pytest.mark.parametrize("kind", [SUBSCRIPTION, NEW_SUBSCRIPTION, WHOLE_SUBSCRIPTION])
def test_what_a_schema_speaks_of_comes_along(kind: Described) -> None:
    """Else its references would lead nowhere."""
    known: Json = {str(one.reference["$ref"]): one for one in kind.uses}
    assert set(references(kind.schema)) == set(known)
