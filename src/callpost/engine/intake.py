"""Lines become events on disk: decode, stamp, route, append, ring, reply.

A reply goes out only after the commit that holds its event; of a refused line nothing is kept.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, Literal, assert_never

import msgspec
import structlog
from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from callpost.engine.answers import Answers
from callpost.engine.directions import Directions
from callpost.engine.ports import Clock, Dice, Spool, Witness
from callpost.model.decode import decode
from callpost.model.delivery import (
    Accepted,
    Arrival,
    Match,
    NotAccepted,
    Receipt,
    SpoolUnreadable,
)
from callpost.model.event import CallEvent, encode, stamped, with_answered, without_digits
from callpost.model.forward import Forwards
from callpost.model.instant import utc_text
from callpost.model.limits import Intake as IntakeLimits
from callpost.model.malformed import MalformedEvent
from callpost.model.routing import Router
from callpost.model.silence import SilentCall, hangup_of
from callpost.model.tenancy import Registry

# Refusals of one kind are logged at the first and then once in this time, with their count: a
# broken producer must not fill the journal.
_QUIET_S: Final = 10.0
_KINDS_REMEMBERED: Final = 1_000

_RefusalCode = Literal["invalid", "too_large", "spool_full", "spool_error", "stopping"]


class _Ok(Struct, gc=False):
    ok: bool
    id: str
    number: int
    matched: int
    duplicate: bool | UnsetType = UNSET


class _Refusal(Struct, gc=False):
    ok: bool
    error: _RefusalCode
    message: str
    path: str | UnsetType = UNSET


_Line = Arrival | _Refusal
_ENCODER: Final = msgspec.json.Encoder()


class Intake:
    """The producers' side of the engine; `ring` gets the numbers of the subscriptions concerned."""

    def __init__(  # noqa: PLR0913 - nearly each is another port
        self,
        *,
        router: Router,
        forwards: Forwards | None = None,
        spool: Spool,
        ring: Callable[[Iterable[int]], None],
        clock: Clock,
        dice: Dice,
        limits: IntakeLimits,
        drops_digits: bool = False,
        witness: Witness,
        registry: Registry,
        log: structlog.typing.FilteringBoundLogger,
    ) -> None:
        self._router = router
        self._forwards = forwards
        self._spool = spool
        self._ring = ring
        self._clock = clock
        self._dice = dice
        self._limits = limits
        self._drops_digits = drops_digits
        self._witness = witness
        self._registry = registry
        # Out of the lazy wrapping that it may come in, a line below its level costs 0.1 us, not
        # 0.6, and there is one for each event.
        self._log = log.bind()
        self._answers = Answers(spool)
        self._directions = Directions(spool)
        self._refusals: dict[tuple[str, str], tuple[float, int]] = {}
        self._closed = False

    @property
    def max_event_bytes(self) -> int:
        """How long a line may be; for a longer one None is handed over."""
        return self._limits.max_event_bytes

    def obey(
        self,
        router: Router,
        limits: IntakeLimits,
        registry: Registry,
        *,
        forwards: Forwards | None = None,
        drops_digits: bool = False,
    ) -> None:
        """Take in by these from the next line on; what is on its way to the disk goes there."""
        self._router = router
        self._forwards = forwards
        self._limits = limits
        self._drops_digits = drops_digits
        self._registry = registry

    def close(self) -> None:
        """Refuse from now on, because the daemon is stopping."""
        self._closed = True

    async def accept(self, lines: Sequence[bytes | None]) -> list[bytes]:
        """Take in event lines; one reply line each, in order, once everything is on disk.

        None stands for a line that was longer than `max_event_bytes`.
        """
        accepted_at = self._clock.steady()
        time = utc_text(self._clock.wall())
        read = [self._read(line, accepted_at, time) for line in lines]
        arrivals = [line for line in read if isinstance(line, Arrival)]
        receipts = iter(await self._spool.append(arrivals) if arrivals else ())
        wanting: set[int] = set()
        replies = [_reply(line, receipts, wanting) for line in read]
        if wanting:
            self._ring(wanting)
        self._count(replies)
        return [self._told(reply) for reply in replies]

    async def end_call(self, call: SilentCall) -> bool:
        """Accept the hangup that a call is missing; says whether the call is done with."""
        if self._closed:
            return False
        if self._spool.is_purged(call.number):
            return True
        try:
            arrival = self._end_of(call)
        except SpoolUnreadable:
            return False
        except msgspec.DecodeError:
            # The disk has spoilt what is known of the call.
            return True
        [receipt] = await self._spool.append([arrival])
        if isinstance(receipt, NotAccepted):
            return False
        self._ring(match.subscription for match in arrival.matches)
        self._log.info(
            "call.ended",
            callId=arrival.call_id,
            customer=call.customer,
            source=call.source,
            eventId=arrival.id,
            matched=receipt.matched,
        )
        return True

    def _end_of(self, call: SilentCall) -> Arrival:
        """The missing hangup, in the scope of its call whatever its own source says."""
        hangup = hangup_of(call, time=utc_text(self._clock.wall()), answered=False)
        answered = self._spool.was_answered(
            customer=call.customer, source=call.source, call_id=hangup.call_id
        )
        if answered:
            hangup = with_answered(hangup, answered=True)
        arrival = self._arrival(hangup, self._clock.steady())
        return replace(arrival, customer=call.customer, source=call.source)

    def _read(self, line: bytes | None, accepted_at: float, time: str) -> _Line:
        if self._closed:
            return _Refusal(ok=False, error="stopping", message="The daemon is stopping.")
        if line is None:
            return _Refusal(
                ok=False,
                error="too_large",
                message=f"The event is larger than {self._limits.max_event_bytes:,} bytes.",
            )
        try:
            event = decode(line, unknown_fields=self._limits.unknown_fields)
        except MalformedEvent as fault:
            return _Refusal(ok=False, error="invalid", message=fault.message, path=fault.path)
        if (stranger := self._registry.fault(event.customer)) is not None:
            return _Refusal(ok=False, error="invalid", message=stranger, path="$.customer")
        event = stamped(event, id=event.id or self._dice.event_id(), time=event.time or time)
        try:
            event = self._directions.complete(self._answers.complete(event))
            return self._arrival(event, accepted_at)
        except SpoolUnreadable as fault:
            return _Refusal(ok=False, error="spool_error", message=str(fault))

    def _arrival(self, event: CallEvent, accepted_at: float) -> Arrival:
        also: tuple[CallEvent, ...] = ()
        if self._forwards is not None and (found := self._forwards.forwarded(event)) is not None:
            event, also = found.event, found.also
        return Arrival(
            id=event.id or "",
            call_id=event.call_id,
            customer=event.customer or "",
            source=event.source or "",
            accepted_at=accepted_at,
            body=encode(without_digits(event) if self._drops_digits else event),
            matches=self._matches(event, also, accepted_at),
        )

    def _matches(
        self, event: CallEvent, also: Sequence[CallEvent], accepted_at: float
    ) -> tuple[Match, ...]:
        """Who wants the event as it is, or as one of those that it counts as besides."""
        wanted = self._router.wanted_by(event)
        if also:
            found = dict(wanted)
            for other in also:
                found.update(self._router.wanted_by(other))
            wanted = tuple(sorted(found.items()))
        if not wanted:
            return ()
        kind = event.event
        return tuple(
            [
                Match(number, accepted_at + one.schedule_of(kind).max_age_s[kind])
                for number, one in wanted
            ]
        )

    def _count(self, replies: Sequence[_Ok | _Refusal]) -> None:
        """Tell the witness, of what is on disk once for all lines together."""
        accepted = duplicates = 0
        for reply in replies:
            if isinstance(reply, _Refusal):
                self._witness.refused(reply.error)
            elif reply.duplicate is True:
                duplicates += 1
            else:
                accepted += 1
        if accepted or duplicates:
            self._witness.accepted(accepted, duplicates=duplicates)

    def _told(self, reply: _Ok | _Refusal) -> bytes:
        """The reply as a line, logged."""
        if isinstance(reply, _Ok):
            self._log.debug("intake.accepted", eventId=reply.id, matched=reply.matched)
        else:
            self._tell_refusal(reply)
        return _ENCODER.encode(reply) + b"\n"

    def _tell_refusal(self, reply: _Refusal) -> None:
        path = reply.path if isinstance(reply.path, str) else ""
        now = self._clock.steady()
        told_at, untold = self._refusals.get((reply.error, path), (float("-inf"), 0))
        if now - told_at < _QUIET_S:
            self._refusals[reply.error, path] = (told_at, untold + 1)
            return
        if len(self._refusals) >= _KINDS_REMEMBERED:
            self._refusals.clear()
        self._refusals[reply.error, path] = (now, 0)
        self._log.warning(
            "intake.refused",
            error=reply.error,
            message=reply.message,
            path=path,
            refusedSince=untold,
        )


def _reply(line: _Line, receipts: Iterator[Receipt], wanting: set[int]) -> _Ok | _Refusal:
    """The answer to one line; adds to `wanting` the subscriptions that have something new."""
    if isinstance(line, _Refusal):
        return line
    match next(receipts):
        case Accepted() as receipt:
            if receipt.duplicate:
                return _Ok(True, line.id, receipt.number, receipt.matched, True)
            for match in line.matches:
                wanting.add(match.subscription)
            return _Ok(True, line.id, receipt.number, receipt.matched)
        case NotAccepted() as receipt:
            return _Refusal(ok=False, error=receipt.error, message=receipt.message)
        case _ as unreachable:
            assert_never(unreachable)
