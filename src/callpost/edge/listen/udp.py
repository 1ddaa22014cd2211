"""Receives datagrams, one event each. UDP has no answer, so there is nothing to behave."""

import time
from collections.abc import Callable
from typing import Final

import trio

from callpost.edge.listen.arrival import Arrived, nothing

# No datagram is longer.
_DATAGRAM_MAX_BYTES: Final = 65_535


async def serve_udp(
    place: trio.socket.SocketType,
    *,
    arrived: Callable[[Arrived], None],
    finished: Callable[[], None] = nothing,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve until cancelled, then close `place`."""
    with place:
        task_status.started()
        while True:
            content = await place.recv(_DATAGRAM_MAX_BYTES)
            arrived(Arrived(transport="udp", content=content, arrived_at=time.time()))
            finished()
