"""What files say and what clients have made over the API, joined: the configuration in force.

Everything here is a snapshot: a change makes another one, and what it does not touch is taken
over as it is.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Self

from callpost.api.drawn import Drawing
from callpost.api.ports import TooManyCards
from callpost.config import Config, Fault
from callpost.config.made import DUPLICATE, Made, made, merged
from callpost.model.card import Card, CardsChanged, Dialect

_Key = tuple[Dialect, str]
# Of one customer and dialect. Each costs the daemon some 2 KiB; a city's doors are fewer.
_RULES_MAX: Final = 10_000


class Cards:
    """The cards of all clients, the oldest first."""

    def __init__(self, cards: Mapping[_Key, Card]) -> None:
        self._cards = cards

    @classmethod
    def of(cls, cards: Iterable[Card]) -> Self:
        """A snapshot of these, the oldest first."""
        return cls({_key(card): card for card in cards})

    def after(self, changed: CardsChanged) -> Self:
        """A snapshot with these cards taken out, and these put in."""
        cards = dict(self._cards)
        for card in changed.taken:
            cards.pop(_key(card), None)
        cards.update({_key(card): card for card in changed.put})
        return type(self)(cards)

    def every(self) -> Iterable[Card]:
        """All of them."""
        return self._cards.values()

    def listed(self, dialect: Dialect, *, customer: str | None) -> list[Card]:
        """The cards of a dialect, of one customer or of all."""
        return [
            card
            for card in self._cards.values()
            if card.dialect == dialect and customer in {None, card.customer}
        ]

    def one(self, dialect: Dialect, card_id: str) -> Card | None:
        """The card with this id."""
        return self._cards.get((dialect, card_id))

    def check_room(self, changed: CardsChanged, before: Self, *, most: int) -> None:
        """Raise TooManyCards where the change gives a customer too many; "" is nobody's own."""
        mine = {(card.customer, _limited(card)) for card in changed.put if card.customer}
        for customer, kind in mine:
            count, limit = self._count_of(customer, kind), _RULES_MAX if kind else most
            if count > limit and count > before._count_of(customer, kind):
                raise TooManyCards(limit)

    def _count_of(self, customer: str, kind: str) -> int:
        return sum(
            card.customer == customer and _limited(card) == kind for card in self._cards.values()
        )


class Registered:
    """One snapshot of everything: `config` is what is to be in force.

    A subscription or rule of the API that the files no longer allow is left out, and is in the
    faults of `made`; its card stays.
    """

    def __init__(self, files: Config, cards: Cards, *, before: "Registered | None" = None) -> None:
        self.files = files
        self.cards = cards
        # By card: what was left out before this snapshot.
        self._left_out = {
            (one.origin, card)
            for one, _ in (before.made.faults if before else ())
            for card in one.cards
        }
        # It remembers from one snapshot to the next; they are made one at a time.
        self.drawing: Drawing = before.drawing if before else Drawing()
        self.drawn = self.drawing.drawn(cards.every())
        self.made: Made = made(self.drawn, files, before.made if before else None)
        self.config = merged(files, self.made)

    @property
    def left_out(self) -> frozenset[str]:
        """The names of the subscriptions that the files no longer allow."""
        return frozenset(one.name for one, _ in self.made.faults if one.kind == "subscription")

    @property
    def left_out_forwards(self) -> int:
        """How many forward rules the files no longer allow."""
        return sum(one.kind == "forward" for one, _ in self.made.faults)

    def faults_of(self, changed: CardsChanged) -> Sequence[Fault]:
        """What is wrong with what these cards stand for, or what others cannot be beside them."""
        put = set(map(_key, changed.put))
        return [
            fault
            for one, faults in self.made.faults
            for fault in faults
            if not put.isdisjoint(drawn_of := {(one.origin, card) for card in one.cards})
            or (fault.code == DUPLICATE and self._left_out.isdisjoint(drawn_of))
        ]


def _key(card: Card) -> _Key:
    return card.dialect, card.id


def _limited(card: Card) -> str:
    """What a card is counted with: "" the subscriptions of all dialects, else one's rules."""
    return "" if card.subscription else card.dialect
