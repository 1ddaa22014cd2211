"""One round of one delivery: the primary and then, at once and in order, each fallback.

Doors that the gate keeps shut are passed by. A round always ends in a verdict.
"""

from typing import Final

from msgspec import Struct

from callpost.engine.attempt import Attempt, Attempts, Door
from callpost.engine.bell import Bell
from callpost.engine.bench import Carrier
from callpost.engine.gate import Gate
from callpost.engine.world import World
from callpost.model.delivery import Attempted, AttemptRecord, Delivery
from callpost.model.instant import utc_text
from callpost.model.letter import Letter
from callpost.model.outcome import Delivered, most_hopeful
from callpost.model.subscription import Subscription
from callpost.model.verdict import GONE_PAUSE_S, Die, Finish, Postpone, Verdict, verdict_of
from callpost.model.vocabulary import Kind

# A delivery whose doors all shut while it was on its way to them comes back after this.
_BUSY_PAUSE_S: Final = 1.0


class Round(Struct, frozen=True):
    """What a round came to; it has no attempts where every door was shut."""

    verdict: Verdict
    attempts: tuple[Attempt, ...]

    @property
    def records(self) -> tuple[AttemptRecord, ...]:
        """What is kept of the attempts."""
        return tuple([attempt.record for attempt in self.attempts])


class Rounds:
    """Makes the rounds of one subscription through `doors`, one for each of its endpoints."""

    def __init__(
        self,
        subscription: Subscription,
        *,
        doors: tuple[Door, ...],
        gate: Gate,
        bell: Bell,
        world: World,
    ) -> None:
        self._subscription = subscription
        self._bell = bell
        self._name = subscription.name
        self._doors = {door.endpoint.place: door for door in doors}
        # The subscription makes them anew at each question.
        self._way_of_new_calls = self._way("newCall")
        self._way_of_the_rest = self._way("hangup")
        self._gate = gate
        self._spool = world.spool
        self._clock = world.clock
        self._dice = world.dice
        self._witness = world.witness
        self._attempts = Attempts(subscription, gate=gate, world=world)

    def close(self) -> None:
        """Let go of every connection that is idle."""
        for door in self._doors.values():
            door.sender.close()

    def _way(self, kind: Kind) -> tuple[Door, ...]:
        return tuple(self._doors[one.place] for one in self._subscription.endpoints_for(kind))

    async def go(
        self, delivery: Delivery, letter: Letter, *, now: float, carrier: Carrier
    ) -> Round:
        """Make one round; a `carrier` that must end only finishes the attempt in hand."""
        opens_at = self._gate.way_opens_at(letter.event, now)
        if opens_at > now:
            return Round(self._wait(delivery, opens_at), ())
        self._gate.take(now)
        attempts: list[Attempt] = []
        cut_short = False
        is_new = letter.event == "newCall"
        for door in self._way_of_new_calls if is_new else self._way_of_the_rest:
            if not self._gate.admits(door.endpoint.place, now):
                continue
            if attempts:
                if carrier.must_end or self._spool.is_purged(delivery.number):
                    cut_short = True
                    break
                self._tell(letter, delivery, attempts[-1], next_at=self._clock.wall())
                # The endpoint that this round leaves has room for another delivery.
                self._bell.ring()
            number = delivery.attempts + len(attempts) + 1
            attempt = await self._attempts.make(letter, delivery, door, number, now, carrier)
            attempts.append(attempt)
            if isinstance(attempt.outcome, Delivered):
                self._tell(letter, delivery, attempt, next_at=None)
                self._witness.delivered(now + attempt.report.total_ms / 1000 - delivery.accepted_at)
                return Round(Finish(), tuple(attempts))
            now = self._clock.steady()
        verdict = self._verdict(letter, delivery, attempts, cut_short=cut_short)
        self._tell(letter, delivery, attempts[-1], next_at=self._next_at(verdict))
        return Round(verdict, tuple(attempts))

    def _wait(self, delivery: Delivery, opens_at: float) -> Postpone:
        """The way of this delivery is shut, or taken, while another of the subscription is not."""
        if opens_at == float("inf"):
            # It takes the end of another attempt, or an operator's word.
            pause_s = _BUSY_PAUSE_S if self._gate.is_busy else GONE_PAUSE_S
            opens_at = self._clock.steady() + pause_s
        return Postpone(opens_at, delivery.rounds)

    def _verdict(
        self, letter: Letter, delivery: Delivery, attempts: list[Attempt], *, cut_short: bool
    ) -> Verdict:
        """The fate of a delivery that nobody took."""
        now = self._clock.steady()
        if cut_short:
            # The round begins again, by another carrier or after the restart, and does not count.
            return Postpone(now, delivery.rounds)
        return verdict_of(
            most_hopeful(attempt.outcome for attempt in attempts),
            delivery=delivery,
            schedule=self._subscription.schedule_of(letter.event),
            now=now,
            dice=self._dice.roll(),
        )

    def _next_at(self, verdict: Verdict) -> float | None:
        match verdict:
            case Postpone():
                return self._clock.wall() + verdict.due_at - self._clock.steady()
            case Finish() | Die():
                return None

    def _tell(
        self, letter: Letter, delivery: Delivery, attempt: Attempt, *, next_at: float | None
    ) -> None:
        """The one canonical line of an attempt."""
        record, report = attempt.record, attempt.report
        self._witness.attempted(
            Attempted(
                subscription=self._name,
                event_id=letter.id,
                call_id=letter.call_id,
                seq=delivery.seq,
                kind=letter.event,
                attempt=record.attempt,
                endpoint=attempt.origin,
                place=record.place,
                outcome=record.outcome,
                reason=record.reason,
                http_status=record.http_status,
                connect_ms=None if report.connect_ms is None else round(report.connect_ms, 1),
                total_ms=round(report.total_ms, 1),
                reused=report.reused,
                next_attempt_at=None if next_at is None else utc_text(next_at),
            )
        )
