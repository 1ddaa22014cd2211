"""Cards of every dialect, drawn as the tables that a file would have."""

from collections.abc import Mapping

import pytest
from msgspec.structs import replace

from callpost.api.drawing import drawn_from_items
from callpost.api.drawn import Drawing, drawn
from callpost.api.voipnow import read
from callpost.model.card import Card, Dialect

URL = "https://crm.example.com/"


def card(
    dialect: Dialect,
    said: Mapping[str, object],
    *,
    card_id: str = "1",
    scope: str = "",
    subscription: str | None = None,
) -> Card:
    """A card of the customer acme."""
    return Card(
        dialect=dialect,
        id=card_id,
        customer="acme",
        scope=scope,
        subscription=f"{dialect}.crm.0000000{card_id}" if subscription is None else subscription,
        said=dict(said),
        created_at=1.0,
        modified_at=1.0,
    )


def event(kind: int, card_id: str) -> Card:
    """One event of VoipNow, of the one subscription that all of them are."""
    said = {"type": str(kind), "url": URL, "method": "1"}
    return card("voipnow", said, card_id=card_id, scope="0003*210", subscription="voipnow.a")


def test_a_card_of_our_own_says_the_table_of_a_subscription() -> None:
    """Its name is the card's, and the customer stands beside it."""
    made = card("api", {"url": URL, "level": 1})
    [one] = drawn([made])
    assert (one.kind, one.name, one.customer) == ("subscription", made.subscription, "acme")
    assert (one.origin, one.cards, one.table) == ("api", ("1",), made.said)


def test_a_card_without_a_subscription_says_the_table_of_a_rule() -> None:
    """Nothing queues under a rule, so that it has no name."""
    [one] = drawn([card("api", {"number": "101", "to": ["102"]}, subscription="")])
    assert (one.kind, one.name, one.table) == ("forward", "", {"number": "101", "to": ["102"]})


def test_items_of_one_subscription_are_drawn_together() -> None:
    """As from a list of these items alone, read for what their path names."""
    cards = [event(0, "1"), event(2, "2"), event(1, "3")]
    [one] = drawn_from_items(cards, read, kind="subscription")
    assert (one.name, one.cards) == ("voipnow.a", ("1", "2", "3"))
    assert one.table["events"] == ["newCall", "hangup"]
    assert one.table["extension"] == ["0003*210"]


@pytest.mark.parametrize("trusted", [False, True])
def test_what_is_drawn_is_trusted_if_all_of_it_is(*, trusted: bool) -> None:
    """One card of a stranger makes it a stranger's."""
    cards = [replace(event(0, "1"), trusted=True), replace(event(1, "2"), trusted=trusted)]
    [one] = drawn_from_items(cards, read, kind="subscription")
    assert one.trusted is trusted


def test_they_stand_in_the_order_of_the_first_cards_of_each() -> None:
    """Those that share a subscription stand together."""
    cards = [
        card("api", {}, card_id="2", subscription="api.a"),
        card("api", {}, card_id="3", subscription="api.b"),
        card("api", {}, card_id="1", subscription="api.a"),
        card("api", {}, card_id="4", subscription=""),
    ]
    assert [one.cards[0] for one in drawn(cards)] == ["2", "1", "3", "4"]


def test_what_nobody_understands_any_more_lacks_everything() -> None:
    """So that the rules say so, instead of nobody."""
    [one] = drawn_from_items([card("voipnow", {"url": 1})], read, kind="subscription")
    assert (one.name, one.table) == ("voipnow.crm.00000001", {})


def test_what_has_not_changed_is_not_drawn_again() -> None:
    """One card that changes costs one card."""
    drawing = Drawing()
    cards = [card("api", {"url": URL}), card("api", {"url": URL}, card_id="2")]
    before = drawing.drawn(cards)
    after = drawing.drawn([cards[0], replace(cards[1], said={"url": URL, "level": 1})])
    assert after[0] is before[0]
    assert after[1].table["level"] == 1


def test_what_was_taken_is_forgotten() -> None:
    """A card of the same id is drawn anew."""
    drawing = Drawing()
    drawing.drawn([card("api", {"url": URL})])
    assert drawing.drawn([]) == ()
