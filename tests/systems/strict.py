"""What the receivers of real systems have in common: they judge, remember, and lose answers.

A receiver that loses an answer has taken the event all the same: the connection dies after it.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final, NamedTuple

import trio

from http_receivers import Receiver, Reply, Request

FORM: Final = "application/x-www-form-urlencoded"
JSON: Final = "application/json"


class Answer(NamedTuple):
    """A status, and what the system says with it."""

    status: int
    text: str = ""


class Taken(NamedTuple):
    """One request and what it was answered, whether that answer arrived or not."""

    request: Request
    answer: Answer


class StrictReceiver(Receiver):
    """One system behind one URL; `judge` has its rules."""

    content_type = JSON

    def __init__(self) -> None:
        super().__init__()
        self.taken: list[Taken] = []
        self.changed = trio.Event()
        # Asked for each request: is its answer lost, or withheld until the client has gone?
        self.loses: Callable[[Request], bool] = lambda _request: False
        self.withholds: Callable[[Request], bool] = lambda _request: False
        self.port = 0

    def judge(self, request: Request) -> Answer:
        """The system's rules."""
        raise NotImplementedError

    def next_reply(self, request: Request) -> Reply:
        """Take the request and answer by the rules, if at all."""
        answer = self.judge(request)
        self.taken.append(Taken(request, answer))
        self.changed.set()
        self.changed = trio.Event()
        if self.loses(request):
            return Reply(instead="close")
        if self.withholds(request):
            return Reply(instead="silence")
        headers = (("content-type", self.content_type),)
        return Reply(answer.status, headers, answer.text.encode())

    def complaints(self) -> list[Answer]:
        """Every answer that is no acceptance."""
        return [one.answer for one in self.taken if one.answer.status != 200]

    async def until(self, satisfied: Callable[[], bool], *, within_s: float = 10.0) -> None:
        """Wait for requests until satisfied, or raise TooSlowError."""
        with trio.fail_after(within_s):
            while not satisfied():
                await self.changed.wait()


@asynccontextmanager
async def standing(*receivers: StrictReceiver) -> AsyncIterator[None]:
    """Each on a port of its own, until the end."""
    async with trio.open_nursery() as nursery:
        for receiver in receivers:
            [listener] = await trio.open_tcp_listeners(0, host="127.0.0.1")
            receiver.port = listener.socket.getsockname()[1]
            nursery.start_soon(trio.serve_listeners, _patient(receiver), [listener])
        yield
        nursery.cancel_scope.cancel()


def _patient(receiver: StrictReceiver) -> Callable[[trio.SocketStream], Awaitable[None]]:
    async def serve(stream: trio.SocketStream) -> None:
        async with stream:
            try:
                await receiver.serve(stream)
            except trio.BrokenResourceError:
                return

    return serve
