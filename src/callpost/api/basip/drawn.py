"""What BAS-IP's items stand for: each is a forward rule."""

from collections.abc import Iterator, Sequence

from callpost.api.basip.lists import rule_of
from callpost.api.document import Item
from callpost.api.drawing import drawn_as
from callpost.model.card import Card
from callpost.model.drawn import Drawn


def drawn(cards: Sequence[Card]) -> Iterator[Drawn]:
    """See `Draw`."""
    for card in cards:
        yield drawn_as(rule_of(Item("$", card.said)), [card], kind="forward")
