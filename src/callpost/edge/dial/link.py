"""One connected socket, plain or TLS, for one task at a time.

The socket never blocks. Whoever has the link closes it; after an error or a cancelled call
nothing but `close` makes sense. Errors are OSError, and `reason_of` says what they mean.
"""

import socket
import ssl
from contextlib import suppress
from typing import Final

import trio

from callpost.edge.dial.fault import reason_of
from callpost.edge.dial.places import Place

# What is dropped unread at once; a peer that sends more without pause does not hold the loop.
_DROPPED_MAX_BYTES: Final = 1024 * 1024
_DROPPED_CHUNK_BYTES: Final = 64 * 1024


class Link:
    """A byte stream to a peer."""

    def __init__(self, sock: socket.socket, place: Place) -> None:
        self._socket = sock
        self._place = place
        self._tls = isinstance(sock, ssl.SSLSocket)

    async def send_all(self, data: bytes) -> None:
        """Hand everything to the kernel; waits only where its buffer is full."""
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[self._socket.send(rest) :]
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError) as wanted:
                await self._wait(wanted)
            except BlockingIOError:
                await trio.lowlevel.wait_writable(self._socket)

    async def receive_some(self, max_bytes: int) -> bytes:
        """Wait for bytes and return at most `max_bytes` of them, b"" once the peer has closed."""
        if self._tls:
            return await self._receive_tls(max_bytes)
        while True:
            # An answer is hardly ever there at once, so the wait comes before the try.
            await trio.lowlevel.wait_readable(self._socket)
            try:
                return self._socket.recv(max_bytes)
            except BlockingIOError:
                continue

    def rest(self, now: float) -> None:
        """Nothing is to be sent for now; the link may be closed behind our back."""
        self._place.rest(self, now)

    def lend(self) -> None:
        """Like `rest`, but it is closed only for another link to the same peer."""
        self._place.lend(self)

    def wake(self, now: float) -> bool:
        """Use it again after `rest` or `lend`; False where it has been closed or is stale."""
        return self._place.wake(self, now)

    def peer_is_idle(self) -> bool:
        """Whether the connection is open and the peer has sent nothing: fit to be used again.

        Under TLS a byte that is there is lost, but then the link is not used again.
        """
        try:
            if self._tls:
                self._socket.recv(1)
            else:
                self._socket.recv(1, socket.MSG_PEEK)
        except (BlockingIOError, ssl.SSLWantReadError):
            return True
        except OSError:
            return False
        return False

    def drop_received(self) -> bool:
        """Throw away what the peer has sent; False once it has closed."""
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
        if isinstance(self._socket, ssl.SSLSocket):
            with suppress(OSError, ValueError):
                self._socket.unwrap()
        self._socket.close()
        self._place.free(self)

    async def _receive_tls(self, max_bytes: int) -> bytes:
        # Records may be decrypted and waiting though the socket has nothing: try, then wait.
        while True:
            try:
                data = self._socket.recv(max_bytes)
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError) as wanted:
                await self._wait(wanted)
            else:
                # So that a peer which never pauses does not hold the loop.
                await trio.lowlevel.checkpoint()
                return data

    async def _wait(self, wanted: ssl.SSLError) -> None:
        if isinstance(wanted, ssl.SSLWantReadError):
            await trio.lowlevel.wait_readable(self._socket)
        else:
            await trio.lowlevel.wait_writable(self._socket)
