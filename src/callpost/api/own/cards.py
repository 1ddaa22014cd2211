"""Cards of callpost's own dialect, made and changed: what one says is the table itself."""

from typing import Final

from msgspec.structs import replace

from callpost.api.ports import CardIndex
from callpost.model.caller import Caller
from callpost.model.card import Card, is_trusted_after

Table = dict[str, object]
# 96 bits: nobody guesses a rule of somebody else's.
_RULE_ID_BYTES: Final = 12


def new_subscription(
    index: CardIndex, caller: Caller, *, wish: str, customer: str, said: Table
) -> Card:
    """A card under a name of its own, which is its id too."""
    name = index.given_name("api", wish)
    return _new(index, caller, card_id=name, subscription=name, customer=customer, said=said)


def new_rule(index: CardIndex, caller: Caller, *, customer: str, said: Table) -> Card:
    """A card for a forward rule."""
    card_id = index.random_bytes(_RULE_ID_BYTES).hex()
    return _new(index, caller, card_id=card_id, subscription="", customer=customer, said=said)


def changed(index: CardIndex, caller: Caller, card: Card, said: Table) -> Card:
    """The card as the caller has changed it: trusted as far as the caller is, and it was."""
    return replace(
        card,
        said=said,
        trusted=is_trusted_after(card, said, by_trusted=caller.trusted),
        modified_at=index.now(),
        revision=card.revision + 1,
    )


def _new(
    index: CardIndex,
    caller: Caller,
    *,
    card_id: str,
    subscription: str,
    customer: str,
    said: Table,
) -> Card:
    now = index.now()
    return Card(
        dialect="api",
        id=card_id,
        customer=customer,
        subscription=subscription,
        trusted=caller.trusted,
        said=said,
        created_at=now,
        modified_at=now,
    )
