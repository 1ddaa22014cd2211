"""Reads the stream of attempts: server-sent events over a connection of their own.

It is asked for in HTTP/1.0, so that the answer has no chunks and ends with its connection.
"""

from pathlib import Path
from typing import Final

import msgspec
import trio

from callpost.edge.call_control.faults import (
    ControlUnreachable,
    broken_off,
    is_http,
    refusal,
    stranger,
    unreachable,
)
from callpost.model.delivery import Attempted

# On this machine a connection is made at once, or somebody is stuck.
CONNECT_S: Final = 5.0
# The stream says something every 15 s; when it has been still for so long it is dead.
_STILL_S: Final = 45.0
# An attempt's line has some 400 bytes.
_LINE_MAX_BYTES: Final = 256 * 1024


async def open_stream(path: Path, target: str) -> tuple[trio.SocketStream, "Attempts"]:
    """Connect, ask and read the head of the answer; the connection is the caller's."""
    try:
        with trio.fail_after(CONNECT_S):
            stream = await trio.open_unix_socket(str(path))
    except trio.TooSlowError:
        raise _silent(path, CONNECT_S) from None
    except OSError as fault:
        raise unreachable(path, fault) from None
    try:
        with trio.fail_after(CONNECT_S):
            return stream, await _asked(stream, target, path)
    except BaseException as fault:
        await trio.aclose_forcefully(stream)
        if isinstance(fault, trio.TooSlowError):
            raise _silent(path, CONNECT_S) from None
        if isinstance(fault, trio.BrokenResourceError):
            raise broken_off(path) from None
        raise


async def _asked(stream: trio.SocketStream, target: str, path: Path) -> "Attempts":
    head = b""
    await stream.send_all(f"GET {target} HTTP/1.0\r\nhost: callpost\r\n\r\n".encode())
    while b"\r\n\r\n" not in head and len(head) < _LINE_MAX_BYTES:
        chunk = await stream.receive_some()
        if not chunk:
            raise stranger(path) if head else broken_off(path)
        head += chunk
        if not is_http(head):
            raise stranger(path, head)
    head, _, begun = head.partition(b"\r\n\r\n")
    status = b"".join(head.split(b" ", 2)[1:2])
    if not status.isdigit():
        raise stranger(path)
    if status == b"200":
        return Attempts(stream, path, begun)
    async for piece in stream:
        begun += piece
        if len(begun) > _LINE_MAX_BYTES:
            break
    raise refusal(int(status), begun)


class Attempts:
    """The lines of the stream, as attempts."""

    def __init__(self, stream: trio.SocketStream, path: Path, begun: bytes) -> None:
        self._stream = stream
        self._path = path
        self._waiting = begun
        self._decode = msgspec.json.Decoder(Attempted).decode

    def __aiter__(self) -> "Attempts":
        return self

    async def __anext__(self) -> Attempted | int:
        event = b""
        while (line := await self._line()) is not None:
            name, _, value = line.partition(b": ")
            if name == b"event":
                event = value
            elif name == b"data" and event in {b"attempt", b"missed"}:
                return self._read(event, value)
        raise StopAsyncIteration

    def _read(self, event: bytes, value: bytes) -> Attempted | int:
        try:
            return int(value) if event == b"missed" else self._decode(value)
        except (ValueError, msgspec.MsgspecError):
            raise stranger(self._path) from None

    async def _line(self) -> bytes | None:
        while b"\n" not in self._waiting:
            if len(self._waiting) > _LINE_MAX_BYTES:
                raise stranger(self._path)
            try:
                with trio.fail_after(_STILL_S):
                    chunk = await self._stream.receive_some()
            except trio.TooSlowError:
                raise _silent(self._path, _STILL_S) from None
            except trio.BrokenResourceError:
                return None
            if not chunk:
                return None
            self._waiting += chunk
        line, _, self._waiting = self._waiting.partition(b"\n")
        return line


def _silent(path: Path, seconds: float) -> ControlUnreachable:
    return ControlUnreachable(f"{path}: callpost has been silent for {seconds:g} seconds.")
