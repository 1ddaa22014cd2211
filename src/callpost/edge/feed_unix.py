"""Feeds lines to a daemon's stream socket and reads its replies at the same time.

Lines are sent ahead of their replies, but never more than a bounded number of them, and each
reply is matched with the line that it answers.
"""

import errno
import grp
import socket
import stat
from collections import deque
from collections.abc import AsyncIterable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, Literal

import msgspec
import trio
from msgspec import Struct

from callpost.model.lines import LineCutter

# Enough to keep the daemon's commits full, little enough to be nothing in memory.
_AHEAD_MAX_LINES: Final = 16_384
# A reply holds an id, or a sentence and a path: far less than this.
_REPLY_MAX_BYTES: Final = 65_536
_READ_MAX_BYTES: Final = 65_536
# A daemon with a slow disk may take its time, but not this long.
ANSWER_TIMEOUT_S: Final = 60.0

# A blank line before all others: the intake passes over it, and whoever speaks HTTP refuses it
# instead of waiting for the rest of a request.
_TOUCHSTONE: Final = b"\n"
# complete: every line has its answer. The others say why some have none: the daemon closed the
# connection, did not answer in time, answered in HTTP, or what is no reply.
End = Literal["complete", "closed", "silent", "http", "strange"]


class Refusal(Struct, frozen=True):
    """A line that was not accepted; `line` is its number in the input, from 1."""

    line: int
    error: str
    message: str
    path: str


class Fed(Struct, frozen=True, kw_only=True):
    """What became of the lines; `accepted` counts the `duplicates` as well."""

    accepted: int
    duplicates: int
    refused: int
    matched: int
    unanswered: int
    end: End


class CannotConnect(Exception):
    """There is no daemon to feed; the message is one sentence with the likely cause."""


def connected(path: Path) -> trio.SocketStream:
    """Connect to the daemon's stream socket, or raise CannotConnect; never waits."""
    door = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    door.setblocking(False)
    try:
        door.connect(str(path))
    except OSError as error:
        door.close()
        raise CannotConnect(_why_not(path, error)) from error
    return trio.SocketStream(trio.socket.from_stdlib_socket(door))


async def feed(
    daemon: trio.SocketStream,
    data: AsyncIterable[bytes],
    *,
    refused: Callable[[Refusal], None],
    moved: Callable[[int], None],
    answer_timeout_s: float = ANSWER_TIMEOUT_S,
) -> Fed:
    """Send `data` as it comes, however it is cut; return when the last reply is there.

    `refused` is called for each refusal, `moved` with the number of bytes after each piece.
    In its nursery lives the task that sends; it ends with the last reply.
    """
    feeding = _Feeding(refused)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(feeding.send, daemon, data, moved)
        end = await feeding.read(daemon, answer_timeout_s)
        nursery.cancel_scope.cancel()
    return feeding.result(end)


class _Feeding:
    """The lines under way and what became of the others."""

    def __init__(self, refused: Callable[[Refusal], None]) -> None:
        self._tell_refused = refused
        self._under_way: deque[int] = deque()
        self._sending = True
        self._answered = trio.lowlevel.ParkingLot()
        self._accepted = self._duplicates = self._refused = self._matched = 0

    async def send(
        self, daemon: trio.SocketStream, data: AsyncIterable[bytes], moved: Callable[[int], None]
    ) -> None:
        """Send everything, then half-close; a daemon that is gone shows in what is read."""
        numbers = _LineNumbers()
        touchstone = _TOUCHSTONE
        with suppress(trio.BrokenResourceError):
            async for piece in data:
                while len(self._under_way) > _AHEAD_MAX_LINES:
                    await self._answered.park()
                self._under_way += numbers.feed(piece)
                await daemon.send_all(touchstone + piece)
                touchstone = b""
                moved(len(piece))
            self._under_way += numbers.end()
            await daemon.send_eof()
            self._sending = False

    async def read(self, daemon: trio.SocketStream, answer_timeout_s: float) -> End:
        """Read replies until each line has one, or none can come any more."""
        cutter = LineCutter(_REPLY_MAX_BYTES)
        while self._under_way or self._sending:
            awaited = bool(self._under_way)
            try:
                with trio.fail_after(answer_timeout_s):
                    data = await daemon.receive_some(_READ_MAX_BYTES)
            except trio.TooSlowError:
                if awaited:
                    return "silent"
                continue
            except trio.BrokenResourceError:
                return "closed"
            if not data:
                return "closed" if self._under_way or self._sending else "complete"
            for line in cutter.feed(data):
                if not self._take(line):
                    return "http" if (line or b"").startswith(b"HTTP/") else "strange"
            self._answered.unpark_all()
        return "complete"

    def _take(self, line: bytes | None) -> bool:
        """Count one reply; False where it is none, or answers nothing."""
        try:
            reply = msgspec.json.decode(line or b"", type=_Reply)
        except msgspec.MsgspecError:
            return False
        if not self._under_way:
            return False
        number = self._under_way.popleft()
        if not reply.ok:
            self._refused += 1
            self._tell_refused(Refusal(number, reply.error, reply.message, reply.path))
            return True
        self._accepted += 1
        if reply.duplicate:
            self._duplicates += 1
        else:
            self._matched += reply.matched
        return True

    def result(self, end: End) -> Fed:
        """Everything so far."""
        return Fed(
            accepted=self._accepted,
            duplicates=self._duplicates,
            refused=self._refused,
            matched=self._matched,
            unanswered=len(self._under_way),
            end=end,
        )


class _Reply(Struct):
    """A reply line, of either kind."""

    ok: bool
    matched: int = 0
    duplicate: bool = False
    error: str = ""
    message: str = ""
    path: str = ""


class _LineNumbers:
    """Which lines of the input get a reply: all but the blank ones, however they are cut."""

    def __init__(self) -> None:
        self._number = 1
        self._blank = True

    def feed(self, piece: bytes) -> list[int]:
        """Return the numbers of the lines that `piece` completes."""
        *whole, rest = piece.split(b"\n")
        answered = []
        for line in whole:
            if not (self._blank and _is_blank(line)):
                answered.append(self._number)
            self._number += 1
            self._blank = True
        self._blank = self._blank and _is_blank(rest)
        return answered

    def end(self) -> list[int]:
        """Return the number of a last line without LF."""
        return [] if self._blank else [self._number]


def _is_blank(line: bytes) -> bool:
    return not line.strip(b" \t\r")


def _why_not(path: Path, error: OSError) -> str:
    match error.errno:
        case errno.ENOENT:
            return f"there is no socket {path}; is the daemon running (`callpost run`)?"
        case errno.ECONNREFUSED | errno.EACCES | errno.EPERM if not _is_socket(path):
            return f"{path} is not a socket."
        case errno.ECONNREFUSED:
            return f"nobody answers on {path}; the daemon that made it is not running."
        case errno.EACCES | errno.EPERM:
            return f"no permission to write to {path}; {_who_may(path)}"
        case errno.EAGAIN:
            return f"too many producers are waiting at {path}; try again later."
        case errno.EPROTOTYPE:
            return f"{path} is a datagram socket; events are sent to the stream socket."
        case _:
            return f"cannot connect to {path}: {error.strerror or error}."


def _is_socket(path: Path) -> bool:
    try:
        return stat.S_ISSOCK(path.stat().st_mode)
    except OSError:
        # Nobody who may not look can say that it is none.
        return True


def _who_may(path: Path) -> str:
    try:
        group = grp.getgrgid(path.stat().st_gid).gr_name
    except (OSError, KeyError):
        return "producers need to be members of its group."
    return f"producers need to be members of the group {group!r}."
