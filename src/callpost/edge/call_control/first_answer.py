"""Waits for the first answer of a connection and looks at how it begins, before the HTTP client.

The intake answers each line of a request with a line of its own and keeps the connection open:
the client would wait for its time-out. And the client could not say that it still waits.
"""

import socket
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from math import inf
from pathlib import Path
from typing import Final, Protocol, cast

import trio
from msgspec import Struct

from callpost.edge.call_control.faults import is_http, stranger

_LOOK_BYTES: Final = 64

Trace = Callable[[str, Mapping[str, object]], Awaitable[None]]


class Slow(Struct, frozen=True):
    """Who is to `tell` once that nothing has been answered for `after_s`."""

    after_s: float
    tell: Callable[[], None]


class _Stream(Protocol):
    """What httpcore connects."""

    def get_extra_info(self, info: str) -> trio.socket.SocketType: ...


def first_answer(path: Path, timeout_s: float | None, slow: Slow | None) -> Trace:
    """The `trace` of one request (see httpcore's extensions).

    It raises ControlUnreachable where the answer is no HTTP, trio.TooSlowError where none comes.
    """
    fresh: list[_Stream] = []

    async def trace(event: str, info: Mapping[str, object]) -> None:
        if event == "connection.connect_unix_socket.complete":
            fresh.append(cast("_Stream", info["return_value"]))
        elif event == "http11.receive_response_headers.started" and fresh:
            begun = await _begun(fresh.pop().get_extra_info("socket"), timeout_s, slow)
            if not is_http(begun):
                raise stranger(path, begun)

    return trace


async def _begun(
    connection: trio.socket.SocketType, timeout_s: float | None, slow: Slow | None
) -> bytes:
    # Whatever else happens to the connection, the client meets it as well.
    with trio.fail_after(inf if timeout_s is None else timeout_s), suppress(OSError):
        if slow is not None:
            with trio.move_on_after(slow.after_s):
                return await connection.recv(_LOOK_BYTES, socket.MSG_PEEK)
            slow.tell()
        return await connection.recv(_LOOK_BYTES, socket.MSG_PEEK)
    return b""
