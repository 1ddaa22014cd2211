"""How much disk the spool takes, and whether that is too much.

The write-ahead log counts too, at its full allowance: else a spool at its limit would be full
and not full by turns, as the log comes and goes. Where the disk does not say, the room is what
it was: whether it can be written is for the commit to find out.
"""

import os
from contextlib import suppress
from pathlib import Path
from typing import Final, Literal

from callpost.edge.spool.files import DATABASE
from callpost.edge.spool.read import Reader
from callpost.edge.spool.schema import PAGE_BYTES, wal_max_bytes
from callpost.model.delivery import SpoolUnreadable

# Above this part of `max_bytes` retention no longer waits for `retain`.
_TIGHT_SHARE: Final = 0.9
# What is freed before its time is freed to here, so that a spool that stays nearly full does it
# now and then, and tells of it, not at each commit.
_EASED_SHARE: Final = 0.85
# The log is checkpointed when it has passed its allowance, so it may be a batch longer. One that
# is twice as long is held by a reader of another process, and counts as it is.
_WAL_ASTRAY: Final = 2


class Room:
    """Measured once per commit; some 8 us."""

    def __init__(self, reader: Reader, directory: Path, *, max_bytes: int) -> None:
        self._reader = reader
        self._wal = directory / f"{DATABASE}-wal"
        self._max_bytes = max_bytes
        self._wal_max_bytes = wal_max_bytes(max_bytes)
        self._last_pages = (0, 0)

    def obey(self, max_bytes: int) -> None:
        """Let the spool take so much; the write-ahead log keeps the allowance of the start."""
        self._max_bytes = max_bytes

    def used_bytes(self) -> int:
        """Return what the database's pages take and the write-ahead log may take."""
        try:
            wal_bytes = os.stat(self._wal).st_size  # noqa: PTH116 - half the time of Path.stat
        except OSError:
            wal_bytes = 0
        if wal_bytes < _WAL_ASTRAY * self._wal_max_bytes:
            wal_bytes = self._wal_max_bytes
        used, _ = self._pages()
        return used * PAGE_BYTES + wal_bytes

    def free_bytes(self) -> int:
        """Return what the database's file holds beyond that."""
        _, free = self._pages()
        return free * PAGE_BYTES

    def is_eased(self) -> bool:
        """Say whether enough has been freed before its time."""
        return self.used_bytes() < self._max_bytes * _EASED_SHARE

    def fill(self) -> Literal["ample", "tight", "full"]:
        """Say whether delivered events must go before their time, and whether all is refused."""
        used_bytes = self.used_bytes()
        if used_bytes >= self._max_bytes:
            return "full"
        return "tight" if used_bytes >= self._max_bytes * _TIGHT_SHARE else "ample"

    def _pages(self) -> tuple[int, int]:
        with suppress(SpoolUnreadable):
            self._last_pages = self._reader.pages()
        return self._last_pages
