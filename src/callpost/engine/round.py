"""One round of one delivery: the primary and then, at once and in order, each fallback.

Doors that the gate keeps shut are passed by. A round always ends in a verdict; whatever a
sender does, even a bug of its own, stays with this subscription.
"""

from collections.abc import Callable
from typing import Final

import structlog
import trio
from msgspec import Struct

from callpost.engine.gate import Gate
from callpost.engine.ports import Clock, Dice, Sender
from callpost.model.delivery import AttemptRecord, Delivery, Message, Report
from callpost.model.endpoint import Endpoint
from callpost.model.formats import Content, render
from callpost.model.instant import utc_text
from callpost.model.letter import Letter
from callpost.model.mask import exact_extension
from callpost.model.outcome import (
    Delivered,
    Outcome,
    Retry,
    most_hopeful,
    narrowed,
    overridden,
)
from callpost.model.report import StoredReport, report_content
from callpost.model.subscription import Subscription
from callpost.model.verdict import GONE_PAUSE_S, Die, Finish, Postpone, Verdict, verdict_of

# A delivery whose doors all shut while it was on its way to them comes back after this.
_BUSY_PAUSE_S: Final = 1.0


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
        return tuple(attempt.record for attempt in self.attempts)


class Door(Struct, frozen=True):
    """An endpoint and the sender that knows the way there."""

    endpoint: Endpoint
    sender: Sender


class Rounds:
    """Makes the rounds of one subscription through `doors`, one for each of its endpoints."""

    def __init__(
        self,
        subscription: Subscription,
        *,
        doors: tuple[Door, ...],
        gate: Gate,
        clock: Clock,
        dice: Dice,
        log: structlog.typing.FilteringBoundLogger,
    ) -> None:
        self._subscription = subscription
        self._senders = {door.endpoint.place: door.sender for door in doors}
        self._gate = gate
        self._clock = clock
        self._dice = dice
        self._log = log
        self._viewed_from = tuple(
            entry for entry in subscription.filter.extension if exact_extension(entry) is not None
        )

    def close(self) -> None:
        """Let go of every connection that is idle."""
        for sender in self._senders.values():
            sender.close()

    async def go(
        self, delivery: Delivery, letter: Letter, *, stopping: Callable[[], bool]
    ) -> Round:
        """Make one round; once `stopping` only the attempt in hand is finished."""
        opens_at = self._gate.way_opens_at(letter.event)
        if opens_at > self._clock.steady():
            return Round(self._wait(delivery, opens_at), ())
        self._gate.take()
        attempts: list[Attempt] = []
        cut_short = False
        for endpoint in self._subscription.endpoints_for(letter.event):
            if not self._gate.admits(endpoint.place):
                continue
            if attempts:
                if stopping():
                    cut_short = True
                    break
                self._tell(letter, delivery, attempts[-1], next_at=self._clock.wall())
            number = delivery.attempts + len(attempts) + 1
            attempts.append(await self._attempt(letter, delivery, endpoint, number))
            if isinstance(attempts[-1].outcome, Delivered):
                break
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
        self, letter: Letter, delivery: Delivery, endpoint: Endpoint, number: int
    ) -> Attempt:
        at = self._clock.wall()
        is_probe = self._gate.begin(endpoint.place)
        try:
            report = await self._send(letter, delivery, endpoint, number, at)
        except trio.Cancelled:
            self._gate.abandon(endpoint.place, is_probe=is_probe)
            self._log.info(
                "attempt.cut_short",
                subscription=self._subscription.name,
                eventId=letter.id,
                callId=letter.call_id,
                attempt=number,
                endpoint=endpoint.origin,
                place=endpoint.place,
            )
            raise
        outcome = overridden(report.outcome, self._subscription.responses)
        outcome = narrowed(outcome, endpoint.retried)
        self._gate.end(endpoint.place, outcome, is_probe=is_probe)
        record = AttemptRecord(
            number=delivery.number,
            attempt=number,
            at=at,
            place=endpoint.place,
            outcome=type(outcome).__name__.lower(),
            reason=outcome.reason,
            http_status=outcome.http_status,
            total_ms=report.total_ms,
        )
        return Attempt(record, outcome, report, endpoint.origin)

    async def _send(
        self, letter: Letter, delivery: Delivery, endpoint: Endpoint, number: int, at: float
    ) -> Report:
        started_at = trio.current_time()
        try:
            content = self._content(letter, delivery, endpoint)
            message = Message(
                content=content.content,
                content_type=content.content_type,
                id=letter.id or "",
                seq=delivery.seq,
                previous_id=delivery.previous_id,
                attempt=number,
                sent_at=at,
                replay=delivery.is_replay,
            )
            return await self._senders[endpoint.place].send(message)
        except Exception:  # noqa: BLE001 - the one broad net: a bug in one sender must not stop the others
            self._log.exception(
                "sender.failed", subscription=self._subscription.name, place=endpoint.place
            )
            total_ms = (trio.current_time() - started_at) * 1000
            outcome = Retry(reason="internal_error")
            return Report(outcome=outcome, connect_ms=None, total_ms=total_ms, reused=False)

    def _content(self, letter: Letter, delivery: Delivery, endpoint: Endpoint) -> Content:
        if isinstance(letter, StoredReport):
            return report_content(letter, endpoint.method)
        return render(
            letter,
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
        self._log.info(
            "delivery.attempted",
            subscription=self._subscription.name,
            eventId=letter.id,
            callId=letter.call_id,
            seq=delivery.seq,
            kind=letter.event,
            attempt=attempt.record.attempt,
            endpoint=attempt.origin,
            place=attempt.record.place,
            outcome=attempt.record.outcome,
            reason=attempt.record.reason,
            httpStatus=attempt.record.http_status,
            connectMs=_rounded(attempt.report.connect_ms),
            totalMs=_rounded(attempt.report.total_ms),
            reused=attempt.report.reused,
            nextAttemptAt=None if next_at is None else utc_text(next_at),
        )


def _rounded(duration_ms: float | None) -> float | None:
    return None if duration_ms is None else round(duration_ms, 1)
