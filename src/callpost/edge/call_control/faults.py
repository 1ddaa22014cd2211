"""What goes wrong between a command and the daemon, as one sentence with its likely cause."""

import errno
import grp
import stat
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from callpost.model.limits import ADMIN_GROUP

PROBLEM: Final = "application/problem+json"
_HTTP: Final = b"HTTP/1."
# How the intake begins what it says to a line that is no event.
_REPLY: Final = b'{"ok":false,'


class ControlUnreachable(Exception):
    """Nobody answers as callpost does; the message is one sentence with the likely cause."""


class ControlRefused(Exception):
    """The daemon answers with a problem; the message is one sentence."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class _Problem(Struct):
    """What of a problem document is told; see web.problem."""

    detail: str
    errors: tuple["_FieldFault", ...] = ()


class _FieldFault(Struct):
    path: str
    detail: str


def refusal(status: int, content: bytes) -> ControlRefused:
    """What a problem document says."""
    try:
        told = msgspec.json.decode(content, type=_Problem)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return ControlRefused(status, f"callpost refused with the status {status}.")
    faults = "; ".join(f"{one.path}: {one.detail}" for one in told.errors)
    sentence = faults if faults.endswith("?") else f"{faults}."
    return ControlRefused(status, sentence if faults else told.detail)


def is_http(begun: bytes) -> bool:
    """Whether an answer that begins so may be one of HTTP's."""
    return begun.startswith(_HTTP[: len(begun)])


def stranger(path: Path, begun: bytes = b"") -> ControlUnreachable:
    """Somebody answers, but not as callpost does on its control socket."""
    if begun.startswith(_REPLY):
        return ControlUnreachable(
            f"{path}: this is the intake's socket, where events go in, not the control socket."
        )
    return ControlUnreachable(f"{path}: whoever answers there does not speak as callpost does.")


def broken_off(path: Path) -> ControlUnreachable:
    """The connection ended in the middle."""
    return ControlUnreachable(f"{path}: callpost has broken off; it is stopping, or was killed.")


def unreachable(path: Path, fault: Exception) -> ControlUnreachable:
    """There is no connection; the system's fault says why."""
    return ControlUnreachable(_sentence(path, fault))


def _sentence(path: Path, fault: Exception) -> str:
    match _errno_of(fault):
        case errno.ENOENT | errno.ENOTDIR:
            return f"{path}: there is no control socket; is callpost running?"
        case _ if not _is_socket(path):
            return f"{path}: this is not a socket."
        case errno.ECONNREFUSED:
            return f"{path}: nobody answers on the control socket; callpost is not running."
        case errno.EACCES | errno.EPERM:
            return (
                f"{path}: no permission to open the control socket; operators are in the group"
                f" {_group_of(path)}."
            )
        case errno.EPROTOTYPE:
            return f"{path}: this is a socket for datagrams, not the control socket."
        case errno.EAGAIN:
            return f"{path}: callpost is too busy to take another connection."
        case _:
            return f"{path}: cannot connect to the control socket: {fault}."


def _errno_of(fault: BaseException | None) -> int | None:
    """The error number below what the libraries have wrapped around it."""
    while fault is not None:
        if isinstance(fault, OSError) and fault.errno is not None:
            return fault.errno
        fault = fault.__cause__ or fault.__context__
    return None


def _is_socket(path: Path) -> bool:
    try:
        return stat.S_ISSOCK(path.stat().st_mode)
    except OSError:
        return True


def _group_of(path: Path) -> str:
    try:
        return grp.getgrgid(path.stat().st_gid).gr_name
    except (OSError, KeyError):
        return ADMIN_GROUP
