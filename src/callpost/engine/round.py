"""One round of one delivery: the primary and then, at once and in order, each fallback.

A round always ends in a verdict. Whatever a sender does, even a bug of its own, stays with
this subscription.
"""

from collections.abc import Callable

import structlog
import trio
from msgspec import Struct

from callpost.engine.ports import Clock, Dice, Sender
from callpost.model.delivery import AttemptRecord, Delivery, Message, Report
from callpost.model.endpoint import Endpoint
from callpost.model.event import CallEvent, stored
from callpost.model.formats import render
from callpost.model.instant import utc_text
from callpost.model.mask import exact_extension
from callpost.model.outcome import (
    Delivered,
    Outcome,
    Retry,
    most_hopeful,
    narrowed,
    overridden,
)
from callpost.model.subscription import Subscription
from callpost.model.verdict import Die, Finish, Postpone, Verdict, verdict_of


class Round(Struct, frozen=True, kw_only=True):
    """What a round came to, and what is kept and shown of it."""

    event: CallEvent
    verdict: Verdict
    attempts: tuple[AttemptRecord, ...] = ()


class Door(Struct, frozen=True):
    """An endpoint and the sender that knows the way there."""

    endpoint: Endpoint
    sender: Sender


class _Attempt(Struct, frozen=True):
    """An attempt that is over: its record, and the rest of what its log line says."""

    record: AttemptRecord
    outcome: Outcome
    report: Report
    origin: str


class Rounds:
    """Makes the rounds of one subscription through `doors`, one for each of its endpoints."""

    def __init__(
        self,
        subscription: Subscription,
        *,
        doors: tuple[Door, ...],
        clock: Clock,
        dice: Dice,
        log: structlog.typing.FilteringBoundLogger,
    ) -> None:
        self._subscription = subscription
        self._doors = {door.endpoint.place: door for door in doors}
        self._clock = clock
        self._dice = dice
        self._log = log
        self._viewed_from = tuple(
            entry for entry in subscription.filter.extension if exact_extension(entry) is not None
        )

    def close(self) -> None:
        """Let go of every connection."""
        for door in self._doors.values():
            door.sender.close()

    async def go(self, delivery: Delivery, *, stopping: Callable[[], bool]) -> Round:
        """Make one round; with `stopping` true only the attempt in hand is finished."""
        event = stored(delivery.body)
        now = self._clock.steady()
        if now >= delivery.expires_at:
            return Round(event=event, verdict=Die("expired", ""))
        attempts: list[_Attempt] = []
        for endpoint in self._subscription.endpoints_for(event.event):
            if attempts:
                if stopping():
                    break
                self._tell(event, delivery, attempts[-1], next_at=self._clock.wall())
            number = delivery.attempts + len(attempts) + 1
            attempts.append(await self._attempt(event, delivery, endpoint, number))
            if isinstance(attempts[-1].outcome, Delivered):
                break
        verdict = self._verdict(event, delivery, attempts, cut_short=stopping())
        self._tell(event, delivery, attempts[-1], next_at=self._next_at(verdict))
        return Round(
            event=event,
            verdict=verdict,
            attempts=tuple(attempt.record for attempt in attempts),
        )

    def _verdict(
        self,
        event: CallEvent,
        delivery: Delivery,
        attempts: list[_Attempt],
        *,
        cut_short: bool,
    ) -> Verdict:
        outcome = most_hopeful(attempt.outcome for attempt in attempts)
        now = self._clock.steady()
        untried = len(self._subscription.endpoints_for(event.event)) - len(attempts)
        if cut_short and untried and not isinstance(outcome, Delivered):
            # The round goes on after the restart, from its beginning, and counts for nothing.
            return Postpone(now, delivery.rounds)
        return verdict_of(
            outcome,
            delivery=delivery,
            schedule=self._subscription.schedule_of(event.event),
            now=now,
            dice=self._dice.roll(),
        )

    async def _attempt(
        self, event: CallEvent, delivery: Delivery, endpoint: Endpoint, number: int
    ) -> _Attempt:
        at = self._clock.wall()
        report = await self._send(event, delivery, endpoint, number, at)
        outcome = overridden(report.outcome, self._subscription.responses)
        outcome = narrowed(outcome, endpoint.retried)
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
        return _Attempt(record, outcome, report, endpoint.origin)

    async def _send(
        self, event: CallEvent, delivery: Delivery, endpoint: Endpoint, number: int, at: float
    ) -> Report:
        started_at = trio.current_time()
        try:
            content = render(
                event,
                method=endpoint.method,
                level=endpoint.level,
                vocabulary=self._subscription.vocabulary,
                seq=delivery.seq,
                previous_id=delivery.previous_id,
                viewed_from=self._viewed_from,
            )
            message = Message(
                content=content.content,
                content_type=content.content_type,
                id=event.id or "",
                seq=delivery.seq,
                previous_id=delivery.previous_id,
                attempt=number,
                sent_at=at,
            )
            return await self._doors[endpoint.place].sender.send(message)
        except Exception:  # noqa: BLE001 - the one broad net: a bug in one sender must not stop the others
            self._log.exception(
                "sender.failed", subscription=self._subscription.name, place=endpoint.place
            )
            total_ms = (trio.current_time() - started_at) * 1000
            outcome = Retry(reason="internal_error")
            return Report(outcome=outcome, connect_ms=None, total_ms=total_ms, reused=False)

    def _next_at(self, verdict: Verdict) -> float | None:
        match verdict:
            case Postpone():
                return self._clock.wall() + verdict.due_at - self._clock.steady()
            case Finish() | Die():
                return None

    def _tell(
        self, event: CallEvent, delivery: Delivery, attempt: _Attempt, *, next_at: float | None
    ) -> None:
        """The one canonical line of an attempt."""
        self._log.info(
            "delivery.attempted",
            subscription=self._subscription.name,
            eventId=event.id,
            callId=event.call_id,
            seq=delivery.seq,
            kind=event.event,
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
