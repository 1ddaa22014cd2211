"""`GET /metrics` as an ASGI application, for the door that serves nothing else.

Whatever else is asked for is not found; no body is read.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

# An ASGI message or scope: keys and values are the protocol's affair (asgi.readthedocs.io).
_Message = MutableMapping[str, Any]
Asgi = Callable[
    [_Message, Callable[[], Awaitable[_Message]], Callable[[_Message], Awaitable[None]]],
    Awaitable[None],
]

_METHODS: Final = frozenset({"GET", "HEAD"})
_PLAIN: Final = "text/plain; charset=utf-8"


def metrics_site(page: Callable[[], Awaitable[tuple[bytes, str]]]) -> Asgi:
    """The application; `page` gives the text and its content type."""

    async def answer(method: str, path: str) -> tuple[int, bytes, str]:
        if path != "/metrics":
            return 404, b"There is nothing here but /metrics.\n", _PLAIN
        if method not in _METHODS:
            return 405, b"GET or HEAD.\n", _PLAIN
        return 200, *await page()

    async def site(
        scope: _Message,
        receive: Callable[[], Awaitable[_Message]],
        send: Callable[[_Message], Awaitable[None]],
    ) -> None:
        if scope["type"] == "lifespan":
            return await _live(receive, send)
        if scope["type"] != "http":
            return None
        status, body, content_type = await answer(scope["method"], scope["path"])
        headers = [
            (b"content-type", content_type.encode()),
            (b"content-length", str(len(body)).encode()),
        ]
        if status == 405:
            headers.append((b"allow", b"GET, HEAD"))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        if scope["method"] == "HEAD":
            body = b""
        return await send({"type": "http.response.body", "body": body})

    return site


async def _live(
    receive: Callable[[], Awaitable[_Message]], send: Callable[[_Message], Awaitable[None]]
) -> None:
    """There is nothing to start and nothing to end."""
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
