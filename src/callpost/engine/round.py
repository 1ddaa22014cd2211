"""One round of one delivery: the primary and then, at once and in order, each fallback.

Doors that the gate keeps shut are passed by. A round always ends in a verdict; whatever a
sender does, even a bug of its own, stays with this subscription.
"""

from collections.abc import Callable
from typing import Final

import trio
from msgspec import Struct

from callpost.engine.gate import Gate
from callpost.engine.ports import Sender
from callpost.engine.world import World
from callpost.model.delivery import Attempted, AttemptRecord, Delivery, Message, Report
from callpost.model.endpoint import Endpoint
from callpost.model.formats import Content, content_of
from callpost.model.instant import utc_text
from callpost.model.letter import Letter
from callpost.model.mask import exact_extension
from callpost.model.outcome import (
    Delivered,
    Gone,
    LocalFault,
    Outcome,
    Refused,
    Rejected,
    Retry,
    most_hopeful,
    narrowed,
    overridden,
)
from callpost.model.report import StoredReport, report_content
from callpost.model.subscription import Subscription
from callpost.model.verdict import GONE_PAUSE_S, Die, Finish, Postpone, Verdict, verdict_of
from callpost.model.vocabulary import Kind

# A delivery whose doors all shut while it was on its way to them comes back after this.
_BUSY_PAUSE_S: Final = 1.0
# Outcomes as the log and the spool name them.
_WORDS: Final[dict[type[Outcome], str]] = {
    kind: kind.__name__.lower() for kind in (Delivered, Retry, Refused, Rejected, Gone, LocalFault)
}


class Attempt(Struct, frozen=True):
    """An attempt that is over: its record, and the rest of what its log line says."""

    record: AttemptRecord
    outcome: Outcome
    report: Report
    origin: str


class Round(Struct, frozen=True):
    """What a round came to; it has no attempts where every door was shut."""

    verdict: Verdict
    attempts: tuple[Attempt, ...]

    @property
    def records(self) -> tuple[AttemptRecord, ...]:
        """What is kept of the attempts."""
        return tuple([attempt.record for attempt in self.attempts])


class Door(Struct, frozen=True):
    """An endpoint, the sender that knows the way there, and what may be shown of the address."""

    endpoint: Endpoint
    sender: Sender
    origin: str


class Rounds:
    """Makes the rounds of one subscription through `doors`, one for each of its endpoints."""

    def __init__(
        self,
        subscription: Subscription,
        *,
        doors: tuple[Door, ...],
        gate: Gate,
        world: World,
    ) -> None:
        self._subscription = subscription
        self._name = subscription.name
        self._doors = {door.endpoint.place: door for door in doors}
        # The subscription makes them anew at each question.
        self._way_of_new_calls = self._way("newCall")
        self._way_of_the_rest = self._way("hangup")
        self._gate = gate
        self._clock = world.clock
        self._dice = world.dice
        self._log = world.log
        self._witness = world.witness
        self._viewed_from = tuple(
            entry for entry in subscription.filter.extension if exact_extension(entry) is not None
        )

    def close(self) -> None:
        """Let go of every connection that is idle."""
        for door in self._doors.values():
            door.sender.close()

    def _way(self, kind: Kind) -> tuple[Door, ...]:
        return tuple(self._doors[one.place] for one in self._subscription.endpoints_for(kind))

    async def go(
        self, delivery: Delivery, letter: Letter, *, now: float, stopping: Callable[[], bool]
    ) -> Round:
        """Make one round; once `stopping` only the attempt in hand is finished."""
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
                if stopping():
                    cut_short = True
                    break
                self._tell(letter, delivery, attempts[-1], next_at=self._clock.wall())
            number = delivery.attempts + len(attempts) + 1
            attempt = await self._attempt(letter, delivery, door, number)
            attempts.append(attempt)
            if isinstance(attempt.outcome, Delivered):
                self._tell(letter, delivery, attempt, next_at=None)
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
            # The round begins again after the restart, and counts for nothing.
            return Postpone(now, delivery.rounds)
        return verdict_of(
            most_hopeful(attempt.outcome for attempt in attempts),
            delivery=delivery,
            schedule=self._subscription.schedule_of(letter.event),
            now=now,
            dice=self._dice.roll(),
        )

    async def _attempt(
        self, letter: Letter, delivery: Delivery, door: Door, number: int
    ) -> Attempt:
        at = self._clock.wall()
        place = door.endpoint.place
        is_probe = self._gate.begin(place)
        try:
            message = self._message(letter, delivery, door.endpoint, number, at)
            report = await door.sender.send(message)
        except trio.Cancelled:
            self._gate.abandon(place, is_probe=is_probe)
            self._tell_cut_short(letter, door, number)
            raise
        except Exception:  # noqa: BLE001 - the one broad net: a bug in one sender must not stop the others
            self._log.exception("sender.failed", subscription=self._name, place=place)
            total_ms = (self._clock.wall() - at) * 1000
            outcome: Outcome = Retry(reason="internal_error")
            report = Report(outcome=outcome, connect_ms=None, total_ms=total_ms, reused=False)
        outcome = narrowed(
            overridden(report.outcome, self._subscription.responses), door.endpoint.retried
        )
        self._gate.end(place, outcome, is_probe=is_probe)
        record = AttemptRecord(
            number=delivery.number,
            attempt=number,
            at=at,
            place=place,
            outcome=_WORDS[type(outcome)],
            reason=outcome.reason,
            http_status=outcome.http_status,
            total_ms=report.total_ms,
        )
        return Attempt(record, outcome, report, door.origin)

    def _message(
        self, letter: Letter, delivery: Delivery, endpoint: Endpoint, number: int, at: float
    ) -> Message:
        content = self._content(letter, delivery, endpoint)
        return Message(
            content=content.content,
            content_type=content.content_type,
            id=letter.id,
            seq=delivery.seq,
            previous_id=delivery.previous_id,
            attempt=number,
            sent_at=at,
            replay=delivery.is_replay,
        )

    def _content(self, letter: Letter, delivery: Delivery, endpoint: Endpoint) -> Content:
        if isinstance(letter, StoredReport):
            return report_content(letter, endpoint.method)
        return content_of(
            delivery.body,
            method=endpoint.method,
            level=endpoint.level,
            vocabulary=self._subscription.vocabulary,
            seq=delivery.seq,
            previous_id=delivery.previous_id,
            viewed_from=self._viewed_from,
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

    def _tell_cut_short(self, letter: Letter, door: Door, number: int) -> None:
        self._log.info(
            "attempt.cut_short",
            subscription=self._name,
            eventId=letter.id,
            callId=letter.call_id,
            attempt=number,
            endpoint=door.origin,
            place=door.endpoint.place,
        )
