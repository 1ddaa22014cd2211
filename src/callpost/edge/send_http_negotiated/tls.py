"""TLS over a link that is connected already, with a choice of protocols (ALPN, RFC 7301).

One task reads and several may write. Errors are OSError, as the link's own are.
"""

import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final, Self, TypeVar

import trio

from callpost.edge.http1 import Link

# One TLS record and its frame, or several small ones.
_CHUNK_BYTES: Final = 32 * 1024

_T = TypeVar("_T")


class SecureLink:
    """A byte stream within TLS; the peer is verified by `host`, an address by itself.

    `expired` says that the link's deadline has ended a wait.
    """

    def __init__(self, link: Link, *, context: ssl.SSLContext, host: str) -> None:
        self.expired = False
        self._link = link
        self._arrived = ssl.MemoryBIO()
        self._leaving = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._arrived, self._leaving, server_hostname=host)
        self._sending = trio.Lock()

    @classmethod
    async def over(cls, link: Link, *, context: ssl.SSLContext, host: str) -> Self:
        """Shake hands; raises OSError, and whoever has the link closes it."""
        secure = cls(link, context=context, host=host)
        try:
            await secure._finished(secure._tls.do_handshake)
        except ssl.SSLError:
            with suppress(OSError):
                await secure._flush()  # tells the peer what was wrong
            raise
        await secure._flush()
        return secure

    @property
    def protocol(self) -> str:
        """What ALPN agreed on, "" for nothing."""
        return self._tls.selected_alpn_protocol() or ""

    @property
    def version(self) -> str:
        """`TLSv1.3` and so on."""
        return self._tls.version() or ""

    @property
    def certificate(self) -> bytes | None:
        """What the peer has shown, verified or not, in DER."""
        return self._tls.getpeercert(binary_form=True)

    def set_deadline(self, when: float) -> None:
        """From `when` on, waits end in TimeoutError."""
        self._link.set_deadline(when)

    async def send_all(self, data: bytes) -> None:
        """Hand everything to the kernel."""
        rest = memoryview(data)
        while rest:
            # One record at a time; there is always room for it in memory.
            rest = rest[self._tls.write(rest) :]
        await self._flush()

    async def receive_some(self, max_bytes: int) -> bytes:
        """Wait for bytes, b"" once the peer has closed."""
        # What has been decrypted already needs no wait; a peer that never pauses must not hold
        # the loop.
        await trio.lowlevel.checkpoint()
        try:
            return await self._finished(lambda: self._tls.read(max_bytes))
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            return b""

    def rest(self, now: float) -> None:
        """Nothing is to be sent for now."""
        self._link.rest(now)

    def wake(self, now: float) -> bool:
        """Use it again after `rest`; False where it has been closed or is stale."""
        return self._link.wake(now)

    def peer_is_idle(self) -> bool:
        """Whether the connection is open and nothing has come.

        What has come and is TLS's own, such as a session ticket, counts as well: that costs a
        connection now and then.
        """
        return not self._arrived.pending and not self._tls.pending() and self._link.peer_is_idle()

    def reason_of(self, error: OSError) -> str:
        """A short word for an error of the above."""
        return self._link.reason_of(error)

    def close(self) -> None:
        """Close it without waiting."""
        self._link.close()

    async def _finished(self, step: Callable[[], _T]) -> _T:
        """What `step` returns once it has all that it needs of the peer."""
        while True:
            try:
                return step()
            except ssl.SSLWantReadError:
                await self._flush()
            with self._noting_expiry():
                data = await self._link.receive_some(_CHUNK_BYTES)
            if data:
                self._arrived.write(data)
            else:
                self._arrived.write_eof()

    async def _flush(self) -> None:
        async with self._sending:
            if self._leaving.pending:
                with self._noting_expiry():
                    await self._link.send_all(self._leaving.read())

    @contextmanager
    def _noting_expiry(self) -> Iterator[None]:
        try:
            yield
        except TimeoutError:
            self.expired = self._link.expired
            raise
