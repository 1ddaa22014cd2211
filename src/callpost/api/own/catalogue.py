"""Subscriptions, wherever they are from, as far as the caller acts for their customers.

Somebody else's is answered as one that is not there.
"""

from callpost.api.own.documents import (
    Document,
    etag_of,
    listed_of,
    sees,
    subscription_document,
)
from callpost.api.ports import CardIndex, Listed, Operating, Roster
from callpost.model.caller import Caller
from callpost.model.replay import Sight
from callpost.model.report import reports_of
from callpost.model.unknown import UnknownSubscription
from callpost.web.operation import Answer


class Catalogue:
    """The subscriptions as a caller may see them, with how they are."""

    def __init__(self, index: CardIndex, roster: Roster, operating: Operating) -> None:
        self._index = index
        self._roster = roster
        self._operating = operating

    async def seen_by(self, caller: Caller) -> list[Listed]:
        """All of them; what is left out of the configuration in force is there too."""
        found = list(await self._roster.subscriptions())
        names = {one.name for one in found}
        found += [
            listed_of(card)
            for card in self._index.cards("api")
            if card.subscription and card.id not in names
        ]
        return [one for one in found if sees(caller, one)]

    async def one(self, caller: Caller, name: str) -> Listed:
        """The one of this name; raises UnknownSubscription."""
        found = await self._roster.subscription(name)
        if found is None and (card := self._index.card("api", name)) and card.subscription:
            found = listed_of(card)
        if found is None or not sees(caller, found):
            raise UnknownSubscription(name)
        return found

    def document(self, listed: Listed) -> Document:
        """As it is answered."""
        return subscription_document(listed, self._state_of(listed))

    def answer(self, listed: Listed, status: int = 200, **headers: str) -> Answer:
        """The document with its ETag."""
        document = self.document(listed)
        return Answer(status, document, {"ETag": etag_of(document, listed.card), **headers})

    async def sight_of(self, caller: Caller) -> Sight | None:
        """What of the deliveries the caller may see; None is everything."""
        if caller.role == "admin":
            return None
        names = [one.name for one in await self.seen_by(caller)]
        return Sight(
            subscriptions=frozenset([*names, *map(reports_of, names)]),
            customers=frozenset(caller.customers),
        )

    def _state_of(self, listed: Listed) -> str:
        try:
            return self._operating.condition(listed.name)
        except UnknownSubscription:
            return "disabled" if listed.table.get("enabled") is False else "left_out"
