"""Subscriptions and rules of callpost's own API, drawn: what a card says is the table itself."""

from collections.abc import Iterator, Sequence

from callpost.api.drawing import drawn_as
from callpost.model.card import Card
from callpost.model.drawn import Drawn


def drawn(cards: Sequence[Card]) -> Iterator[Drawn]:
    """See `Draw`; a card without a subscription is a forward rule."""
    for card in cards:
        yield drawn_as(card.said, [card], kind="subscription" if card.subscription else "forward")
