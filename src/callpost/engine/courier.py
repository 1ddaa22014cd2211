"""One subscription's task: it takes deliveries from its window and carries them to the doors.

The courier decides synchronously and then does I/O; what it has decided it writes down before
anyone could act on it. In its nursery live its carriers, started on demand, never more than
the subscription's `concurrency`.
"""

from collections.abc import Callable
from typing import Final

import structlog
import trio
from msgspec import Struct

from callpost.engine.bell import Bell
from callpost.engine.bench import Bench
from callpost.engine.cull import Cull
from callpost.engine.gate import Gate
from callpost.engine.ports import Clock, Spool
from callpost.engine.reports import Reports
from callpost.engine.round import Attempt, Round, Rounds
from callpost.engine.window import UNREADABLE_S, Window
from callpost.model.delivery import DeadReason, Delivery, Died, Done, SpoolUnreadable
from callpost.model.lanes import Taken
from callpost.model.letter import Letter, letter_of
from callpost.model.subscription import Subscription
from callpost.model.verdict import Die, Finish, Postpone

# While nothing may be sent: how often what has expired is looked for in the whole queue, and
# the pause between two parts of a long one.
_CULL_INTERVAL_S: Final = 5.0
_CULL_PAUSE_S: Final = 0.1


class Staff(Struct, frozen=True):
    """Who works for a courier, each with one thing to decide or to do."""

    bell: Bell
    gate: Gate
    window: Window
    rounds: Rounds
    cull: Cull
    reports: Reports


class Courier:
    """Carries the deliveries of subscription number `number` from the spool to its doors."""

    def __init__(
        self,
        number: int,
        subscription: Subscription,
        staff: Staff,
        *,
        spool: Spool,
        clock: Clock,
        log: structlog.typing.FilteringBoundLogger,
    ) -> None:
        self._number = number
        self._name = subscription.name
        self._concurrency = subscription.concurrency
        self._bell = staff.bell
        self._bench = Bench()
        self._gate = staff.gate
        self._window = staff.window
        self._rounds = staff.rounds
        self._cull = staff.cull
        self._reports = staff.reports
        self._spool = spool
        self._clock = clock
        self._log = log
        self._burying = 0
        # The gate is shut, and when to look again is settled: a ring has nothing to add.
        self._waits_for_gate = False
        self._wakes_at = 0.0
        self._cull_at = 0.0
        self._draining = False

    @property
    def gate(self) -> Gate:
        """Whether it may send."""
        return self._gate

    @property
    def bench(self) -> Bench:
        """Its carriers."""
        return self._bench

    @property
    def window(self) -> Window:
        """What it has in memory."""
        return self._window

    def ring(self) -> None:
        """There is something new in the spool.

        A carrier on the bench sees to it by itself: to wake the courier for each event costs a
        subscription that has one now and then 15 us more.
        """
        self._window.look_again()
        if self._cull.is_overfull():
            self._bell.ring()
        elif self._waits_for_gate:
            # It looks when the gate opens; until then every event would cost 30 us.
            return
        elif self._bench:
            self._bench.call()
        else:
            self._bell.ring()

    def drain(self) -> None:
        """Begin no further attempt; `run` returns when those in flight have ended."""
        self._draining = True
        self._window.close()
        self._bell.ring()
        self._bench.call_all()

    async def run(self) -> None:
        """Carry until drained."""
        try:
            async with trio.open_nursery() as carriers:
                while not self._draining:
                    self._bell.still()
                    try:
                        nap_s = self._turn(carriers)
                    except SpoolUnreadable:
                        nap_s = UNREADABLE_S
                    self._wakes_at = self._clock.steady() + nap_s
                    await self._bell.heard(within_s=nap_s)
        finally:
            self._rounds.close()

    def _turn(self, carriers: trio.Nursery) -> float:
        """Do what can be done now; returns for how long there is nothing else to do."""
        if not self._burying and self._cull.is_overfull():
            # Else the spool would name again what is on its way to be buried.
            self._bury_all(self._cull.excess(self._window.lanes.positions()), "overflow")
        now = self._clock.steady()
        shut_s = self._gate.opens_at(now) - now
        self._waits_for_gate = shut_s > 0
        if not self._waits_for_gate:
            self._window.refill(timid=not self._gate.is_proven)
            self._put_to_work(carriers)
            return max(0.0, self._window.due_at() - now)
        if self._gate.is_busy:
            # Whoever ends the attempt that is out looks again.
            return shut_s
        if not self._spool.pending_of(self._number):
            # The first that comes is a reason to look for what expires.
            self._waits_for_gate = False
            return shut_s
        return min(shut_s, self._bury_expired())

    def _bury_expired(self) -> float:
        """While nothing may be sent ages still count; returns when to look for more of them."""
        while (expired := self._window.lanes.take_expired(self._clock.steady())) is not None:
            self._bury(expired.delivery, "expired", key=expired.key)
        now = self._clock.steady()
        if now >= self._cull_at and not self._burying:
            self._bury_all(self._cull.expired(self._window.lanes), "expired")
            pause_s = _CULL_INTERVAL_S if self._cull.has_seen_all else _CULL_PAUSE_S
            self._cull_at = now + pause_s
        return max(_CULL_PAUSE_S, self._cull_at - now)

    def _put_to_work(self, carriers: trio.Nursery) -> None:
        ready, idle = self._window.lanes.ready, len(self._bench)
        self._bench.call(ready)
        for _ in range(min(ready - idle, self._concurrency - self._bench.members)):
            self._bench.join()
            carriers.start_soon(self._carry)

    async def _carry(self) -> None:
        """One carrier: take, deliver, write down, again; leaves when it is sent home."""
        try:
            while not self._draining:
                now = self._clock.steady()
                taken = self._take(now)
                if taken is not None:
                    await self._deliver(taken, now)
                    continue
                if not await self._bench.wait() and not self._window.lanes.ready:
                    return
        finally:
            self._bench.leave()
            if self._window.lanes.ready:
                # Work came at the very moment of leaving, when this carrier still counted.
                self._bell.ring()

    def _take(self, now: float) -> Taken | None:
        """Read on and take; ring where more could go than the busy carry, or earlier than said."""
        if self._gate.opens_at(now) > now:
            # Whoever waits for the gate is the courier, not its carriers.
            self._bell.ring()
            return None
        self._waits_for_gate = False
        self._window.refill(timid=not self._gate.is_proven)
        taken = self._window.lanes.take()
        more_could_go = self._window.lanes.ready and self._bench.busy < self._concurrency
        if more_could_go or self._window.due_at() < self._wakes_at:
            self._bell.ring()
        return taken

    async def _deliver(self, taken: Taken, now: float) -> None:
        letter = letter_of(taken.delivery.body)
        try:
            fate = self._cull.fate(taken.delivery, letter, now)
        except SpoolUnreadable:
            # Whether it may go is written on the disk.
            rounds = taken.delivery.rounds
            self._window.postpone(taken, due_at=now + UNREADABLE_S, rounds=rounds, attempts=())
            return
        if fate is not None:
            self._bury(taken.delivery, fate, key=taken.key)
            return
        done = await self._rounds.go(taken.delivery, letter, now=now, stopping=self._is_draining)
        match done.verdict:
            case Finish():
                self._finish(taken, letter, done)
            case Die(reason, last):
                self._bury(taken.delivery, reason, key=taken.key, last=last, attempts=done.attempts)
            case Postpone(due_at, rounds):
                self._window.postpone(taken, due_at=due_at, rounds=rounds, attempts=done.records)
                self._bell.ring()

    def _is_draining(self) -> bool:
        return self._draining

    def _finish(self, taken: Taken, letter: Letter, round_: Round) -> None:
        report = self._reports.about(
            "delivered", taken.delivery, letter, reason="delivered", attempts=round_.attempts
        )
        done = Done(
            subscription=self._number,
            delivery=taken.delivery,
            attempts=round_.records,
            report=report,
        )
        # Without a callback it may ride with a later commit.
        self._spool.settle(done, self._reports.stored if report else None)
        self._window.advance(taken.key)

    def _bury_all(self, deliveries: list[Delivery], reason: DeadReason) -> None:
        for delivery in deliveries:
            self._bury(delivery, reason, key=None)

    def _bury(
        self,
        delivery: Delivery,
        reason: DeadReason,
        *,
        key: int | None,
        last: str = "",
        attempts: tuple[Attempt, ...] = (),
    ) -> None:
        """Make it a dead letter; its lane `key`, where it has one, goes on once that is on disk."""
        letter = letter_of(delivery.body)
        self._burying += 1
        if key is None:
            self._window.hold()
        self._spool.settle(
            Died(
                subscription=self._number,
                delivery=delivery,
                reason=reason,
                last=last,
                died_at=self._clock.steady(),
                attempts=tuple(attempt.record for attempt in attempts),
                report=self._reports.about(
                    "dead", delivery, letter, reason=reason, attempts=attempts
                ),
            ),
            self._after_burial(delivery, letter, reason, last, key),
        )

    def _after_burial(
        self, delivery: Delivery, letter: Letter, reason: DeadReason, last: str, key: int | None
    ) -> Callable[[bool], None]:
        def written(_: bool) -> None:  # noqa: FBT001 - the port's
            self._log.warning(
                "delivery.died",
                subscription=self._name,
                eventId=letter.id,
                callId=letter.call_id,
                seq=delivery.seq,
                kind=letter.event,
                reason=reason,
                last=last,
            )
            self._burying -= 1
            if key is None:
                self._window.release()
            if key is not None:
                self._window.advance(key)
            self._reports.stored(True)
            self._bell.ring()

        return written
