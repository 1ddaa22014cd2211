"""An ASGI app as Hypercorn calls it, and what Hypercorn would make of it without us.

Every request is one of HTTP/1.1, and is read to its end before it is forgotten.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

import trio

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
# Two ways to say how long a body is; one is enough.
_LENGTHS: Final = frozenset({b"content-length", b"transfer-encoding"})
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]


class Drained:
    """The app, and what it has left unread of a request when it answers.

    Hypercorn waits for room in the app's queue to tell it of the end: nobody would make it.
    """

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """ASGI."""

        async def send_and_drain(message: Message) -> None:
            if message["type"] == "http.response.start" or message.get("more_body"):
                await send(message)
                return
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_drain, receive)
                await send(message)
                nursery.cancel_scope.cancel()

        if scope["type"] == "websocket":
            await send({"type": "websocket.close"})
        elif scope["http_version"] == "2":
            await _refuse(505, send_and_drain)
        elif {name for name, _ in scope["headers"]} >= _LENGTHS:
            # Who stands before us may have taken the other one (RFC 9112, section 6.3).
            await _refuse(400, send_and_drain)
        else:
            await self._app(scope, receive, send_and_drain)


async def _refuse(status: int, send: Send) -> None:
    """Answer what is no request of HTTP/1.1, without a body, and end the connection.

    Hypercorn speaks HTTP/2 unasked, and waits without end for a peer that takes no answer; one
    without a body needs no room at the peer's.
    """
    headers = [] if status == 505 else [(b"connection", b"close")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body"})


async def _drain(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
