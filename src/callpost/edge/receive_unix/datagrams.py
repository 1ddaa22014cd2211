"""Serves the datagram socket: one event a datagram, no reply.

Nothing is promised before the daemon has read a datagram, so it reads whenever it can, and once
more at a stop.
"""

import socket
from collections.abc import Iterator
from typing import Final

import trio
from structlog.typing import FilteringBoundLogger

from callpost.edge.receive_unix.stream import Accept
from callpost.model.limits import Intake

# One commit for all that waits. The kernel's own queue (net.unix.max_dgram_qlen) is shorter on
# most machines.
_BATCH_MAX_DATAGRAMS: Final = 256
# Room for the CR LF that a producer may leave at the end of its event.
_LINE_END_MAX_BYTES: Final = 2
# At a stop: how long the storing of what is left may take.
_STOP_S: Final = 2.0


async def serve_datagrams(
    doorway: socket.socket,
    *,
    accept: Accept,
    limits: Intake,
    stopping: trio.Event,
    log: FilteringBoundLogger,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Take in events until `stopping`, then what is in the kernel's queue, end; closes `doorway`.

    In its nursery lives the task that wakes the reader at a stop.
    """
    buffer = memoryview(bytearray(limits.max_event_bytes + _LINE_END_MAX_BYTES))

    async def take_in() -> None:
        events = list(_waiting(doorway, buffer, limits.max_event_bytes))
        if events:
            log.debug("intake.datagrams_read", count=len(events))
            # The replies have no way back; the intake logs what it refuses.
            await accept(events)

    with doorway:
        doorway.setblocking(False)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_wake_at_stop, doorway, stopping)
            task_status.started()
            while not stopping.is_set():
                await _readable_or_stopping(doorway)
                await take_in()
            with trio.move_on_after(_STOP_S):
                await take_in()


async def _wake_at_stop(doorway: socket.socket, stopping: trio.Event) -> None:
    await stopping.wait()
    trio.lowlevel.notify_closing(doorway)


async def _readable_or_stopping(doorway: socket.socket) -> None:
    try:
        await trio.lowlevel.wait_readable(doorway)
    except trio.ClosedResourceError:
        # The stop woke us.
        return


def _waiting(doorway: socket.socket, buffer: memoryview, max_bytes: int) -> Iterator[bytes | None]:
    """What can be read without waiting; None for a datagram that is too long."""
    for _ in range(_BATCH_MAX_DATAGRAMS):
        try:
            # With MSG_TRUNC the kernel returns the datagram's true length (recv(2)).
            size = doorway.recv_into(buffer, 0, socket.MSG_TRUNC)
        except OSError:
            return
        event = bytes(buffer[:size]).removesuffix(b"\n").removesuffix(b"\r")
        if size > len(buffer) or len(event) > max_bytes:
            yield None
        elif event.strip():
            yield event
