"""A file that only takes up room, dropped when the disk is full so that outcomes can be written.

While it is missing no event is accepted: the room that it left belongs to what must not be lost.
"""

import errno
import os
from contextlib import suppress
from pathlib import Path
from typing import Final

import trio
from structlog.typing import FilteringBoundLogger

BALLAST: Final = "ballast"

# Room for what was in flight when the disk became full: a page or two for an outcome at worst.
BALLAST_BYTES: Final = 1024 * 1024
# It is laid again only where as much stays free beside it, or it would come and go.
_ROOM_SHARE: Final = 2
# What opening a spool and enrolling its subscriptions takes, with room to spare.
_START_BYTES: Final = 256 * 1024
# Between two looks at the free space while it is missing.
_LOOK_S: Final = 1.0
_NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


class Ballast:
    """Laid at the start, and again when there is room."""

    def __init__(self, directory: Path, *, log: FilteringBoundLogger) -> None:
        """Drop it if the disk is so full that the spool could not even be opened."""
        self._directory = directory
        self._path = directory / BALLAST
        self._log = log
        self._look_at = float("-inf")
        self._missing = False
        if self._is_there() and _free_bytes(directory) < _START_BYTES:
            self.drop()

    def lay(self) -> None:
        """Lay it if it is not there; once, when the spool has been opened."""
        if not self._missing and not self._is_there() and not self._lay():
            self._missing = True
            self._log.warning("spool.ballast_missing")

    def drop(self) -> bool:
        """Make its room free; say whether there was any."""
        if self._missing:
            return False
        self._missing = True
        with suppress(OSError):
            self._path.unlink()
            self._log.warning("spool.ballast_dropped", bytes=BALLAST_BYTES)
            return True
        return False

    def holds(self) -> bool:
        """Say whether it is in its place, after laying it again where there is room now."""
        if self._missing and trio.current_time() >= self._look_at:
            self._look_at = trio.current_time() + _LOOK_S
            self._missing = not self._lay()
            if not self._missing:
                self._log.info("spool.ballast_restored", bytes=BALLAST_BYTES)
        return not self._missing

    def _is_there(self) -> bool:
        try:
            return self._path.stat().st_size >= BALLAST_BYTES
        except OSError:
            return False

    def _lay(self) -> bool:
        """Say whether it could be laid, or is no use here.

        A file system that fails in another way than by being full is not helped by a ballast,
        and the events are not to suffer for it.
        """
        try:
            if _free_bytes(self._directory) < _ROOM_SHARE * BALLAST_BYTES:
                return False
            flags = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC
            descriptor = os.open(self._path, flags, 0o600)
            try:
                os.posix_fallocate(descriptor, 0, BALLAST_BYTES)
            finally:
                os.close(descriptor)
        except OSError as fault:
            with suppress(OSError):
                self._path.unlink()
            return fault.errno not in _NO_ROOM
        return True


def _free_bytes(directory: Path) -> int:
    space = os.statvfs(directory)
    return space.f_bavail * space.f_frsize
