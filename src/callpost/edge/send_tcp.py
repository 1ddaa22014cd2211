"""One TCP endpoint's door: one connection kept open, one frame after the other.

A frame is delivered once it is written or, with `ack`, once the peer's own frame accepts it.
After anything but that the connection is closed, for nobody knows where in a frame it stands.
"""

import ssl
from math import inf
from typing import Final, Protocol

import trio
from msgspec import Struct

from callpost.model.delivery import Message, Report
from callpost.model.endpoint import TcpEndpoint, Tls
from callpost.model.framing import BadFrame, FrameReader, enveloped, framed
from callpost.model.limits import ANSWER_MAX_BYTES, Egress
from callpost.model.outcome import Delivered, LocalFault, Outcome, Phase, Refused, Retry

_CHUNK_BYTES: Final = 4 * 1024
# Where the kernel takes every frame at once and nothing is answered, nothing would ever wait; to
# let the others have their turn at every frame would cost 3 us each.
_FRAMES_A_TURN: Final = 16


class Link(Protocol):
    """A byte stream to the peer; errors are OSError, `expired` that the deadline has passed."""

    expired: bool

    def set_deadline(self, when: float) -> None:
        """From `when` on, waits end in TimeoutError."""
        ...

    async def send_all(self, data: bytes) -> None:
        """Hand everything to the kernel."""
        ...

    async def receive_some(self, max_bytes: int) -> bytes:
        """Wait for bytes, b"" once the peer has closed."""
        ...

    def lend(self, now: float) -> None:
        """Nothing is to be sent for now; others may take its place."""
        ...

    def wake(self, now: float) -> bool:
        """Use it again after `lend`; False where it has been closed."""
        ...

    def drop_received(self) -> bool:
        """Throw away what the peer has sent; False once it has closed."""
        ...

    def reason_of(self, error: OSError) -> str:
        """A short word for an error of the above."""
        ...

    def close(self) -> None:
        """Close it without waiting."""
        ...


class Dialer(Protocol):
    """What connects."""

    async def connect(
        self,
        host: str,
        port: int,
        *,
        tls: ssl.SSLContext | None,
        connect_timeout_s: float,
        strict: bool,
    ) -> Link | Retry | LocalFault:
        """A link, or why there is none."""
        ...

    def tls_context(self, tls: Tls) -> ssl.SSLContext | Retry | LocalFault:
        """A context, or which file could not be read."""
        ...


class TcpSender:
    """Sends to one TCP endpoint, one frame after the other.

    An attempt begins, and its time-outs run, when those before it have ended: nobody is charged
    for standing in line behind a slow answer.
    """

    def __init__(self, endpoint: TcpEndpoint, *, dialer: Dialer, egress: Egress) -> None:
        self._endpoint = endpoint
        self._dialer = dialer
        self._egress = egress
        self._turn = trio.Lock()
        self._line: _Line | None = None
        self._context: ssl.SSLContext | None = None
        self._frames = 0

    async def send(self, message: Message) -> Report:
        """Make one attempt, within the endpoint's time-outs."""
        frame = framed(self._content(message), self._endpoint.frame)
        self._frames += 1
        if self._frames % _FRAMES_A_TURN == 0:
            await trio.lowlevel.checkpoint()
        # As `async with`, but that a lock which is free costs 0.7 us instead of 5.
        if self._turn.locked():
            await self._turn.acquire()
        else:
            self._turn.acquire_nowait()
        try:
            attempt = _Attempt(trio.current_time(), self._endpoint.timeouts.whole_s)
            outcome = await self._delivered(frame, attempt)
        finally:
            self._turn.release()
        return Report(
            outcome=outcome,
            connect_ms=attempt.connect_ms,
            total_ms=(attempt.ended - attempt.started) * 1000,
            reused=attempt.reused,
            answer=attempt.answer or b"",
        )

    def headers(self, message: Message) -> tuple[tuple[str, str], ...]:  # noqa: ARG002 - the port's
        """See ports.Sender: a frame has none."""
        return ()

    def close(self) -> None:
        """Drop the connection, unless a frame is on its way."""
        if not self._turn.locked():
            self._hang_up()

    def _content(self, message: Message) -> bytes:
        if self._endpoint.envelope:
            return enveloped(message, keys=self._endpoint.signing_keys)
        return message.content

    async def _delivered(self, frame: bytes, attempt: "_Attempt") -> Outcome:
        """How it ended; the connection is kept only where it stands at the end of a frame."""
        try:
            outcome = await self._attempted(frame, attempt)
        except BaseException:
            self._hang_up()
            raise
        attempt.ended = trio.current_time()
        if self._line is not None:
            link = self._line.link
            ended_well = attempt.answer is not None or isinstance(outcome, Delivered)
            if not ended_well or link.expired:
                self._hang_up()
            elif self._endpoint.ack:
                link.lend(attempt.ended)
            else:
                link.set_deadline(inf)
        return outcome

    async def _attempted(self, frame: bytes, attempt: "_Attempt") -> Outcome:
        if (line := self._usable_line(attempt.started)) is not None:
            attempt.reused = True
            outcome = await self._exchanged(frame, line.link, attempt)
            if not attempt.died_unanswered(outcome):
                return outcome
            # The connection ended with our frame on its way: that says nothing of the
            # endpoint, so a fresh one is tried before anything is charged.
            attempt.reused = False
            self._hang_up()
        link = await self._connected(attempt)
        if isinstance(link, Retry | LocalFault):
            return link
        return await self._exchanged(frame, link, attempt)

    def _usable_line(self, now: float) -> "_Line | None":
        """The connection, if it stands; what the peer said unasked is dropped."""
        if self._line is not None:
            is_stale = self._endpoint.ack and self._is_stale(self._line, now)
            if is_stale or not self._line.link.drop_received():
                self._hang_up()
        return self._line

    def _is_stale(self, line: "_Line", now: float) -> bool:
        """Whether the connection is too old, or was closed for another that needed its place.

        Where frames are not answered a connection is kept as long as it lasts: events on a
        second one could overtake those that the peer has not read yet from the first.
        """
        was_closed = not line.link.wake(now)
        return was_closed or now - line.opened_at >= self._egress.connection_max_age_s

    async def _connected(self, attempt: "_Attempt") -> Link | Retry | LocalFault:
        context = self._tls_context()
        if isinstance(context, Retry | LocalFault):
            return context
        attempt.phase = "connect"
        now = trio.current_time()
        link = await self._dialer.connect(
            self._endpoint.host,
            self._endpoint.port,
            tls=context,
            connect_timeout_s=min(self._endpoint.timeouts.connect_s, attempt.deadline - now),
            strict=self._endpoint.strict,
        )
        if isinstance(link, Retry | LocalFault):
            return link
        connected_at = trio.current_time()
        attempt.connect_ms = (connected_at - now) * 1000
        self._line = _Line(link, connected_at)
        return link

    def _tls_context(self) -> ssl.SSLContext | Retry | LocalFault | None:
        if self._endpoint.tls is None:
            return None
        if self._context is None:
            context = self._dialer.tls_context(self._endpoint.tls)
            if isinstance(context, Retry | LocalFault):
                return context
            self._context = context
        return self._context

    async def _exchanged(self, frame: bytes, link: Link, attempt: "_Attempt") -> Outcome:
        attempt.phase = "write"
        link.set_deadline(attempt.deadline)
        late = "timeout"
        try:
            await link.send_all(frame)
            if not self._endpoint.ack:
                return _WRITTEN
            attempt.phase = "first-byte"
            answer_by = trio.current_time() + self._endpoint.timeouts.first_byte_s
            if answer_by < attempt.deadline:
                late = "timeout_first_byte"
                link.set_deadline(answer_by)
            return await self._acknowledged(link, attempt)
        except OSError as error:
            if link.expired:
                return Retry(reason=late, phase=attempt.phase, timed_out=True)
            return Retry(reason=link.reason_of(error), phase=attempt.phase)

    async def _acknowledged(self, link: Link, attempt: "_Attempt") -> Outcome:
        reader = FrameReader(self._endpoint.frame, max_bytes=ANSWER_MAX_BYTES)
        while True:
            data = await link.receive_some(_CHUNK_BYTES)
            if not data:
                return Retry(reason="closed", phase=attempt.phase)
            attempt.phase = "read"
            reader.feed(data)
            try:
                answer = reader.next_frame()
            except BadFrame as fault:
                return Retry(reason=f"protocol:{fault}", phase="read")
            if answer is not None:
                attempt.answer = answer
                return _verdict(answer)

    def _hang_up(self) -> None:
        if self._line is not None:
            self._line.link.close()
            self._line = None


def _verdict(answer: bytes) -> Outcome:
    if answer.startswith((b"OK", b"2")):
        return Delivered("acknowledged")
    if answer.startswith(b"5"):
        return Retry(reason="ack_5xx")
    return Refused("ack_refused")


class _Line(Struct, frozen=True):
    link: Link
    opened_at: float


class _Attempt:
    """One attempt under way; `answer` is the peer's frame, None until the whole of it has come."""

    __slots__ = ("answer", "connect_ms", "deadline", "ended", "phase", "reused", "started")

    def __init__(self, started: float, whole_s: float) -> None:
        self.started = started
        self.ended = started
        self.deadline = started + whole_s
        self.phase: Phase = "write"
        self.connect_ms: float | None = None
        self.reused = False
        self.answer: bytes | None = None

    def died_unanswered(self, outcome: Outcome) -> bool:
        """Whether the connection ended, by itself, before any byte of an answer came."""
        if self.answer is not None or not isinstance(outcome, Retry):
            return False
        return not outcome.timed_out and outcome.phase != "read"


_WRITTEN: Final = Delivered("written")
