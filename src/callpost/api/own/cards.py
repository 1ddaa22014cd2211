"""Cards of callpost's own dialect, made: what one says is the table itself."""

from typing import Final

from msgspec.structs import replace

from callpost.api.making import made
from callpost.api.ports import CardIndex
from callpost.model.caller import Caller
from callpost.model.card import Card

Table = dict[str, object]
# 96 bits: nobody guesses a rule of somebody else's.
_RULE_ID_BYTES: Final = 12
# The configuration's rules refuse it as a name, and tell what else is wrong.
_NO_NAME: Final = "?"


def new_subscription(
    index: CardIndex, caller: Caller, *, wish: str | None, customer: str, said: Table
) -> Card:
    """A card under a name of its own, which is its id too; without a wish it cannot be in force."""
    name = _NO_NAME if wish is None else index.given_name("api", wish)
    card = made(index, caller, dialect="api", card_id=name, customer=customer, said=said)
    return replace(card, subscription=name)


def new_rule(index: CardIndex, caller: Caller, *, customer: str, said: Table) -> Card:
    """A card for a forward rule."""
    card_id = index.random_bytes(_RULE_ID_BYTES).hex()
    return made(index, caller, dialect="api", card_id=card_id, customer=customer, said=said)
