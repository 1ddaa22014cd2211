"""One HTTP/1.1 connection: a request goes out, an answer or a failure comes back.

Bytes in, status, headers and at most 16 KiB out. Nothing here raises for what a peer does, and
a connection that is not `reusable` after an exchange is closed already.
"""

from typing import Protocol

from msgspec import Struct

from callpost.edge.http1.parse import AnswerParser
from callpost.model.outcome import Phase

# As much as answers usually need; more is read in further turns.
_CHUNK_BYTES = 16 * 1024


class Link(Protocol):
    """The byte stream underneath; errors are OSError, `expired` that the deadline has passed."""

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

    def rest(self, now: float) -> None:
        """Nothing is to be sent for now."""
        ...

    def wake(self, now: float) -> bool:
        """Use it again after `rest`; False where it has been closed or is stale."""
        ...

    def peer_is_idle(self) -> bool:
        """Whether the connection is open and nothing has come."""
        ...

    def reason_of(self, error: OSError) -> str:
        """A short word for an error of the above."""
        ...

    def close(self) -> None:
        """Close it without waiting."""
        ...


class Answer(Struct, frozen=True):
    """What the peer said; header names are in lower case, only those that are read are here."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    reusable: bool

    def header(self, name: bytes) -> str:
        """The first value of a header, "" where there is none."""
        for known, value in self.headers:
            if known == name:
                return value.decode("latin-1")
        return ""


class ExchangeFailure(Struct, frozen=True, kw_only=True):
    """No answer; `received` says whether any byte of one came."""

    reason: str
    phase: Phase
    timed_out: bool = False
    received: bool = False


class Connection:
    """A connection that carries one exchange at a time; `opened_at` is trio's time."""

    __slots__ = ("_link", "_parser", "_phase", "_reason", "opened_at")

    def __init__(self, link: Link, *, opened_at: float) -> None:
        self._link = link
        self._parser = AnswerParser()
        self._phase: Phase = "write"
        self._reason = ""
        self.opened_at = opened_at

    async def exchange(
        self, request: bytes, *, first_byte_by: float, deadline: float
    ) -> Answer | ExchangeFailure:
        """Send `request` (head and body) and read the answer, all by `deadline`.

        It must be sent, and the first byte of the answer here, by `first_byte_by`. Both are in
        trio's time.
        """
        parser = self._parser
        parser.begin()
        self._link.set_deadline(min(first_byte_by, deadline))
        try:
            was_sent = await self._converse(request, deadline)
        except BaseException:
            self.close()
            raise
        reusable = parser.reusable and was_sent
        if not reusable:
            self.close()
        if parser.headed:
            return Answer(parser.status, tuple(parser.headers), parser.body, reusable)
        if self._link.expired and not parser.error:
            return self._timed_out(short=first_byte_by < deadline)
        return self._failure()

    def rest(self, now: float) -> None:
        """No other exchange for now; the connection may be closed behind our back."""
        self._link.rest(now)

    def wake(self, now: float) -> bool:
        """Whether another exchange may use it after `rest`."""
        return self._link.wake(now) and self._link.peer_is_idle()

    def close(self) -> None:
        """Close it without waiting."""
        self._link.close()

    async def _converse(self, request: bytes, deadline: float) -> bool:
        """Send, and read until there is nothing more to read; returns whether all was sent."""
        link, parser = self._link, self._parser
        self._phase = "write"
        self._reason = "closed"
        was_sent = False
        try:
            await link.send_all(request)
            was_sent = True
            self._phase = "first-byte"
        except OSError as error:
            # A peer may answer (413, say) and close before it has read everything: read on.
            self._reason = link.reason_of(error)
        try:
            while data := await link.receive_some(_CHUNK_BYTES):
                parser.feed(data)
                if parser.done:
                    break
                if parser.received:
                    self._phase = "read"
                    link.set_deadline(deadline)
        except OSError as error:
            if self._phase != "write":
                self._reason = link.reason_of(error)
        return was_sent

    def _failure(self) -> ExchangeFailure:
        if self._parser.error:
            reason = f"protocol:{self._parser.error}"
            return ExchangeFailure(reason=reason, phase="read", received=True)
        return ExchangeFailure(
            reason=self._reason, phase=self._phase, received=self._parser.received
        )

    def _timed_out(self, *, short: bool) -> ExchangeFailure:
        """A time-out; `short` says that the first byte's ends before the whole one."""
        reason = "timeout"
        if short and not self._parser.received:
            reason = "timeout_write" if self._phase == "write" else "timeout_first_byte"
        return ExchangeFailure(
            reason=reason, phase=self._phase, timed_out=True, received=self._parser.received
        )
