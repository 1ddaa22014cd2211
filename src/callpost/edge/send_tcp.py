"""One TCP endpoint's door: one connection kept open, one frame after the other.

A frame is delivered once it is written or, with `ack`, once the peer's own frame accepts it.
After anything but that the connection is closed, for nobody knows where in a frame it stands.
"""

import ssl
from typing import Final, Protocol

import trio
from msgspec import Struct

from callpost.model.delivery import Message, Report
from callpost.model.endpoint import TcpEndpoint, Tls
from callpost.model.framing import BadFrame, FrameReader, enveloped, framed
from callpost.model.limits import ANSWER_MAX_BYTES, Egress
from callpost.model.outcome import Delivered, LocalFault, Outcome, Phase, Refused, Retry

_CHUNK_BYTES: Final = 4 * 1024


class Link(Protocol):
    """A byte stream to the peer; errors are OSError."""

    async def send_all(self, data: bytes) -> None:
        """Hand everything to the kernel."""
        ...

    async def receive_some(self, max_bytes: int) -> bytes:
        """Wait for bytes, b"" once the peer has closed."""
        ...

    def lend(self) -> None:
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
        self, host: str, port: int, *, tls: ssl.SSLContext | None, connect_timeout_s: float
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

    async def send(self, message: Message) -> Report:
        """Make one attempt, within the endpoint's time-outs."""
        frame = framed(self._content(message), self._endpoint.frame)
        async with self._turn:
            attempt = _Attempt(trio.current_time())
            deadline = attempt.started + self._endpoint.timeouts.whole_s
            with trio.CancelScope(deadline=deadline) as scope:
                await self._deliver(frame, attempt, deadline)
        outcome = attempt.outcome
        if scope.cancelled_caught or outcome is None:
            outcome = Retry(reason="timeout", phase=attempt.phase, timed_out=True)
        return Report(
            outcome=outcome,
            connect_ms=attempt.connect_ms,
            total_ms=(trio.current_time() - attempt.started) * 1000,
            reused=attempt.reused,
        )

    def close(self) -> None:
        """Drop the connection, unless a frame is on its way."""
        if not self._turn.locked():
            self._hang_up()

    def _content(self, message: Message) -> bytes:
        if self._endpoint.envelope:
            return enveloped(message, keys=self._endpoint.signing_keys)
        return message.content

    async def _deliver(self, frame: bytes, attempt: "_Attempt", deadline: float) -> None:
        try:
            if self._is_usable():
                attempt.reused = True
                attempt.outcome = await self._exchanged(frame, attempt)
                if not attempt.died_unanswered:
                    return
                # The connection ended with our frame on its way: that says nothing of the
                # endpoint, so a fresh one is tried before anything is charged.
                attempt.reused = False
                self._hang_up()
            attempt.outcome = await self._connect(attempt, deadline)
            if attempt.outcome is None:
                attempt.outcome = await self._exchanged(frame, attempt)
        finally:
            if not isinstance(attempt.outcome, Delivered | Refused) and not attempt.answered:
                self._hang_up()
            elif self._line is not None and self._endpoint.ack:
                self._line.link.lend()

    def _is_usable(self) -> bool:
        """Whether the connection stands; what the peer said unasked is dropped."""
        if self._line is None:
            return False
        link = self._line.link
        if (self._endpoint.ack and self._is_stale(self._line)) or not link.drop_received():
            self._hang_up()
        return self._line is not None

    def _is_stale(self, line: "_Line") -> bool:
        """Whether the connection is too old, or was closed for another that needed its place.

        Where frames are not answered a connection is kept as long as it lasts: events on a
        second one could overtake those that the peer has not read yet from the first.
        """
        now = trio.current_time()
        was_closed = not line.link.wake(now)
        return was_closed or now - line.opened_at >= self._egress.connection_max_age_s

    async def _connect(self, attempt: "_Attempt", deadline: float) -> Outcome | None:
        context = self._tls_context()
        if isinstance(context, Retry | LocalFault):
            return context
        attempt.phase = "connect"
        now = trio.current_time()
        link = await self._dialer.connect(
            self._endpoint.host,
            self._endpoint.port,
            tls=context,
            connect_timeout_s=min(self._endpoint.timeouts.connect_s, deadline - now),
        )
        if isinstance(link, Retry | LocalFault):
            return link
        connected_at = trio.current_time()
        attempt.connect_ms = (connected_at - now) * 1000
        self._line = _Line(link, connected_at)
        return None

    def _tls_context(self) -> ssl.SSLContext | Retry | LocalFault | None:
        if self._endpoint.tls is None:
            return None
        if self._context is None:
            context = self._dialer.tls_context(self._endpoint.tls)
            if isinstance(context, Retry | LocalFault):
                return context
            self._context = context
        return self._context

    async def _exchanged(self, frame: bytes, attempt: "_Attempt") -> Outcome:
        if self._line is None:
            return Retry(reason="closed", phase="connect")
        link = self._line.link
        attempt.phase = "write"
        try:
            await link.send_all(frame)
            if not self._endpoint.ack:
                return Delivered("written")
            attempt.phase = "first-byte"
            with trio.move_on_after(self._endpoint.timeouts.first_byte_s):
                return await self._acknowledged(link, attempt)
        except OSError as error:
            return Retry(reason=link.reason_of(error), phase=attempt.phase)
        return Retry(reason="timeout_first_byte", phase=attempt.phase, timed_out=True)

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
                attempt.answered = True
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
    """One attempt under way; `answered` says that the peer's whole frame has come."""

    __slots__ = ("answered", "connect_ms", "outcome", "phase", "reused", "started")

    def __init__(self, started: float) -> None:
        self.started = started
        self.phase: Phase = "write"
        self.connect_ms: float | None = None
        self.outcome: Outcome | None = None
        self.reused = False
        self.answered = False

    @property
    def died_unanswered(self) -> bool:
        """Whether the connection ended, by itself, before any byte of an answer came."""
        outcome = self.outcome
        if self.answered or not isinstance(outcome, Retry):
            return False
        return not outcome.timed_out and outcome.phase != "read"
