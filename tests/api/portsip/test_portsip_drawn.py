"""Action URLs that were made over the API, as subscriptions."""

from msgspec.structs import replace

from api.portsip.ivrs import ORDERS, SECRET
from callpost.api.portsip.drawn import drawn
from callpost.model.card import Card

CARD = Card(
    dialect="portsip",
    id="NzAwNTUxOTA5NzczMTQ4MTYw",
    customer="acme",
    scope="8000",
    subscription="portsip.order-status.3f9a0c51",
    trusted=True,
    said=SECRET,
    created_at=1.0,
    modified_at=1.0,
)


def test_a_card_is_drawn_with_its_own_secrets() -> None:
    """Other than an item of a saved list, whose secrets become credentials."""
    [found] = drawn([CARD])
    assert (found.table["auth"], found.table["headers"], found.table["content_type"]) == (
        {"type": "basic", "username": "menu", "password": "s3cret"},
        {"X-Api-Key": "k3y", "X-Empty": ""},
        "text/json",
    )


def test_a_card_is_drawn_under_its_own_name() -> None:
    """Its client's name for it is in the note."""
    [found] = drawn([CARD])
    assert (found.name, found.cards, found.trusted, found.table["note"], "name" in found.table) == (
        CARD.subscription,
        (CARD.id,),
        True,
        "order status",
        False,
    )


def test_what_can_no_longer_be_had_is_drawn_without_a_key() -> None:
    """Without its mask alone it would tell of everybody's digits."""
    [found] = drawn([replace(CARD, said=ORDERS | {"dtmf_mask": "no mask"})])
    assert found.table == {}
