"""An app behind the door of `serve_asgi`, and the door, on a Unix socket of its own."""

import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import trio

from callpost.edge.receive_unix import listen_stream
from callpost.edge.serve_asgi import Message, Patience, Receive, Send, serve_asgi
from doubles import logs_into

Tls = Callable[[], ssl.SSLContext]

PATIENT: Final = Patience()


class App:
    """Answers `ok`; at /flood without end, at /wait when told to, at /bug not at all."""

    def __init__(self) -> None:
        self.asked = trio.Event()
        self.answer = trio.Event()
        self.left = trio.Event()
        self.schemes: list[str] = []

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """ASGI."""
        self.asked.set()
        self.schemes.append(scope["scheme"])
        if scope["path"] == "/bug":
            raise ZeroDivisionError
        start: dict[str, Any] = {"type": "http.response.start", "status": 200, "headers": []}
        await send(start)
        if scope["path"] == "/wait":
            await self.answer.wait()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._notice, receive, nursery.cancel_scope)
            while scope["path"] == "/flood":
                body = {"type": "http.response.body", "body": b"x" * 65_536, "more_body": True}
                await send(body)
            nursery.cancel_scope.cancel()
        await send({"type": "http.response.body", "body": b"ok"})

    async def _notice(self, receive: Receive, scope: trio.CancelScope) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self.left.set()
        scope.cancel()


class Served:
    """A server with its app."""

    def __init__(self, path: Path) -> None:
        self.app = App()
        self.path = path
        self.lines: list[dict[str, object]] = []
        self.stopping = trio.Event()
        self.ended = trio.Event()

    async def serve(self, listener: socket.socket, patience: Patience, tls: Tls | None) -> None:
        """Until it is to stop."""
        await serve_asgi(
            self.app,
            listener,
            stopping=self.stopping,
            log=logs_into(self.lines).log,
            patience=patience,
            tls=tls,
        )
        self.ended.set()


@asynccontextmanager
async def serving(
    directory: Path, *, patience: Patience = PATIENT, tls: Tls | None = None
) -> AsyncIterator[Served]:
    """Serve on a socket of its own."""
    served = Served(directory / "http.sock")
    with listen_stream(served.path, mode=0o600, group="") as listener:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(served.serve, listener, patience, tls)
            yield served
            nursery.cancel_scope.cancel()
