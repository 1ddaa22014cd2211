"""One connected socket, plain or TLS, for one task at a time.

The socket never blocks, and no wait outlasts the deadline. Whoever has the link closes it; after
an error or a cancelled call nothing but `close` makes sense. Errors are OSError, and `reason_of`
says what they mean.
"""

import select
import socket
import ssl
from contextlib import suppress
from math import inf
from typing import Final

import trio

from callpost.edge.dial.fault import reason_of
from callpost.edge.dial.places import Place
from callpost.edge.dial.watch import Watch

# What is dropped unread at once; a peer that sends more without pause does not hold the loop.
_DROPPED_MAX_BYTES: Final = 1024 * 1024
_DROPPED_CHUNK_BYTES: Final = 64 * 1024
# Where others wait for a place: a link that has work keeps its own for so long, because to open
# one costs as much as five exchanges; one that has none loses it after the pause.
_TURN_S: Final = 0.05
_PAUSE_S: Final = 0.001


class Link:
    """A byte stream to a peer.

    `expired` says that the deadline has passed while the link was in use; `idle_since` is when
    it came to rest, None while it is in use. Times are trio's.
    """

    __slots__ = (
        "_fd",
        "_keepalive_s",
        "_news",
        "_place",
        "_socket",
        "_tls",
        "_turn_ends_at",
        "_watch",
        "alarm_at",
        "deadline",
        "expired",
        "idle_since",
    )

    def __init__(
        self, sock: socket.socket, place: Place, *, watch: Watch, keepalive_s: float
    ) -> None:
        self._socket = sock
        self._tls = sock if isinstance(sock, ssl.SSLSocket) else None
        self._fd = sock.fileno()
        # A look at one socket: 0.25 us where nothing has come, against 0.7 for a recv that
        # raises BlockingIOError.
        self._news = select.poll()
        self._news.register(self._fd, select.POLLIN)
        self._watch = watch
        self._keepalive_s = keepalive_s
        self.deadline = inf
        self.alarm_at = inf
        self.expired = False
        self.idle_since: float | None = None
        self._turn_ends_at = trio.current_time() + _TURN_S
        self._place = place
        place.keep(self)

    @property
    def peer_address(self) -> str:
        """The address that was dialled."""
        return str(self._socket.getpeername()[0])

    @property
    def tls_version(self) -> str:
        """`TLSv1.3` and so on, "" without TLS."""
        return "" if self._tls is None else self._tls.version() or ""

    def set_deadline(self, when: float) -> None:
        """From `when` on, waits end in TimeoutError."""
        self.deadline = when
        if when < self.alarm_at:
            self._watch.call(self, when)

    async def send_all(self, data: bytes) -> None:
        """Hand everything to the kernel; waits only where its buffer is full."""
        rest: bytes | memoryview = data
        while True:
            try:
                sent = self._socket.send(rest)
            except ssl.SSLWantReadError:
                await self._readable()
            except (BlockingIOError, ssl.SSLWantWriteError):
                await self._writable()
            else:
                if sent == len(rest):
                    return
                rest = memoryview(rest)[sent:]

    async def receive_some(self, max_bytes: int) -> bytes:
        """Wait for bytes and return at most `max_bytes` of them, b"" once the peer has closed."""
        if self._tls is not None:
            return await self._receive_tls(self._tls, max_bytes)
        while True:
            # An answer is hardly ever there at once, so the wait comes before the try.
            await self._readable()
            try:
                return self._socket.recv(max_bytes)
            except BlockingIOError:
                continue

    def rest(self, now: float) -> None:
        """Nothing is to be sent for now; the link may be closed behind our back."""
        self._lie_idle(now, until=now + self._keepalive_s)

    def lend(self, now: float) -> None:
        """Like `rest`, but it is closed only for another link to the same peer."""
        self._lie_idle(now, until=inf)

    def wake(self, now: float) -> bool:
        """Use it again after `rest` or `lend`; False where it has been closed or is stale."""
        is_fit = self.idle_since is not None and now < self.deadline
        self.idle_since = None
        self.deadline = inf
        return is_fit

    def expire(self) -> None:
        """The deadline has passed: close it where it rests, wake whoever waits."""
        if self.idle_since is not None:
            self.close()
        else:
            self.expired = True
            trio.lowlevel.notify_closing(self._fd)

    def peer_is_idle(self) -> bool:
        """Whether the connection is open and the peer has sent nothing: fit to be used again.

        Under TLS a byte that is there is lost, but then the link is not used again.
        """
        if self._is_quiet():
            return True
        if self._tls is None:
            return False
        # What came may be TLS's own, such as a session ticket.
        try:
            self._tls.recv(1)
        except ssl.SSLWantReadError:
            return True
        except OSError:
            return False
        return False

    def drop_received(self) -> bool:
        """Throw away what the peer has sent; False once it has closed."""
        if self._is_quiet():
            return True
        dropped = 0
        try:
            while dropped < _DROPPED_MAX_BYTES:
                data = self._socket.recv(_DROPPED_CHUNK_BYTES)
                if not data:
                    return False
                dropped += len(data)
        except (BlockingIOError, ssl.SSLWantReadError):
            return True
        except OSError:
            return False
        return True

    def reason_of(self, error: OSError) -> str:
        """A short word for what `send_all` or `receive_some` raised."""
        return reason_of(error)

    def close(self) -> None:
        """Close the connection without waiting; a TLS peer is told so where that can be."""
        self.deadline = inf
        self.idle_since = None
        if self._tls is not None:
            with suppress(OSError, ValueError):
                self._tls.unwrap()
        self._socket.close()
        self._fd = -1  # another socket may get the number
        self._place.free()

    def _lie_idle(self, now: float, *, until: float) -> None:
        rests_s = self._place.rests_s
        if self.expired or (not rests_s and now >= self._turn_ends_at):
            self.close()
        else:
            self.idle_since = now
            self.set_deadline(min(until, now + max(_PAUSE_S, rests_s)))

    def _is_quiet(self) -> bool:
        """Whether nothing has come, not even an end."""
        return not self._news.poll(0) and (self._tls is None or not self._tls.pending())

    async def _receive_tls(self, tls: ssl.SSLSocket, max_bytes: int) -> bytes:
        # What OpenSSL has decrypted already (the rest of one record) makes no socket readable.
        # Where there is nothing of it the wait comes before the try, which would raise.
        if not tls.pending():
            await self._readable()
        while True:
            try:
                return tls.recv(max_bytes)
            except ssl.SSLWantReadError:
                await self._readable()
            except ssl.SSLWantWriteError:
                await self._writable()

    async def _readable(self) -> None:
        if self.expired:
            raise TimeoutError
        try:
            await trio.lowlevel.wait_readable(self._fd)
        except trio.ClosedResourceError:
            raise TimeoutError from None

    async def _writable(self) -> None:
        if self.expired:
            raise TimeoutError
        try:
            await trio.lowlevel.wait_writable(self._fd)
        except trio.ClosedResourceError:
            raise TimeoutError from None
