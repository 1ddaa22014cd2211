"""The replies of one connection, on their way to a producer that may or may not read them.

They wait in a buffer; a producer that leaves it full for `stall_s` gets no more of them, and
what it has got ends at the end of a line.
"""

import socket
from collections.abc import Callable

import trio

from callpost.model.limits import REPLIES_MAX_BYTES


class Replies:
    """One connection's sending side; `abandoned` is called at most once, when it gives up."""

    def __init__(
        self, connection: socket.socket, *, stall_s: float, abandoned: Callable[[], None]
    ) -> None:
        self._connection = connection
        self._stall_s = stall_s
        self._tell_abandoned = abandoned
        self._waiting = bytearray()
        self._mid_line = False
        self._abandoned = False
        self._closed = False
        self._moved = trio.lowlevel.ParkingLot()

    def put(self, lines: list[bytes]) -> None:
        """Send `lines`, or let them wait; dropped where the producer does not read."""
        if self._abandoned or self._closed:
            return
        idle = not self._waiting
        self._waiting += b"".join(lines)
        if idle:
            # The usual case: the producer reads, and the writer need not be woken.
            self._send_some()
            if self._waiting:
                self._moved.unpark_all()

    async def room(self) -> None:
        """Wait until the buffer is not full; full for `stall_s` means: abandon the replies."""
        if len(self._waiting) < REPLIES_MAX_BYTES:
            # Without a deadline, which would take 8 us, for it is asked about every read.
            return
        with trio.move_on_after(self._stall_s):
            while len(self._waiting) >= REPLIES_MAX_BYTES:
                await self._moved.park()
        if len(self._waiting) >= REPLIES_MAX_BYTES:
            self._abandon()

    async def drained(self) -> None:
        """Wait until all is sent, or until nothing at all could be sent for `stall_s`."""
        before = -1
        while self._waiting and before != len(self._waiting):
            before = len(self._waiting)
            with trio.move_on_after(self._stall_s):
                await self._moved.park()
        if self._waiting:
            self._abandon()

    async def write(self) -> None:
        """Send what waits, whenever the producer reads; runs until it is cancelled."""
        while True:
            if self._waiting:
                await trio.lowlevel.wait_writable(self._connection)
                self._send_some()
                self._moved.unpark_all()
            else:
                await self._moved.park()

    def _send_some(self) -> None:
        try:
            sent = self._connection.send(self._waiting)
        except BlockingIOError:
            return
        except OSError:
            # The producer closed; its last lines may still wait to be read.
            self._close()
            return
        self._mid_line = not self._waiting.endswith(b"\n", 0, sent)
        del self._waiting[:sent]
        if self._abandoned and not self._waiting:
            self._close()

    def _abandon(self) -> None:
        if self._abandoned or self._closed:
            return
        self._abandoned = True
        self._tell_abandoned()
        if self._mid_line:
            # The line begun is finished if and when the producer reads; nothing follows it.
            del self._waiting[self._waiting.index(b"\n") + 1 :]
        else:
            self._close()

    def _close(self) -> None:
        self._closed = True
        self._waiting.clear()
        try:
            self._connection.shutdown(socket.SHUT_WR)
        except OSError:
            # The producer was quicker.
            return
