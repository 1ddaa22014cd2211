"""One subscription's task: its window, its lanes, its carriers, its attempts.

The courier decides synchronously and then does I/O; what it has decided it writes down before
anyone could act on it. In its nursery live its carriers, started on demand, never more than
the subscription's `concurrency`.
"""

from functools import partial
from typing import Final

import structlog
import trio

from callpost.engine.ports import Clock, Spool
from callpost.engine.round import Round, Rounds
from callpost.model.delivery import DeadReason, Deferred, Died, Done, Released
from callpost.model.lanes import Hungry, Lanes, Overflowing, Taken
from callpost.model.limits import LANE_PAGE, WINDOW_MAX_DELIVERIES, WINDOW_PER_CARRIER
from callpost.model.subscription import Subscription
from callpost.model.verdict import Die, Finish, Postpone

# How long a carrier without work keeps its task: as long as its connection may be of use.
_CARRIER_IDLE_S: Final = 30.0
# Pages read in one turn: a courier that must pass a million deferred rows lets others run.
_PAGES_PER_TURN: Final = 4


class Courier:
    """Carries the deliveries of subscription number `number` from the spool to its doors."""

    def __init__(
        self,
        number: int,
        subscription: Subscription,
        *,
        spool: Spool,
        rounds: Rounds,
        clock: Clock,
        log: structlog.typing.FilteringBoundLogger,
    ) -> None:
        self._number = number
        self._subscription = subscription
        self._order = subscription.order
        self._spool = spool
        self._rounds = rounds
        self._clock = clock
        self._log = log
        self._concurrency = subscription.concurrency
        window = min(WINDOW_MAX_DELIVERIES, WINDOW_PER_CARRIER * self._concurrency)
        self._lanes = Lanes(window=window, carriers=self._concurrency)
        self._cursor = 0
        self._due_at: float | None = clock.steady()
        self._more_due = False
        self._more_pages = True
        self._bell = trio.Event()
        self._bench = trio.lowlevel.ParkingLot()
        self._carriers = 0
        self._draining = False

    def ring(self) -> None:
        """There may be something new in the spool."""
        self._more_pages = True
        self._bell.set()

    def drain(self) -> None:
        """Begin no further attempt; `run` returns when those in flight have ended."""
        self._draining = True
        self._bell.set()
        self._bench.unpark_all()

    async def run(self) -> None:
        """Carry until drained."""
        try:
            async with trio.open_nursery() as carriers:
                while not self._draining:
                    self._bell = trio.Event()
                    self._refill()
                    self._put_to_work(carriers)
                    with trio.move_on_after(self._nap_s()):
                        await self._bell.wait()
        finally:
            self._rounds.close()

    def _nap_s(self) -> float:
        """How long until a deferred lane falls due; without room its time means nothing yet."""
        if self._due_at is None or not self._lanes.room():
            return float("inf")
        return max(0.0, self._due_at - self._clock.steady())

    def _put_to_work(self, carriers: trio.Nursery) -> None:
        idle = len(self._bench)
        self._bench.unpark(count=self._lanes.ready)
        hired = min(self._lanes.ready - idle, self._concurrency - self._carriers)
        for _ in range(hired):
            self._carriers += 1
            carriers.start_soon(self._carry)

    async def _carry(self) -> None:
        """One carrier: take, deliver, write down, again; leaves when idle for long."""
        try:
            while not self._draining:
                taken = self._lanes.take()
                if taken is not None:
                    await self._deliver(taken)
                    self._refill()
                    continue
                with trio.move_on_after(_CARRIER_IDLE_S) as idle:
                    await self._bench.park()
                if idle.cancelled_caught:
                    return
        finally:
            self._carriers -= 1

    def _refill(self) -> None:
        """Fill the window from disk: lanes that fell due, then what the cursor has not passed."""
        if self._draining or not self._lanes.room():
            return
        if self._due_at is not None and self._clock.steady() >= self._due_at:
            self._bring_back_due()
        for _ in range(_PAGES_PER_TURN):
            limit = self._lanes.room()
            if not limit or not self._more_pages:
                break
            page = self._spool.page(
                self._number, after=self._cursor, limit=limit, order=self._order
            )
            self._cursor = page.last
            self._more_pages = page.full
            for lane in self._lanes.offer(page.rows):
                self._store(lane)
        else:
            self._bell.set()
        if self._lanes.ready > 1 and self._carriers - len(self._bench) < self._concurrency:
            self._bell.set()

    def _store(self, lane: Overflowing) -> None:
        """Write a lane down as due at once: it reads on by itself when memory has sent its part."""
        self._spool.settle(
            Deferred(
                subscription=self._number,
                order=self._order,
                key=lane.key,
                delivery=lane.delivery,
                due_at=self._clock.steady(),
                rounds=lane.delivery.rounds,
            )
        )

    def _bring_back_due(self) -> None:
        """Take lanes that fell due into memory, as many as there is room for."""
        now = self._clock.steady()
        # Those in memory already are named again, because their rows stay until they are done.
        limit = self._lanes.room() // LANE_PAGE + self._lanes.stored + 1
        keys = self._spool.due(self._number, now=now, limit=limit, order=self._order)
        for key in keys:
            if key not in self._lanes:
                self._read_on(self._lanes.resume(key))
        self._due_at = self._spool.next_due(self._number, now=now)
        self._more_due = len(keys) == limit

    def _read_on(self, hungry: Hungry) -> None:
        """Feed a stored lane from disk, or let it go where nothing of it is left."""
        deliveries = self._spool.lane(
            self._number, hungry.key, after=hungry.after, limit=LANE_PAGE, order=self._order
        )
        if deliveries:
            self._lanes.feed(hungry.key, deliveries)
            return
        released = Released(subscription=self._number, order=self._order, key=hungry.key)
        self._spool.settle(released, partial(self._after_release, hungry))

    def _after_release(self, hungry: Hungry, was_empty: bool) -> None:  # noqa: FBT001 - the port's
        if was_empty:
            self._forget(hungry.key)
        elif not self._draining:
            self._read_on(hungry)
        self._bell.set()

    def _forget(self, key: int) -> None:
        self._lanes.forget(key)
        if self._more_due:
            self._due_at = self._clock.steady()

    async def _deliver(self, taken: Taken) -> None:
        done = await self._rounds.go(taken.delivery, stopping=lambda: self._draining)
        match done.verdict:
            case Finish():
                self._finish(taken, done)
            case Die(reason, last):
                self._bury(taken, done, reason, last)
            case Postpone(due_at, rounds):
                self._postpone(taken, done, due_at, rounds)

    def _finish(self, taken: Taken, done: Round) -> None:
        self._spool.settle(
            Done(
                subscription=self._number,
                position=taken.delivery.position,
                attempts=done.attempts,
            )
        )
        self._advance(taken.key)

    def _bury(self, taken: Taken, done: Round, reason: DeadReason, last: str) -> None:
        """A dead letter is on disk before the next delivery of its lane goes out."""

        def written(_: bool) -> None:  # noqa: FBT001 - the port's
            self._log.warning(
                "delivery.died",
                subscription=self._subscription.name,
                eventId=done.event.id,
                callId=done.event.call_id,
                seq=taken.delivery.seq,
                kind=done.event.event,
                reason=reason,
                last=last,
            )
            self._advance(taken.key)
            self._bell.set()

        self._spool.settle(
            Died(
                subscription=self._number,
                delivery=taken.delivery,
                reason=reason,
                last=last,
                died_at=self._clock.steady(),
                attempts=done.attempts,
            ),
            written,
        )

    def _postpone(self, taken: Taken, done: Round, due_at: float, rounds: int) -> None:
        """The lane leaves the memory at once, and may come back when that is on disk."""
        self._lanes.defer(taken.key)

        def written(_: bool) -> None:  # noqa: FBT001 - the port's
            self._forget(taken.key)
            self._due_at = due_at if self._due_at is None else min(self._due_at, due_at)
            self._bell.set()

        self._spool.settle(
            Deferred(
                subscription=self._number,
                order=self._order,
                key=taken.key,
                delivery=taken.delivery,
                due_at=due_at,
                rounds=rounds,
                attempts=done.attempts,
            ),
            written,
        )

    def _advance(self, key: int) -> None:
        hungry = self._lanes.advance(key)
        if hungry is not None and not self._draining:
            self._read_on(hungry)
