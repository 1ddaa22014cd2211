"""The index of cards, as the API's doors see it: see api.ports.CardIndex.

Every change goes through the lock of the reload, so that cards and files are joined by one hand.
"""

import os
from collections.abc import Callable, Sequence
from typing import Final

from callpost.api.names import legal
from callpost.engine.ports import Clock
from callpost.model.card import Card, CardsChanged, Dialect
from callpost.model.tenancy import Tenancy
from callpost.reload import Reload

# What of the client's wish stands in a name, so that it stays readable in a log.
_WISH_MAX_CHARS: Final = 40
# 32 bits tell the subscriptions of one wish apart.
_SUFFIX_BYTES: Final = 4


class CardIndex:
    """The cards of one daemon."""

    def __init__(self, settings: Reload, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock

    @property
    def tenancy(self) -> Tenancy:
        """The registry of customers, with their extensions and menus."""
        return self._settings.config.tenancy

    def cards(self, dialect: Dialect, *, customer: str | None = None) -> Sequence[Card]:
        """The cards of a dialect, of one customer or of all, the oldest first."""
        return self._settings.registered.cards.listed(dialect, customer=customer)

    def card(self, dialect: Dialect, card_id: str) -> Card | None:
        """One card."""
        return self._settings.registered.cards.one(dialect, card_id)

    def now(self) -> float:
        """The time in wall seconds."""
        return self._clock.wall()

    def random_bytes(self, count: int) -> bytes:
        """Bytes that nobody can guess."""
        return os.urandom(count)

    def given_name(self, dialect: Dialect, wish: str) -> str:
        """A name for a new subscription that is like the wish, and nobody's yet."""
        while True:
            suffix = self.random_bytes(_SUFFIX_BYTES).hex()
            name = f"{dialect}.{legal(wish)[:_WISH_MAX_CHARS]}.{suffix}"
            if all(one.name != name for one in self._settings.config.subscriptions):
                return name

    async def change(self, decide: Callable[[], CardsChanged]) -> None:
        """Write down what `decide` says, all or nothing; returns once it is in force."""
        await self._settings.change(decide)
