"""One attempt: a delivery's content, through one door, to what came of it.

Whatever a sender does, even a bug of its own, becomes an outcome and stays with this
subscription; that it is out is noted on its carrier, so that it can be missed.
"""

from typing import Final

import trio
from msgspec import Struct

from callpost.engine.bench import Carrier
from callpost.engine.gate import Gate
from callpost.engine.ports import Sender
from callpost.engine.world import World
from callpost.model.delivery import AttemptRecord, Delivery, Message, Report
from callpost.model.endpoint import Endpoint, TcpEndpoint
from callpost.model.flow import seen_by
from callpost.model.formats import Content, content_of
from callpost.model.letter import Letter
from callpost.model.outcome import (
    Delivered,
    Gone,
    LocalFault,
    Outcome,
    Refused,
    Rejected,
    Retry,
    narrowed,
    overridden,
)
from callpost.model.progress import ATTEMPT_GRACE_S, STUCK, Out
from callpost.model.report import StoredReport, report_content
from callpost.model.subscription import Subscription
from callpost.model.tailor import tailor_of

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


class Door(Struct, frozen=True):
    """An endpoint, the sender that knows the way there, and what may be shown of the address."""

    endpoint: Endpoint
    sender: Sender
    origin: str


class Attempts:
    """Makes the attempts of one subscription; the gate learns of each."""

    def __init__(self, subscription: Subscription, *, gate: Gate, world: World) -> None:
        self._subscription = subscription
        self._gate = gate
        self._clock = world.clock
        self._log = world.log
        self._name = subscription.name
        self._tailor = tailor_of(subscription, world.numbers)
        self._overdue_after_s = {
            endpoint.place: _longest_s(endpoint, subscription) + ATTEMPT_GRACE_S
            for route in subscription.routes
            for endpoint in route
        }

    async def make(
        self, letter: Letter, delivery: Delivery, door: Door, nth: int, now: float, carrier: Carrier
    ) -> Attempt:
        """Make the delivery's `nth` attempt, begun at `now`, by this carrier."""
        at = self._clock.wall()
        place = door.endpoint.place
        is_probe = self._gate.begin(place)
        carrier.out = Out(letter.id, place, door.origin, now, now + self._overdue_after_s[place])
        try:
            message = self._message(letter, delivery, door.endpoint, nth, at)
            report = await door.sender.send(message)
        except BaseException as fault:
            # The one broad net: a bug in one sender must not stop the others.
            if not isinstance(fault, Exception) and not _is_taken_back(fault, carrier):
                self._gate.abandon(place, is_probe=is_probe)
                self._tell_cut_short(letter, door, nth)
                raise
            report = self._failed(fault, place, at)
        finally:
            carrier.out = None
        outcome = report.outcome
        if outcome is STUCK:
            # Nobody has answered that could be read in one way or another.
            self._gate.give_up(place, is_probe=is_probe)
        else:
            responses = self._subscription.responses
            outcome = narrowed(overridden(outcome, responses), door.endpoint.retried)
            self._gate.end(place, outcome, is_probe=is_probe)
        record = AttemptRecord(
            number=delivery.number,
            attempt=nth,
            at=at,
            place=place,
            outcome=_WORDS[type(outcome)],
            reason=outcome.reason,
            http_status=outcome.http_status,
            total_ms=report.total_ms,
        )
        return Attempt(record, outcome, report, door.origin)

    def _failed(self, fault: BaseException, place: str, at: float) -> Report:
        """The report of a sender that made none."""
        outcome = STUCK
        if isinstance(fault, Exception):
            self._log.error("sender.failed", subscription=self._name, place=place, exc_info=fault)
            outcome = Retry(reason="internal_error")
        total_ms = (self._clock.wall() - at) * 1000
        return Report(outcome=outcome, connect_ms=None, total_ms=total_ms, reused=False)

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
        body = delivery.body if self._tailor is None else self._tailor(delivery.body)
        return content_of(
            body,
            method=endpoint.method,
            level=endpoint.level,
            vocabulary=self._subscription.vocabulary,
            seq=delivery.seq,
            previous_id=delivery.previous_id,
            seen=seen_by(self._subscription, delivery.body),
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


def _is_taken_back(fault: BaseException, carrier: Carrier) -> bool:
    """The attempt was cancelled because it did not come back; a nursery makes a group of that."""
    if not carrier.is_given_up:
        return False
    if isinstance(fault, BaseExceptionGroup):
        return fault.subgroup(trio.Cancelled) is not None
    return isinstance(fault, trio.Cancelled)


def _longest_s(endpoint: Endpoint, subscription: Subscription) -> float:
    """How long an attempt may be out, the whole line before it included.

    On one TCP connection frames go one after the other, each with time-outs of its own; whoever
    falls back to it may stand in line.
    """
    stands_in_line = isinstance(endpoint, TcpEndpoint) and all(
        endpoint is not route[0] for route in subscription.routes
    )
    return endpoint.timeouts.whole_s * (subscription.concurrency if stands_in_line else 1)
