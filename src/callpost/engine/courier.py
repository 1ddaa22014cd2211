"""One subscription's task: it takes deliveries from its window and carries them to the doors.

The courier decides synchronously and then does I/O; what it has decided it writes down before
anyone could act on it. In its nursery live its carriers, started on demand, never more than
the subscription's `concurrency`.
"""

import trio

from callpost.engine.bench import Bench, Carrier
from callpost.engine.burials import Burials
from callpost.engine.gate import Gate
from callpost.engine.round import Round
from callpost.engine.staff import Staff
from callpost.engine.window import UNREADABLE_S, Window
from callpost.engine.world import World
from callpost.model.delivery import Done, SpoolUnreadable
from callpost.model.lanes import Taken
from callpost.model.letter import Letter, Spoilt, letter_or_spoilt
from callpost.model.progress import Idle, Stall, idle_after, stall_of
from callpost.model.subscription import Subscription
from callpost.model.verdict import Die, Finish, Postpone


class Courier:
    """Carries the deliveries of subscription number `number` from the spool to its doors."""

    def __init__(
        self,
        number: int,
        subscription: Subscription,
        staff: Staff,
        *,
        world: World,
    ) -> None:
        self._number = number
        self.subscription = subscription
        self._concurrency = subscription.concurrency
        self._bell = staff.bell
        self._bench = Bench()
        self._gate = staff.gate
        self._window = staff.window
        self._rounds = staff.rounds
        self._cull = staff.cull
        self._reports = staff.reports
        self._spool = world.spool
        self._clock = world.clock
        self._burials = Burials(number, subscription.name, staff, world=world)
        # The gate is shut, and when to look again is settled: a ring has nothing to add.
        self._waits_for_gate = False
        self._wakes_at = 0.0
        self._draining = False
        # Deliveries that were taken up, and what that count was when work was last seen to wait.
        self._steps = 0
        self._idle: Idle | None = None

    @property
    def number(self) -> int:
        """The spool's number of its queue."""
        return self._number

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

    def recall(self) -> None:
        """Something was taken from the spool: what waited behind it on disk may go."""
        self._window.look_at_deferred()
        self._bell.ring()

    def drain(self) -> None:
        """Begin no further attempt; `run` returns when those in flight have ended."""
        self._draining = True
        self._window.close()
        self._bell.ring()
        self._bench.dismiss()

    def stall(self, now: float) -> Stall | None:
        """Why it makes no progress though it could; to be asked every few seconds."""
        if not self._bench.members and not self._spool.pending_of(self._number):
            # Most have nothing to do at most times, and ten thousand are asked.
            self._idle = None
            return None
        self._idle = idle_after(
            self._idle, could_go=self._could_go(now), steps=self._steps, now=now
        )
        return stall_of(self._bench.out(), self._idle, now=now)

    def nudge(self) -> None:
        """Do what may end a stall: take back attempts that are overdue, look for work."""
        self._bench.give_up_overdue(self._clock.steady())
        self._bell.ring()

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
        self._burials.shed_excess()
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
        return min(shut_s, self._burials.shed_expired())

    def _put_to_work(self, carriers: trio.Nursery) -> None:
        ready, idle = self._window.lanes.ready, len(self._bench)
        self._bench.call(ready)
        for _ in range(min(ready - idle, self._concurrency - self._bench.members)):
            carriers.start_soon(self._carry, self._bench.join())

    async def _carry(self, carrier: Carrier) -> None:
        """One carrier: take, deliver, write down, again; leaves when it is sent home."""
        try:
            with carrier.scope:
                while not carrier.must_end:
                    now = self._clock.steady()
                    taken = self._take(now)
                    if taken is not None:
                        await self._deliver(taken, now, carrier)
                    elif not await self._bench.wait() and not self._window.lanes.ready:
                        return
        finally:
            self._bench.leave(carrier)
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

    def _could_go(self, now: float) -> bool:
        """A carrier is free, and something may go that neither lanes nor gate hold back."""
        return (
            self._bench.busy < self._concurrency
            and not self._draining
            and self._window.has_work(now)
            and self._gate.opens_at(now) <= now
        )

    async def _deliver(self, taken: Taken, now: float, carrier: Carrier) -> None:
        self._steps += 1
        letter = letter_or_spoilt(taken.delivery.body)
        if isinstance(letter, Spoilt):
            self._burials.bury(taken.delivery, "damaged", key=taken.key)
            return
        try:
            if self._spool.is_purged(taken.delivery.number):
                self._window.advance(taken.key)
                return
            fate = self._cull.fate(taken.delivery, letter, now)
        except SpoolUnreadable:
            # Whether it may go is written on the disk.
            rounds = taken.delivery.rounds
            self._window.postpone(taken, due_at=now + UNREADABLE_S, rounds=rounds, attempts=())
            return
        if fate is not None:
            self._burials.bury(taken.delivery, fate, key=taken.key)
            return
        done = await self._rounds.go(taken.delivery, letter, now=now, carrier=carrier)
        match done.verdict:
            case Finish():
                self._finish(taken, letter, done)
            case Die(reason, last):
                self._burials.bury(
                    taken.delivery, reason, key=taken.key, last=last, attempts=done.attempts
                )
            case Postpone(due_at, rounds):
                self._window.postpone(taken, due_at=due_at, rounds=rounds, attempts=done.records)
                self._bell.ring()

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
