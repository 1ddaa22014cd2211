"""The attempts as they happen, as server-sent events (HTML Living Standard, section 9.2).

A reader that is too slow is told how many it has missed; it never slows a delivery.
"""

from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Final, Literal

import msgspec
import trio
from msgspec import Meta, Struct
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from callpost.control.ports import Live
from callpost.model.delivery import Attempted
from callpost.web.asked import Asked
from callpost.web.fields import Nothing
from callpost.web.operation import Operation, Shown, operation
from callpost.web.problem import Refusal

# Each listener costs every attempt a little, and may hold a thousand attempts.
LISTENERS_MAX: Final = 16
# A comment so often tells both sides that the other one is still there.
KEEP_ALIVE_S: Final = 15.0
Outcome = Literal["delivered", "retry", "refused", "rejected", "gone", "localfault"]
Word = Annotated[str, Meta(max_length=255)]


class AttemptsQuery(Struct, frozen=True):
    """Which attempts; each may be repeated, and one of the words must fit."""

    subscription: Annotated[tuple[Word, ...], Meta(description="A subscription's name")] = ()
    outcome: Annotated[tuple[Outcome, ...], Meta(description="How the attempt ended")] = ()
    call: Annotated[tuple[Word, ...], Meta(description="A call's id")] = ()
    kind: Annotated[tuple[Word, ...], Meta(description="A kind of event")] = ()
    endpoint: Annotated[tuple[Word, ...], Meta(description="An origin, or its host")] = ()

    def fits(self, attempt: Attempted) -> bool:
        """Whether it was asked for."""
        return (
            (not self.subscription or attempt.subscription in self.subscription)
            and (not self.outcome or attempt.outcome in self.outcome)
            and (not self.call or attempt.call_id in self.call)
            and (not self.kind or attempt.kind in self.kind)
            and (not self.endpoint or any(_is_at(attempt.endpoint, one) for one in self.endpoint))
        )


def attempts(live: Live, *, keep_alive_s: float = KEEP_ALIVE_S) -> Iterator[Operation]:
    """The one stream of this door."""
    listening: set[EventStream] = set()

    async def stream(asked: Asked[AttemptsQuery, Nothing]) -> Response:
        if len(listening) >= LISTENERS_MAX:
            raise Refusal(503, f"There are {LISTENERS_MAX} listeners already.")
        return EventStream(live, asked.query, listening, keep_alive_s)

    yield operation(
        "GET",
        "/v1/attempts",
        stream,
        query=AttemptsQuery,
        body=Nothing,
        returns=str,
        shown=Shown(
            "The attempts as they happen",
            answer="event: attempt\ndata: {}\n\nevent: missed\ndata: 12\n\n: still here\n\n",
            content_type="text/event-stream",
        ),
    )


class EventStream(Response):
    """Goes on until the reader leaves or the house stops."""

    media_type = "text/event-stream"

    def __init__(
        self,
        live: Live,
        query: AttemptsQuery,
        listening: set["EventStream"],
        keep_alive_s: float,
    ) -> None:
        super().__init__(headers={"cache-control": "no-store"})
        del self.headers["content-length"]
        self._live = live
        self._query = query
        self._listening = listening
        self._keep_alive_s = keep_alive_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Stream; in the nursery lives what notices that the reader has left."""
        self._listening.add(self)
        try:
            start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
            await send(start)
            if scope["method"] != "HEAD":
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(_notice_leaving, receive, nursery.cancel_scope)
                    await self._tell(send)
                    nursery.cancel_scope.cancel()
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            self._listening.discard(self)

    async def _tell(self, send: Send) -> None:
        with self._live.listen() as heard:
            # So that the reader knows that nothing is missed from here on.
            await _put(send, b": listening\n\n")
            while True:
                told = b": still here\n\n"
                with trio.move_on_after(self._keep_alive_s):
                    found = await self._next(heard)
                    if found is None:
                        return
                    told = found
                await _put(send, told)

    async def _next(self, heard: AsyncIterator[Attempted | int]) -> bytes | None:
        async for one in heard:
            if isinstance(one, int):
                return b"event: missed\ndata: %d\n\n" % one
            if self._query.fits(one):
                return b"event: attempt\ndata: %b\n\n" % msgspec.json.encode(one)
        return None


async def _put(send: Send, text: bytes) -> None:
    await send({"type": "http.response.body", "body": text, "more_body": True})


async def _notice_leaving(receive: Receive, scope: trio.CancelScope) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    scope.cancel()


def _is_at(origin: str, wanted: str) -> bool:
    """Whether `wanted` is the origin, its host and port, or its host."""
    place = origin.partition("://")[2]
    return wanted in {origin, place, place.rpartition(":")[0]}
