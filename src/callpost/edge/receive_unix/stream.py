"""Serves the stream socket: one event a line, one reply a line, in order.

A reply goes out only after `accept` has returned, so only after its event is on disk; a producer
that never reads its replies is heard all the same.
"""

import errno
import socket
import struct
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import trio
from structlog.typing import FilteringBoundLogger

from callpost.edge.receive_unix.replies import Replies
from callpost.model.limits import REPLIES_STALL_S, Intake
from callpost.model.lines import LineCutter

# Lines in (None: longer than allowed), one reply line each out, once they are on disk.
Accept = Callable[[Sequence[bytes | None]], Awaitable[list[bytes]]]

# About what a Unix socket holds at a time: one read empties it.
_READ_MAX_BYTES: Final = 256 * 1024
# The lines of one `accept`, so that a read full of tiny lines cannot make replies without bound.
_BATCH_MAX_LINES: Final = 1024
# At a stop: how long what has been sent may take to be read, stored and answered.
_STOP_S: Final = 2.0
# Out of descriptors: they come back when connections end, which nothing tells us about.
_EXHAUSTED_PAUSE_S: Final = 0.1
_EXHAUSTED: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


async def serve_stream(  # noqa: PLR0913 - the last ones are for tests, and for who counts
    listener: socket.socket,
    *,
    accept: Accept,
    limits: Intake,
    stopping: trio.Event,
    log: FilteringBoundLogger,
    replies_stall_s: float = REPLIES_STALL_S,
    connections: set[socket.socket] | None = None,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Take in events until `stopping`, answer what was sent by then, end; closes `listener`.

    In its nursery live the door and one task per connection. `connections` has those that are
    open, for whoever counts them.
    """
    reception = _Reception(accept, limits, stopping, log, replies_stall_s)
    if connections is not None:
        reception.connections = connections
    with listener:
        listener.setblocking(False)
        async with trio.open_nursery() as nursery:
            door = trio.CancelScope()
            nursery.start_soon(_open_door, listener, door, nursery, reception)
            task_status.started()
            await stopping.wait()
            door.cancel()
            listener.close()
            reception.hear_no_more()
            nursery.cancel_scope.deadline = trio.current_time() + _STOP_S


class _Reception:
    """What all connections share."""

    def __init__(
        self,
        accept: Accept,
        limits: Intake,
        stopping: trio.Event,
        log: FilteringBoundLogger,
        replies_stall_s: float,
    ) -> None:
        self.accept = accept
        self.max_event_bytes = limits.max_event_bytes
        self.stopping = stopping
        self.log = log
        self.replies_stall_s = replies_stall_s
        self.free = trio.Semaphore(limits.max_connections)
        self.connections: set[socket.socket] = set()

    def hear_no_more(self) -> None:
        """Let each connection read to the end of what was sent, and its producer send no more."""
        for connection in self.connections:
            _shut_reading(connection)


async def _open_door(
    listener: socket.socket, door: trio.CancelScope, nursery: trio.Nursery, reception: _Reception
) -> None:
    crowded = exhausted = False
    with door:
        # Who is asked to stop before the first turn finds the listener closed.
        await trio.lowlevel.checkpoint_if_cancelled()
        while True:
            await trio.lowlevel.wait_readable(listener)
            if not (crowded or reception.free.value):
                crowded = True
                reception.log.warning("intake.connections_exhausted")
            await reception.free.acquire()
            connection, fault = _admitted(listener)
            if connection is not None:
                crowded = crowded and not reception.free.value
                exhausted = False
                reception.connections.add(connection)
                nursery.start_soon(_converse, connection, reception)
                continue
            reception.free.release()
            if fault in _EXHAUSTED:
                if not exhausted:
                    exhausted = True
                    reception.log.error("intake.accept_failed", reason=errno.errorcode[fault])
                await trio.sleep(_EXHAUSTED_PAUSE_S)


def _admitted(listener: socket.socket) -> tuple[socket.socket | None, int]:
    """The next connection, or None and the error number that stands for why there is none."""
    try:
        connection, _ = listener.accept()
    except OSError as error:
        # Whatever else it is (the producer gave up waiting), it is this connection's own.
        return None, error.errno or 0
    connection.setblocking(False)
    return connection, 0


async def _converse(connection: socket.socket, reception: _Reception) -> None:
    """Hear one producer out. In its nursery lives the writer of its replies."""
    peer = _peer(connection)
    reception.log.debug("intake.connected", **peer)
    replies = Replies(
        connection,
        stall_s=reception.replies_stall_s,
        abandoned=lambda: reception.log.warning("intake.replies_abandoned", **peer),
    )
    try:
        with connection:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(replies.write)
                await _hear(connection, replies, reception)
                await replies.drained()
                nursery.cancel_scope.cancel()
    finally:
        reception.connections.discard(connection)
        reception.free.release()


async def _hear(connection: socket.socket, replies: Replies, reception: _Reception) -> None:
    cutter = LineCutter(reception.max_event_bytes)
    while True:
        await replies.room()
        # First wait, then read: a producer that waits for each reply has never sent more by now.
        await trio.lowlevel.wait_readable(connection)
        try:
            data = connection.recv(_READ_MAX_BYTES)
        except BlockingIOError:
            continue
        except OSError:
            # The producer closed with replies unread: it broke off, and nobody can say that its
            # last piece was whole.
            return
        if not data:
            break
        await _answer(cutter.feed(data), replies, reception)
    if not reception.stopping.is_set():
        await _answer(cutter.end(), replies, reception)


async def _answer(lines: list[bytes | None], replies: Replies, reception: _Reception) -> None:
    for first in range(0, len(lines), _BATCH_MAX_LINES):
        await replies.room()
        replies.put(await reception.accept(lines[first : first + _BATCH_MAX_LINES]))


def _peer(connection: socket.socket) -> dict[str, int]:
    size = struct.calcsize("3i")
    cred = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
    pid, uid, _ = struct.unpack("3i", cred)
    return {"pid": pid, "uid": uid}


def _shut_reading(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RD)
    except OSError:
        # The producer was quicker: the connection has ended already.
        return
