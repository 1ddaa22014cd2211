"""The state directory: made private, claimed by one daemon, and the database file in it.

Whatever makes it unusable is told in one sentence that names the path.
"""

import fcntl
import os
import sqlite3
import stat
from contextlib import suppress
from pathlib import Path
from typing import Final, Self

DATABASE: Final = "spool.db"
LOCK: Final = "lock"
# What a running daemon leaves for the next start when it has found the database damaged.
MARK: Final = "damaged"

# How long a statement waits for another process that writes to the file. Nobody but the daemon
# should; the loop stands still meanwhile, so it is short.
_BUSY_S: Final = 1.0


class SpoolUnusable(Exception):
    """The spool cannot be opened or used; the message is one sentence for the operator."""


class SpoolDamaged(SpoolUnusable):
    """The database contradicts itself: only a start can salvage it, not a second try."""


class Claim:
    """The right to use a state directory, held until `release` or the end of the process.

    It is an flock on the file `lock`, which the kernel drops with the process, so that a crash
    leaves nothing behind; the process id in the file is only for people.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor: int | None = descriptor

    @classmethod
    def of(cls, directory: Path) -> Self:
        """Make `directory` private and claim it, or raise `SpoolUnusable`."""
        try:
            _make_private(directory)
            descriptor = os.open(directory / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as fault:
            raise _unusable(directory, fault) from fault
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        except BlockingIOError as fault:
            holder = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip()
            os.close(descriptor)
            raise SpoolUnusable(
                f"{directory}: is in use by another callpost (process {holder or 'unknown'})"
            ) from fault
        except OSError as fault:
            os.close(descriptor)
            raise _unusable(directory, fault) from fault
        return cls(descriptor)

    def release(self) -> None:
        """Let the next daemon in; a second call does nothing."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def make_database(directory: Path, name: str = DATABASE) -> None:
    """Make the file, mode 0600, where it is missing; SQLite alone would let everyone read it.

    Only before the first connection: closing any descriptor of the file drops all the locks
    that this process has on it (POSIX), SQLite's own among them.
    """
    path = directory / name
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.fchmod(descriptor, 0o600)
        finally:
            os.close(descriptor)
        flush_directory(directory)
    except OSError as fault:
        raise _unusable(path, fault) from fault


def mark_damaged(directory: Path, reason: str) -> None:
    """Have the next start salvage the database, wherever it finds the damage or not.

    A mark that cannot be made costs the next daemon a second discovery, and nothing more.
    """
    with suppress(OSError):
        descriptor = os.open(
            directory / MARK, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600
        )
        try:
            os.write(descriptor, f"{reason}\n".encode())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        flush_directory(directory)


def marked_damage(directory: Path) -> str | None:
    """Return what a daemon has found, None where there is no mark."""
    try:
        return (directory / MARK).read_text(errors="replace").strip()
    except FileNotFoundError:
        return None
    except OSError as fault:
        raise _unusable(directory / MARK, fault) from fault


def not_a_file(mode: int) -> str | None:
    """What stands in the place of a file, by its mode; None where it is one."""
    if stat.S_ISDIR(mode):
        return "is a directory, not a file"
    return None if stat.S_ISREG(mode) else "is not a regular file"


def connect_writing(directory: Path) -> sqlite3.Connection:
    """Open the database that `make_database` has made."""
    # The commit runs in a thread while the loop keeps its hands off the connection.
    return sqlite3.connect(
        directory / DATABASE, timeout=_BUSY_S, isolation_level=None, check_same_thread=False
    )


def connect_reading(directory: Path, name: str = DATABASE) -> sqlite3.Connection:
    """Open the database for reading only; raises what SQLite says."""
    uri = f"{(directory / name).absolute().as_uri()}?mode=ro"
    connection = sqlite3.connect(uri, uri=True, timeout=_BUSY_S, isolation_level=None)
    connection.execute("pragma query_only = on")
    return connection


def _make_private(directory: Path) -> None:
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    if directory.stat().st_mode & 0o077:
        directory.chmod(0o700)


def flush_directory(directory: Path) -> None:
    """A new file is safe only when its directory's entry is on disk too."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _unusable(path: Path, fault: OSError) -> SpoolUnusable:
    if isinstance(fault, FileExistsError | NotADirectoryError):
        return SpoolUnusable(f"{path}: is not a directory")
    return SpoolUnusable(f"{path}: cannot be written: {fault.strerror}")
