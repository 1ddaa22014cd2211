"""A daemon's control socket for tests of the commands: a real server, its answers made up."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from socket import AF_UNIX, SOCK_STREAM, socket

import msgspec
import trio
from asyncclick.testing import CliRunner, Result

from callpost.cli import callpost
from conditions import SUBSCRIPTIONS, WELL

JSON = "application/json"
PROBLEM = "application/problem+json"


@dataclass(frozen=True)
class Reply:
    """One answer after `delay_s`; `chunks` are a stream, endless but where the daemon `leaves`."""

    content: object = None
    status: int = 200
    content_type: str = JSON
    raw: bytes | None = None
    chunks: tuple[bytes, ...] = ()
    leaves: bool = True
    delay_s: float = 0.0


@dataclass
class Door:
    """What is answered, by method and path, and what was asked, in order."""

    path: Path
    replies: dict[str, Reply] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    bodies: list[object] = field(default_factory=list)

    async def run(self, *arguments: str, env: Mapping[str, str] | None = None) -> Result:
        """Run a command that talks to this door, in this process."""
        with trio.fail_after(20):
            return await CliRunner().invoke(
                callpost, [*arguments, "--control", str(self.path)], env=env
            )

    async def serve(self, listener: socket) -> None:
        """One task for each connection."""
        door = trio.SocketListener(trio.socket.from_stdlib_socket(listener))
        await trio.serve_listeners(self._talk, [door])

    async def _talk(self, stream: trio.SocketStream) -> None:
        try:
            async with stream:
                while await self._exchange(stream):
                    pass
        except trio.BrokenResourceError:
            return

    async def _exchange(self, stream: trio.SocketStream) -> bool:
        head, body = await _request(stream)
        if not head:
            return False
        method, target, _ = head.split(b"\r\n")[0].decode().split(" ")
        self.asked.append(f"{method} {target}")
        self.bodies.append(json.loads(body) if body else None)
        reply = self.replies.get(f"{method} {target.partition('?')[0]}", _MISSING)
        await trio.sleep(reply.delay_s)
        if reply.chunks:
            await _stream(stream, reply)
            return False
        content = reply.raw if reply.raw is not None else msgspec.json.encode(reply.content)
        await stream.send_all(
            f"HTTP/1.1 {reply.status} So\r\ncontent-type: {reply.content_type}\r\n"
            f"content-length: {len(content)}\r\n\r\n".encode()
            + content
        )
        return True


_MISSING = Reply(
    {"type": "about:blank", "title": "Not Found", "status": 404, "detail": "There is no such."},
    404,
    PROBLEM,
)


@asynccontextmanager
async def a_door(path: Path, replies: Mapping[str, Reply] | None = None) -> AsyncIterator[Door]:
    """A door at `path` that knows the healthy daemon's answers; the nursery has its server."""
    door = Door(path)
    door.replies |= {
        "GET /v1/status": Reply(WELL),
        "GET /v1/states": Reply({"subscriptions": SUBSCRIPTIONS}),
        **(replies or {}),
    }
    listener = socket(AF_UNIX, SOCK_STREAM)
    listener.bind(str(path))
    listener.listen()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(door.serve, listener)
        yield door
        nursery.cancel_scope.cancel()


async def _request(stream: trio.SocketStream) -> tuple[bytes, bytes]:
    """Head and body of the next request, empty where there is none."""
    received = bytearray()
    while b"\r\n\r\n" not in received:
        piece = await stream.receive_some()
        if not piece:
            return b"", b""
        received += piece
    head, _, body = bytes(received).partition(b"\r\n\r\n")
    length = 0
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            length = int(line.partition(b":")[2])
    while len(body) < length:
        body += await stream.receive_some()
    return head, body


async def _stream(stream: trio.SocketStream, reply: Reply) -> None:
    await stream.send_all(
        b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
    )
    for chunk in reply.chunks:
        await stream.send_all(b"%x\r\n%b\r\n" % (len(chunk), chunk))
    if reply.leaves:
        await stream.send_all(b"0\r\n\r\n")
    else:
        await trio.sleep_forever()
