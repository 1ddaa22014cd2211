"""Subscriptions, wherever they are from, as far as the caller acts for their customers.

Somebody else's is answered as one that is not there.
"""

from callpost.api.own.documents import (
    Document,
    etag_of,
    sees,
    subscription_document,
)
from callpost.api.ports import Listed, Operating, Roster
from callpost.model.caller import Caller
from callpost.model.replay import Sight
from callpost.model.report import reports_of
from callpost.model.unknown import UnknownSubscription
from callpost.web.operation import Answer


class Catalogue:
    """The subscriptions as a caller may see them, with how they are."""

    def __init__(self, roster: Roster, operating: Operating) -> None:
        self._roster = roster
        self._operating = operating

    async def seen_by(self, caller: Caller) -> list[Listed]:
        """All of them; what is left out of the configuration in force is there too."""
        in_force = await self._roster.subscriptions()
        found = [*in_force, *self._roster.left_out("subscription")]
        return [one for one in found if sees(caller, one)]

    async def one(self, caller: Caller, name: str) -> Listed:
        """The one of this name; raises UnknownSubscription."""
        found = await self._roster.subscription(name) or self.left_out(name)
        if found is None or not sees(caller, found):
            raise UnknownSubscription(name)
        return found

    def left_out(self, name: str) -> Listed | None:
        """The one of this name, where the configuration forbids it by now."""
        found = self._roster.left_out("subscription")
        return next((one for one in found if one.name == name), None)

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
            is_disabled = listed.table.get("enabled") is False and not listed.left_out
            return "disabled" if is_disabled else "left_out"
