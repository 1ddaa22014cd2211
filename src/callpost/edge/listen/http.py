"""Receives HTTP/1.1 requests, with keep-alive, and answers each with the same status.

One task per connection; what a client does wrong ends its connection and nothing else.
"""

import time
from collections.abc import Callable
from typing import Final

import h11
import trio

from callpost.edge.listen.arrival import Arrived, Behaviour, nothing

# A call event has some kilobytes; this leaves room for anything that is worth looking at.
_BODY_MAX_BYTES: Final = 1_048_576
_HEADERS_MAX_BYTES: Final = 65_536
_READ_MAX_BYTES: Final = 65_536
# Senders keep a connection for the next event; after this long without one they open another.
_IDLE_S: Final = 300.0


async def serve_http(
    listener: trio.SocketListener,
    *,
    arrived: Callable[[Arrived], None],
    behave: Behaviour,
    finished: Callable[[], None] = nothing,
    task_status: trio.TaskStatus[list[trio.SocketListener]] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve until cancelled; `arrived` is called before the answer, `finished` after it."""

    async def converse(stream: trio.SocketStream) -> None:
        await _Conversation(stream, arrived, behave, finished).run()

    await trio.serve_listeners(converse, [listener], task_status=task_status)


class _Conversation:
    def __init__(
        self,
        stream: trio.SocketStream,
        arrived: Callable[[Arrived], None],
        behave: Behaviour,
        finished: Callable[[], None],
    ) -> None:
        self._stream = stream
        self._arrived = arrived
        self._behave = behave
        self._finished = finished
        self._parser = h11.Connection(h11.SERVER, max_incomplete_event_size=_HEADERS_MAX_BYTES)

    async def run(self) -> None:
        """Receive requests until either side has enough."""
        async with self._stream:
            try:
                while await self._receive():
                    self._parser.start_next_cycle()
            except h11.RemoteProtocolError as fault:
                await self._answer(fault.error_status_hint)
            except (trio.BrokenResourceError, trio.TooSlowError):
                return

    async def _receive(self) -> bool:
        """Receive one request and answer it; False where no other can follow."""
        request = await self._next_event()
        if not isinstance(request, h11.Request):
            return False
        content = await self._content()
        if content is None:
            await self._answer(413)
            return False
        self._arrived(_arrival(request, content))
        try:
            await trio.sleep(self._behave.delay_s)
            if not self._behave.drop:
                await self._answer(self._behave.status)
        finally:
            self._finished()
        return self._parser.states == {h11.CLIENT: h11.DONE, h11.SERVER: h11.DONE}

    async def _content(self) -> bytes | None:
        content = bytearray()
        while True:
            event = await self._next_event()
            match event:
                case h11.Data():
                    content += event.data
                    if len(content) > _BODY_MAX_BYTES:
                        return None
                case _:
                    return bytes(content)

    async def _next_event(self) -> h11.Event | type[h11.NEED_DATA | h11.PAUSED]:
        while (event := self._parser.next_event()) is h11.NEED_DATA:
            if self._parser.they_are_waiting_for_100_continue:
                go_on = h11.InformationalResponse(status_code=100, headers=[])
                await self._stream.send_all(self._parser.send(go_on) or b"")
            with trio.fail_after(_IDLE_S):
                self._parser.receive_data(await self._stream.receive_some(_READ_MAX_BYTES))
        return event

    async def _answer(self, status: int) -> None:
        if self._parser.our_state not in {h11.IDLE, h11.SEND_RESPONSE}:
            return
        bodiless = status in {204, 304}
        response = h11.Response(
            status_code=status, headers=[] if bodiless else [("content-length", "0")]
        )
        data = (self._parser.send(response) or b"") + (self._parser.send(h11.EndOfMessage()) or b"")
        with trio.fail_after(_IDLE_S):
            await self._stream.send_all(data)


def _arrival(request: h11.Request, content: bytes) -> Arrived:
    return Arrived(
        transport="http",
        method=request.method.decode("ascii"),
        target=request.target.decode("latin-1"),
        headers=tuple(
            (name.decode("ascii"), value.decode("latin-1"))
            for name, value in request.headers.raw_items()
        ),
        content=content,
        arrived_at=time.time(),
    )
