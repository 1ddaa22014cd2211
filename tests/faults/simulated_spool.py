"""One engine's hold on the simulated disk: the port Spool in virtual time, with every bad mood.

It commits as the real one does: what waits goes in one transaction, readers see it a moment
before it is confirmed, and a bare `Done` rides. After `die` nothing reaches the disk any more,
and whoever waits waits for ever.
"""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Final

import trio

from callpost.model.delivery import (
    Arrival,
    Delivery,
    Died,
    Done,
    NotAccepted,
    Page,
    Receipt,
    Settlement,
)
from callpost.model.flow import Way
from callpost.model.replay import Replayed, Selection
from callpost.model.subscription import Order
from faults.simulated_disk import Disk, DiskMood

_RIDE_S: Final = 0.02
_RETRY_S: Final = 1.0
_CHUNK: Final = 3
_FULL: Final = NotAccepted("spool_full", "The spool is full.")
_FAILED: Final = NotAccepted("spool_error", "The disk has failed.")

_Queued = tuple[Settlement, Callable[[bool], None] | None]


class ReadFailed(Exception):
    """The disk could not be read: the engine does not survive that."""


@dataclass(slots=True)
class _Append:
    arrivals: Sequence[Arrival]
    decided: trio.Event
    receipts: list[Receipt]


class SimulatedSpool:
    """See ports.Spool; `names` has the subscription for each number."""

    def __init__(
        self,
        disk: Disk,
        chance: Random,
        mood: DiskMood | None = None,
        names: Sequence[str] = (),
    ) -> None:
        self._disk = disk
        self._chance = chance
        self._mood = mood or DiskMood()
        self._names = names
        self._appends: list[_Append] = []
        self._settlements: list[_Queued] = []
        self._committing: list[_Queued] = []
        self._chores: list[tuple[Callable[[], None], trio.Event]] = []
        self._out: list[Callable[[], object]] = []
        self._retrying = False
        self._bell = trio.Event()
        self._urgent = trio.Event()
        self._finishing = False
        self._dead = False
        self._known: frozenset[int] = frozenset()
        self._removed: frozenset[int] = frozenset()
        self._emptied = trio.Event()
        self._counts: Counter[int] = Counter()
        self._count()

    def die(self) -> None:
        """The power fails: the transaction that is out, if there is one, is on disk or is not."""
        self._dead = True
        if self._out and self._chance.random() < 0.5:
            self._apply()

    def finish(self) -> None:
        """Let `run` return once everything that waits has been written."""
        self._finishing = True
        self._bell.set()
        self._urgent.set()

    async def emptied(self) -> None:
        """Return when nothing is pending and no lane waits."""
        while not self._disk.is_empty:
            self._emptied = trio.Event()
            await self._emptied.wait()

    async def run(self) -> None:
        """Commit what waits, again and again, until finished."""
        while self._appends or self._settlements or self._chores or not self._finishing:
            await self._until_due()
            await self._write()
            await self._write_chores()
            if self._appends or self._settlements or self._chores:
                # What a retry has put off, or what came meanwhile, rings nobody any more.
                self._bell.set()
                if self._appends or self._chores:
                    self._urgent.set()

    async def append(self, arrivals: Sequence[Arrival]) -> list[Receipt]:
        """See ports.Spool."""
        append = _Append(arrivals, trio.Event(), [])
        self._appends.append(append)
        self._hurry()
        await append.decided.wait()
        return append.receipts

    def settle(self, settlement: Settlement, written: Callable[[bool], None] | None = None) -> None:
        """See ports.Spool."""
        if self._dead:
            return
        self._settlements.append((settlement, written))
        if written is not None or not isinstance(settlement, Done):
            self._urgent.set()
        self._bell.set()

    def page(self, subscription: int, *, after: int, limit: int, order: Order) -> Page:
        """See ports.Spool."""
        found = self._read(self._disk.rows(subscription), after, limit)
        blocked = self._disk.blocked(subscription, order)
        rows = tuple((one, _key(one, order), blocked(one)) for one in found)
        return Page(rows, found[-1].position if found else after, len(found) == limit)

    def due(self, subscription: int, *, now: float, limit: int, order: Order) -> list[int]:
        """See ports.Spool."""
        waits = self._disk.deferred.get(subscription, {})
        places = sorted((due_at, place) for place, (_, due_at) in waits.items() if due_at <= now)
        match order:
            case "call":
                # A call has several rows for a while where another order has left them behind.
                return list(dict.fromkeys(waits[place][0] for _, place in places))[:limit]
            case "none":
                return [place for _, place in places[:limit]]
            case "subscription":
                return [0] if places else []

    def next_due(self, subscription: int, *, now: float) -> float | None:
        """See ports.Spool."""
        waits = self._disk.deferred.get(subscription, {})
        return min((due_at for _, due_at in waits.values() if due_at > now), default=None)

    def lane(
        self, subscription: int, key: int, *, after: int, limit: int, order: Order
    ) -> list[Delivery]:
        """See ports.Spool."""
        return self._read(self._disk.lane(subscription, key, order), after, limit)

    def expired(
        self, subscription: int, *, after: int, scan: int, now: float
    ) -> tuple[list[Delivery], int]:
        """See ports.Spool."""
        seen = self._read(self._disk.rows(subscription), after, scan)
        past = [one for one in seen if one.expires_at <= now]
        return past, seen[-1].position if len(seen) == scan else 0

    def pending_of(self, subscription: int) -> int:
        """See ports.Spool."""
        return self._counts[subscription]

    def ending(self, subscription: int) -> frozenset[int]:
        """See ports.Spool."""
        return frozenset(
            one.delivery.position
            for one, _ in (*self._committing, *self._settlements)
            if isinstance(one, Done | Died) and one.subscription == subscription
        )

    def has_gap(self, subscription: int, call: int) -> bool:
        """See ports.Spool."""
        return any(
            owner == subscription and one.delivery.call == call and one.reason != "superseded"
            for (_, owner), one in self._disk.dead.items()
        )

    def is_purged(self, number: int) -> bool:  # noqa: ARG002 - the port's
        """See ports.Spool; nobody purges here."""
        return False

    def was_answered(self, *, customer: str, source: str, call_id: str) -> bool:
        """See ports.Spool."""
        return self._disk.was_answered((customer, source, call_id))

    def way_of(self, *, customer: str, source: str, call_id: str) -> Way:
        """See ports.Spool."""
        return self._disk.way_of((customer, source, call_id))

    def serve(self, names: Mapping[int, str]) -> None:
        """See ports.Spool."""
        self._known |= names.keys()
        self._removed = self._known - names.keys()

    async def bury(self, subscription: int, *, now: float) -> int:
        """See ports.Spool; a few at a time."""
        buried: list[int] = []

        def work() -> None:
            if subscription in self._removed:
                buried.append(self._disk.bury(subscription, now=now, most=_CHUNK))

        decided = trio.Event()
        self._chores.append((work, decided))
        self._hurry()
        await decided.wait()
        return sum(buried)

    @property
    def clogged(self) -> bool:
        """See ports.Spool."""
        return len(self._settlements) >= self._mood.clogs_at

    async def replay(
        self,
        selection: Selection,
        *,
        now: float,
        max_age_s: Callable[[int, str], float],
        limit: int = 0,  # noqa: ARG002 - the port's
        cursor: str = "",  # noqa: ARG002 - the port's
        dry_run: bool = False,  # noqa: ARG002 - the port's
    ) -> Replayed:
        """See operator.Archive; of the criteria it knows the subscription, and `delivered`."""
        queued: list[int] = []

        def work() -> None:
            owner = self._names.index(selection.subscription) + 1
            if owner in self._removed:
                return
            ended = dict(self._disk.made) if selection.delivered else {}
            ended |= self._disk.dead
            chosen = [(who, one) for (_, who), one in sorted(ended.items()) if who == owner]
            queued.extend(self._disk.replay(chosen, now=now, age_s=max_age_s(owner, "hangup")))

        decided = trio.Event()
        self._chores.append((work, decided))
        self._hurry()
        await decided.wait()
        by_name = Counter(self._names[owner - 1] for owner in queued)
        return Replayed(deliveries=len(queued), by_subscription=dict(by_name))

    def _read(self, rows: Sequence[Delivery], after: int, limit: int) -> list[Delivery]:
        if self._mood.read_fails and self._chance.random() < self._mood.read_fails:
            raise ReadFailed
        return [one for one in rows if one.position > after][:limit]

    def _hurry(self) -> None:
        self._urgent.set()
        self._bell.set()

    async def _until_due(self) -> None:
        await self._bell.wait()
        with trio.move_on_after(_RIDE_S):
            await self._urgent.wait()
        if not self._finishing:
            self._bell = trio.Event()
            self._urgent = trio.Event()

    async def _write(self) -> None:
        appends: list[_Append] = []
        if not self._retrying:
            appends, self._appends = self._appends, []
        if self._mood.full:
            self._refuse(appends, _FULL)
            appends = []
        settlements, self._settlements = self._settlements, []
        self._committing = settlements
        if not appends and not settlements:
            return
        answers: list[bool] = []
        for append in appends:
            self._out += [partial(self._append, append, one) for one in append.arrivals]
        self._out += [partial(self._settle, answers, one) for one, _ in settlements]
        committed = await self._commit()
        self._committing = []
        if committed:
            self._retrying = False
            for append in appends:
                append.decided.set()
            for (_, written), answer in zip(settlements, answers, strict=True):
                if written is not None:
                    written(answer)
            return
        self._refuse(appends, _FAILED)
        if settlements:
            self._settlements[:0] = settlements
            self._hurry()
            self._retrying = True
            # Those of a mixed commit get a try of their own at once.
            await trio.sleep(0 if appends else _RETRY_S)

    async def _write_chores(self) -> None:
        chores, self._chores = ([], self._chores) if self._retrying else (self._chores, [])
        for work, decided in chores:
            self._out = [work]
            while not await self._commit():
                self._out = [work]
            decided.set()

    async def _commit(self) -> bool:
        """Write what is out, and say whether that has held; readers know before we do."""
        await self._sleep()
        if self._mood.write_fails and self._chance.random() < self._mood.write_fails:
            self._out = []
            return False
        self._apply()
        if self._chance.random() < 0.5:
            await self._sleep()
        self._count()
        if self._disk.is_empty:
            self._emptied.set()
        return True

    async def _sleep(self) -> None:
        await trio.sleep(self._mood.commit_s * self._chance.random())
        if self._dead:
            # This step was due when the power failed.
            await trio.sleep_forever()

    def _apply(self) -> None:
        out, self._out = self._out, []
        for write in out:
            write()

    def _append(self, append: _Append, arrival: Arrival) -> None:
        append.receipts.append(self._disk.append(arrival, self._removed))

    def _settle(self, answers: list[bool], settlement: Settlement) -> None:
        answers.append(self._disk.settle(settlement, self._removed))

    def _refuse(self, appends: Collection[_Append], refusal: NotAccepted) -> None:
        for append in appends:
            append.receipts[:] = [refusal] * len(append.arrivals)
            append.decided.set()

    def _count(self) -> None:
        for owner, rows in self._disk.pending.items():
            self._counts[owner] = len(rows)


def _key(delivery: Delivery, order: Order) -> int:
    match order:
        case "call":
            return delivery.call
        case "none":
            return delivery.position
        case "subscription":
            return 0
