"""The operator's verbs on deliveries: what has ended is delivered again.

Each door to the operator states what it needs of this; nothing here waits for a subscriber.
"""

from collections.abc import Callable, Mapping
from typing import Protocol

from callpost.engine.dispatcher import Dispatcher
from callpost.engine.ports import Clock
from callpost.model.delivery import Enrolled
from callpost.model.replay import Replayed, Selection
from callpost.model.subscription import Subscription
from callpost.model.vocabulary import KINDS, Kind


class Archive(Protocol):
    """What has ended and is still kept."""

    async def replay(
        self,
        selection: Selection,
        *,
        now: float,
        max_age_s: Callable[[int, str], float],
        dry_run: bool = False,
    ) -> Replayed:
        """Queue the selected deliveries again, each at the tail of its subscription."""
        ...


class Operator:
    """Acts for an operator on the queues that the dispatcher serves."""

    def __init__(
        self,
        queues: Mapping[str, Subscription],
        enrolled: Mapping[str, Enrolled],
        *,
        archive: Archive,
        dispatcher: Dispatcher,
        clock: Clock,
    ) -> None:
        self._numbers = {name: enrolled[name].number for name in queues}
        self._queues = {self._numbers[name]: one for name, one in queues.items()}
        self._archive = archive
        self._dispatcher = dispatcher
        self._clock = clock

    async def replay(self, selection: Selection, *, dry_run: bool = False) -> Replayed:
        """Deliver again what is selected; ages count from now, `seq` and `webhook-id` stay."""
        replayed = await self._archive.replay(
            selection, now=self._clock.steady(), max_age_s=self._max_age_s, dry_run=dry_run
        )
        self._dispatcher.ring(self._numbers[name] for name in replayed.by_subscription)
        return replayed

    def _max_age_s(self, number: int, kind: str) -> float:
        # A delivery report is as patient as a cdr; every other word is a kind of event.
        known: Kind = next((one for one in KINDS if one == kind), "cdr")
        return self._queues[number].schedule_of(known).max_age_s[known]
