"""The operator's verbs: pause, resume, test, and deliver again what has ended.

Each door to the operator states what it needs of this; only a test waits for a subscriber.
"""

from collections.abc import Callable
from typing import Protocol

from callpost.engine.dispatcher import Dispatcher
from callpost.engine.ports import Clock, Dice
from callpost.engine.trial import Trials
from callpost.model.replay import Replayed, Selection
from callpost.model.report import queue_of
from callpost.model.trial import Trial
from callpost.model.unknown import UnknownSubscription
from callpost.model.vocabulary import KINDS, Kind


class Archive(Protocol):
    """What has ended and is still kept."""

    async def replay(
        self,
        selection: Selection,
        *,
        now: float,
        max_age_s: Callable[[int, str], float],
        limit: int = 0,
        cursor: str = "",
        dry_run: bool = False,
    ) -> Replayed:
        """Queue the selected deliveries again, each at the tail of its subscription.

        At most `limit` of them (0: all), on from `cursor`; raises BadCursor.
        """
        ...


class Operator:
    """Acts for an operator on the queues that the dispatcher serves."""

    def __init__(
        self,
        *,
        archive: Archive,
        dispatcher: Dispatcher,
        clock: Clock,
        dice: Dice,
    ) -> None:
        self._archive = archive
        self._dispatcher = dispatcher
        self._clock = clock
        self._dice = dice

    def pause(self, name: str) -> None:
        """Keep its events and send nothing; raises UnknownSubscription."""
        self._dispatcher.pause(name)

    def resume(self, name: str) -> None:
        """Let it send again, its delivery reports too, whoever paused it.

        Raises UnknownSubscription.
        """
        self._dispatcher.resume(name)
        reports = queue_of(self._dispatcher.courier(name).subscription)
        if reports is not None:
            self._dispatcher.resume(reports.name)

    async def test(self, name: str) -> Trial:
        """Send newCall and hangup of a made-up call to each of its doors.

        Raises UnknownSubscription; one that is turned off has no doors, and is not known.
        """
        subscription = self._dispatcher.queues.get(name)
        if subscription is None:
            raise UnknownSubscription(name)
        trials = Trials(
            open_sender=self._dispatcher.open_sender, clock=self._clock, dice=self._dice
        )
        return await trials.of(subscription)

    async def replay(
        self, selection: Selection, *, limit: int = 0, cursor: str = "", dry_run: bool = False
    ) -> Replayed:
        """Deliver again what is selected; ages count from now, `seq` and `webhook-id` stay.

        Raises UnknownSubscription where one is named that is not served.
        """
        if selection.subscription and selection.subscription not in self._dispatcher.numbers:
            raise UnknownSubscription(selection.subscription)
        replayed = await self._archive.replay(
            selection,
            now=self._clock.steady(),
            max_age_s=self._max_age_s,
            limit=limit,
            cursor=cursor,
            dry_run=dry_run,
        )
        numbers = self._dispatcher.numbers
        self._dispatcher.ring(numbers[name] for name in replayed.by_subscription if name in numbers)
        return replayed

    def _max_age_s(self, number: int, kind: str) -> float:
        # A delivery report is as patient as a cdr; every other word is a kind of event.
        known: Kind = next((one for one in KINDS if one == kind), "cdr")
        subscription = self._dispatcher.subscription_of(number)
        # One that is removed at this moment takes with it what is queued for it.
        return 0.0 if subscription is None else subscription.schedule_of(known).max_age_s[known]
