"""What TelecomX's items stand for: each is a subscription of its own.

They keep the words of a configuration's table, which are TelecomX's words as well.
"""

from collections.abc import Iterator, Sequence

from callpost.api.drawing import drawn_as
from callpost.model.card import Card
from callpost.model.drawn import Drawn


def drawn(cards: Sequence[Card]) -> Iterator[Drawn]:
    """See `Draw`."""
    for card in cards:
        yield drawn_as(card.said, [card], kind="subscription")
