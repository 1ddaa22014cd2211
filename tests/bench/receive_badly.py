"""Subscribers that nobody wishes for: silent, slow, rude or broken, each on a port of its own.

It prints the ports on one line and ends with its standard input. A port where nobody listens
is part of it: the dead one.
"""

import socket
import sys
from collections.abc import Awaitable, Callable
from functools import partial

import trio

_ANSWER = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n"
_READ_BYTES = 1 << 16


async def be_silent(stream: trio.SocketStream) -> None:
    """Read everything, answer nothing."""
    while await stream.receive_some(_READ_BYTES):
        pass


async def be_slow(stream: trio.SocketStream) -> None:
    """Send an answer byte by byte, one a second."""
    await stream.receive_some(_READ_BYTES)
    for byte in _ANSWER:
        await stream.send_all(bytes([byte]))
        await trio.sleep(1)


async def be_broken(stream: trio.SocketStream) -> None:
    """Answer what is no HTTP."""
    while await stream.receive_some(_READ_BYTES):
        await stream.send_all(b"\x00\xff nobody speaks this \x00" * 8)


async def be_endless(stream: trio.SocketStream) -> None:
    """Send headers without an end."""
    await stream.receive_some(_READ_BYTES)
    await stream.send_all(b"HTTP/1.1 200 OK\r\n")
    while True:
        await stream.send_all(b"x-more: " + b"y" * 1000 + b"\r\n")


async def be_gone(stream: trio.SocketStream) -> None:
    """Hang up when the request is there."""
    await stream.receive_some(_READ_BYTES)


async def be_down(stream: trio.SocketStream) -> None:
    """Answer 503 to everything."""
    while await stream.receive_some(_READ_BYTES):
        await stream.send_all(_ANSWER)


async def main() -> None:
    """Serve until the end of the standard input; in the nursery live the doors."""
    manners = (be_silent, be_slow, be_broken, be_endless, be_gone, be_down)
    dead = socket.socket()
    dead.bind(("127.0.0.1", 0))
    ports = [dead.getsockname()[1]]
    with dead:
        async with trio.open_nursery() as nursery:
            for manner in manners:
                (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1", backlog=4096)
                ports.append(listener.socket.getsockname()[1])
                serve = partial(trio.serve_listeners, partial(bear, manner), [listener])
                nursery.start_soon(serve)
            print(*ports, flush=True)  # noqa: T201 - the way to tell
            async with trio.lowlevel.FdStream(sys.stdin.fileno()) as orders:
                async for _ in orders:
                    pass
            nursery.cancel_scope.cancel()


async def bear(
    manner: Callable[[trio.SocketStream], Awaitable[None]], stream: trio.SocketStream
) -> None:
    """Treat one connection badly for as long as the daemon bears it."""
    try:
        async with stream:
            await manner(stream)
    except (trio.BrokenResourceError, trio.ClosedResourceError):
        # The daemon had enough of it, which is what it should.
        return


if __name__ == "__main__":
    trio.run(main)
