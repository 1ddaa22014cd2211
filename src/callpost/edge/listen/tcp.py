"""Receives lines over TCP, one event each, and answers each with a line that is a status.

Such an answer is an acknowledgement for a subscription with `ack = true`: 2xx accepts, 5xx asks
for another try, anything else refuses. Without `ack` nobody looks at it.
"""

import time
from collections.abc import Callable
from typing import Final

import trio

from callpost.edge.listen.arrival import Arrived, Behaviour, nothing
from callpost.model.lines import LineCutter

_LINE_MAX_BYTES: Final = 1_048_576
_READ_MAX_BYTES: Final = 65_536
# A sender that does not read its acknowledgements is not waited for.
_ANSWER_TIMEOUT_S: Final = 5.0


async def serve_tcp(
    listener: trio.SocketListener,
    *,
    arrived: Callable[[Arrived], None],
    behave: Behaviour,
    finished: Callable[[], None] = nothing,
    task_status: trio.TaskStatus[list[trio.SocketListener]] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve until cancelled; `arrived` is called before the answer, `finished` after it.

    A line of more than 1 MiB arrives as nothing and is not answered.
    """

    async def converse(stream: trio.SocketStream) -> None:
        cutter = LineCutter(_LINE_MAX_BYTES)
        async with stream:
            try:
                while data := await stream.receive_some(_READ_MAX_BYTES):
                    await take_in(stream, cutter.feed(data))
                await take_in(stream, cutter.end())
            except (trio.BrokenResourceError, trio.ClosedResourceError, trio.TooSlowError):
                return

    async def take_in(stream: trio.SocketStream, lines: list[bytes | None]) -> None:
        for line in lines:
            if line is None:
                continue
            arrived(Arrived(transport="tcp", content=line, arrived_at=time.time()))
            try:
                await _answer(stream, behave)
            finally:
                finished()
            if behave.drop:
                return

    await trio.serve_listeners(converse, [listener], task_status=task_status)


async def _answer(stream: trio.SocketStream, behave: Behaviour) -> None:
    await trio.sleep(behave.delay_s)
    if behave.drop:
        await stream.aclose()
        return
    with trio.fail_after(_ANSWER_TIMEOUT_S):
        await stream.send_all(b"%d\n" % behave.status)
