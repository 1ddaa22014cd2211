"""Whose trust a thing has when somebody trusted changes what a stranger has made: each door."""

from collections.abc import Callable
from typing import Any

import pytest

from callpost.api.portsip import door as portsip
from callpost.api.signalwire import door as signalwire
from callpost.api.telecomx import door as telecomx
from callpost.api.voipnow import door as voipnow
from callpost.model.card import Card, Dialect, is_trusted_after
from callpost.web.site import Language
from card_house import CardHouse, a_client

REGISTRY = """
[[customer]]
id = "acme"
extensions = ["0003*210"]
ivrs = ["8000"]
"""
FABRIC = "/api/fabric/resources/external_swml_handlers"
EVENTS = "/uapi/extensions/@me/0003*210/phoneCallEvents"
EVENT = {"type": "0", "method": "0", "url": "https://crm.example.com/", "status": "1"}

# Where it is made, of what, with what it is changed and how, and where it is then.
Way = tuple[Dialect, Callable[[CardHouse], Language], str, dict[str, Any], str, dict[str, Any], str]
WAYS: list[Way] = [
    (
        "telecomx",
        telecomx.language,
        "/customer/acme/callnotify",
        {"url": "https://crm.example.com/", "method": "POSTJSON"},
        "POST",
        {"selection": "SIP"},
        "/customer/acme/callnotify/{id}",
    ),
    (
        "portsip",
        portsip.language,
        "/api/ivrs/8000/action_urls",
        {"name": "orders", "type": "DTMF", "dtmf_mask": "1", "url": "https://crm.example.com/"},
        "POST",
        {"name": "bills"},
        "/api/ivrs/8000/action_urls/{id}",
    ),
    (
        "signalwire",
        signalwire.language,
        FABRIC,
        {"name": "crm", "primary_request_url": "https://crm.example.com/"},
        "PATCH",
        {"name": "popup"},
        FABRIC + "/{id}",
    ),
    ("voipnow", voipnow.language, EVENTS, EVENT, "PUT", {"note": "mine"}, EVENTS + "/0/{id}"),
]


@pytest.mark.parametrize(
    ("dialect", "language", "made_at", "item", "method", "change", "it"), WAYS, ids=lambda one: one
)
async def test_a_strangers_item_stays_strict(
    dialect: Dialect,
    language: Callable[[CardHouse], Language],
    made_at: str,
    item: dict[str, Any],
    method: str,
    change: dict[str, Any],
    it: str,
) -> None:
    """Also when somebody who is trusted has changed something else of it."""
    house = CardHouse(REGISTRY)
    async with a_client(language(house)) as stranger:
        assert (await stranger.post(made_at, json=item)).is_success
    [card] = house.cards(dialect)
    async with a_client(language(house), who="trusted") as trusted:
        assert (await trusted.request(method, it.format(id=card.id), json=change)).is_success
    [after] = house.cards(dialect)
    assert (after.revision, after.trusted) == (2, False)


def a_card(*, trusted: bool) -> Card:
    """With two URLs."""
    said: dict[str, object] = {"url": "https://a.example/", "fallback": [{"url": "tcp://b:99"}]}
    return Card(
        dialect="api",
        id="x",
        customer="",
        said=said,
        trusted=trusted,
        created_at=0,
        modified_at=0,
    )


@pytest.mark.parametrize(
    ("was_trusted", "by_trusted", "said", "is_trusted"),
    [
        (False, True, {"url": "https://own.example/"}, True),
        (False, True, {"url": "https://own.example/", "fallback": [{"url": "tcp://b:99"}]}, False),
        (False, True, {"url": "https://a.example/", "note": "checked"}, False),
        (True, True, {"url": "https://a.example/"}, True),
        (True, False, {"url": "https://own.example/"}, False),
        (False, False, {"url": "https://own.example/"}, False),
    ],
)
def test_trust_is_in_urls_that_somebody_trusted_has_written(
    said: dict[str, object], *, was_trusted: bool, by_trusted: bool, is_trusted: bool
) -> None:
    """In all of them."""
    card = a_card(trusted=was_trusted)
    assert is_trusted_after(card, said, by_trusted=by_trusted) == is_trusted
