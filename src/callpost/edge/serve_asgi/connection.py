"""A connection as Hypercorn uses it, plain or over TLS.

Whoever waits for its peer does so for a limited time, or until it is cut.
"""

import ssl
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final

import trio
from msgspec import Struct

# How long a peer may keep us from saying that this is the end (RFC 8446, section 6.1).
_GOODBYE_S: Final = 1.0


class Patience(Struct, frozen=True, kw_only=True):
    """How long a peer may take to shake hands, and may leave an answer unread; in seconds."""

    handshake_s: float = 10.0
    unread_s: float = 10.0


class HandshakeFailed(Exception):
    """There is no TLS with this peer; the message says why in one word."""


class PlainConnection:
    """A peer that does not read breaks it.

    Hypercorn takes a connection that has `do_handshake` for one over TLS.
    """

    def __init__(self, transport: trio.SocketStream, patience: Patience) -> None:
        self.socket = transport.socket
        self.end_idling: Callable[[], Awaitable[None]] = trio.lowlevel.checkpoint
        self._stream: trio.SocketStream | trio.SSLStream[trio.SocketStream] = transport
        self._patience = patience
        self._broken = False
        # Since when it has waited for a request of its peer's, or for the rest of one's head.
        self.idle_since = trio.current_time()
        self._in_hand = 0

    @contextmanager
    def in_hand(self) -> Iterator[None]:
        """A request of it is being answered."""
        self._in_hand += 1
        self.idle_since = float("inf")
        try:
            yield
        finally:
            self._in_hand -= 1
            if not self._in_hand:
                self.idle_since = trio.current_time()

    async def open(self) -> None:
        """Nothing has to be agreed on before."""

    async def send_all(self, data: bytes) -> None:
        """Send, or raise trio.BrokenResourceError."""
        if not self._broken:
            # Another task may be closing it, after something that was no HTTP.
            with suppress(trio.BusyResourceError), trio.move_on_after(self._patience.unread_s):
                await self._stream.send_all(data)
                return
            self._broken = True
        raise trio.BrokenResourceError("the answer is not read")

    async def receive_some(self, most_bytes: int) -> bytes:
        """Some bytes; none where the peer has left."""
        received: bytes | bytearray = b""
        try:
            received = await self._stream.receive_some(most_bytes)
        finally:
            if not received:
                # The peer has left: else the connection would be kept until it has idled enough.
                await self.end_idling()
        return bytes(received)

    async def send_eof(self) -> None:
        """Say that this was all."""
        if isinstance(self._stream, trio.SocketStream):
            await self._stream.send_eof()

    async def aclose(self) -> None:
        """Close it."""
        await self._stream.aclose()

    def cut(self) -> None:
        """Close it now; whoever waits for it wakes up."""
        self.socket.close()


class SecuredConnection(PlainConnection):
    """The same over TLS, which `open` agrees on with the peer."""

    def __init__(
        self, transport: trio.SocketStream, context: ssl.SSLContext, patience: Patience
    ) -> None:
        super().__init__(transport, patience)
        self._tls = self._stream = trio.SSLStream(transport, context, server_side=True)
        self.transport_stream = transport

    async def open(self) -> None:
        """Shake hands; raises HandshakeFailed."""
        try:
            with trio.fail_after(self._patience.handshake_s):
                await self._tls.do_handshake()
        except trio.TooSlowError:
            raise HandshakeFailed("timeout") from None
        except (trio.BrokenResourceError, trio.ClosedResourceError) as fault:
            raise HandshakeFailed(_reason_of(fault)) from None

    async def do_handshake(self) -> None:
        """It is done."""

    def selected_alpn_protocol(self) -> str:
        """There is no other here."""
        return "http/1.1"

    async def aclose(self) -> None:
        """Say so, to a peer that listens, and close it."""
        with (
            trio.move_on_after(_GOODBYE_S),
            suppress(trio.BrokenResourceError, trio.ClosedResourceError, trio.BusyResourceError),
        ):
            await self._tls.aclose()
        self.cut()


def _reason_of(fault: Exception) -> str:
    """OpenSSL's word, such as `http_request` from one who speaks plain HTTP to us."""
    cause = fault.__cause__
    if isinstance(cause, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return "closed"
    if isinstance(cause, ssl.SSLError):
        return (cause.reason or "protocol").lower()
    return "closed"
