"""Makes the sockets at their paths, with mode and group in force before anyone can connect.

What stands at a path is replaced only if it is a socket, ours, and nobody answers on it.
"""

import errno
import grp
import os
import pwd
import socket
import stat
import struct
from contextlib import suppress
from pathlib import Path
from typing import Final

from callpost.model.limits import SOCKET_PATH_MAX_BYTES

# Producers that connect at the same moment; the kernel cuts it to net.core.somaxconn.
_BACKLOG: Final = 1024
# Until group and mode are set, only the daemon itself may use the socket.
_MODE_AT_FIRST: Final = 0o600


class SocketUnusable(Exception):
    """The socket cannot be made; the message is one sentence that names the path."""


class GroupUnusable(SocketUnusable):
    """The group is not there, or the daemon's user may not give it the socket."""


def listen_stream(path: Path, *, mode: int, group: str) -> socket.socket:
    """Return a listening stream socket at `path`; `group` "" keeps the process' own.

    Raises SocketUnusable.
    """
    made = _bound(path, socket.SOCK_STREAM, mode=mode, group=group)
    made.listen(_BACKLOG)
    return made


def bind_datagram(path: Path, *, mode: int, group: str) -> socket.socket:
    """Return a datagram socket bound to `path`; `group` "" keeps the process' own.

    Raises SocketUnusable.
    """
    return _bound(path, socket.SOCK_DGRAM, mode=mode, group=group)


def _bound(path: Path, kind: socket.SocketKind, *, mode: int, group: str) -> socket.socket:
    size = len(os.fsencode(path))
    if size > SOCKET_PATH_MAX_BYTES:
        raise SocketUnusable(
            f"{path}: a socket's path has at most {SOCKET_PATH_MAX_BYTES} bytes,"
            f" this one has {size}."
        )
    group_id = _group_id(path, group)
    made = socket.socket(socket.AF_UNIX, kind)
    try:
        _clear(path)
        # bind(2) gives the file the mode of the descriptor, less the umask.
        os.fchmod(made.fileno(), _MODE_AT_FIRST)
        made.bind(os.fspath(path))
        _open_to(path, mode=mode, group=group, group_id=group_id)
    except OSError as error:
        made.close()
        raise SocketUnusable(_sentence(path, error)) from error
    except SocketUnusable:
        made.close()
        raise
    return made


def _group_id(path: Path, group: str) -> int | None:
    if not group:
        return None
    try:
        return grp.getgrnam(group).gr_gid
    except KeyError:
        raise GroupUnusable(f"{path}: there is no group {group!r} on this machine.") from None


def _open_to(path: Path, *, mode: int, group: str, group_id: int | None) -> None:
    # Without a group nothing is called that a sandbox may forbid.
    if group_id is not None:
        try:
            os.chown(path, -1, group_id, follow_symlinks=False)
        except OSError as error:
            path.unlink()
            raise GroupUnusable(
                f"{path}: cannot give the socket to the group {group!r} ({_told(error)});"
                " is the daemon's user a member of it?"
            ) from error
    path.chmod(mode)


def _clear(path: Path) -> None:
    """Remove a stale socket from `path`; raise SocketUnusable where something else is there."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(found.st_mode):
        raise SocketUnusable(f"{path}: something that is not a socket is in the way.")
    if os.geteuid() not in {0, found.st_uid}:
        raise SocketUnusable(
            f"{path}: the socket there belongs to the user {_user_name(found.st_uid)}, not to us."
        )
    holder = _holder(path)
    if holder is not None:
        raise SocketUnusable(f"{path}: {holder} answers on this socket already.")
    path.unlink()


def _holder(path: Path) -> str | None:
    """Say who answers on the socket at `path`, in words; None where nobody does."""
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_UNIX, kind) as caller:
            caller.setblocking(False)
            try:
                caller.connect(os.fspath(path))
            except (ConnectionRefusedError, FileNotFoundError):
                return None
            except BlockingIOError:
                # Its backlog is full: busy, but alive.
                return "another process"
            except OSError as error:
                if error.errno != errno.EPROTOTYPE:
                    raise
                # Somebody has it open as the other kind of socket.
                continue
            return _process_of(caller)
    return "another process"


def _process_of(caller: socket.socket) -> str:
    size = struct.calcsize("3i")
    pid, _, _ = struct.unpack("3i", caller.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size))
    # The kernel knows the owner of a listening socket only; 0 stands for "not known".
    if pid == 0:
        return "another process"
    name = ""
    with suppress(OSError):
        name = Path(f"/proc/{pid}/comm").read_text("utf-8", "replace").strip()
    return f"process {pid} ({name})" if name else f"process {pid}"


def _user_name(user_id: int) -> str:
    try:
        return pwd.getpwuid(user_id).pw_name
    except KeyError:
        return str(user_id)


def _sentence(path: Path, error: OSError) -> str:
    match error.errno:
        case errno.ENOENT:
            return f"{path}: the directory {path.parent} does not exist."
        case errno.ENOTDIR:
            return f"{path}: {path.parent} is not a directory."
        case errno.EACCES | errno.EPERM:
            return f"{path}: no permission to make a socket in {path.parent}."
        case errno.EADDRINUSE:
            return f"{path}: another process has just made a socket there."
        case _:
            return f"{path}: cannot make the socket: {_told(error)}."


def _told(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()
