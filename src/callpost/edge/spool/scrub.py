"""Blanks what no table uses any more within the pages that are in use.

Where SQLite moves rows from one page to another it leaves the old bytes in the unallocated part
of the first (https://www.sqlite.org/fileformat2.html, 1.6), even with `secure_delete`. Nobody
ever reads them, and so they may be written beside SQLite, while it has nothing of the page at
hand: no write-ahead log, and no page in memory.
"""

import os
import sqlite3
import struct
from pathlib import Path
from typing import Final

from callpost.edge.spool.files import DATABASE
from callpost.edge.spool.log import truncated
from callpost.edge.spool.schema import PAGE_BYTES

# Pages blanked while nothing else is written: 6 ms where all are clean and the system has them in
# memory, some 20 ms where not.
SCRUBBED_AT_ONCE: Final = 4_096
# Every page of the map says of so many that follow it what they are, in five bytes each.
_MAPPED: Final = PAGE_BYTES // 5
_ROOT, _BRANCH = 1, 5
# Of a page with rows: its kind, how many cells, where their content begins.
_HEADER: Final = struct.Struct(">B2xHHx")
_INTERIOR: Final = frozenset({2, 5})
_LEAVES: Final = frozenset({10, 13})


class Scrubber:
    """Scrubs the database in `directory`, from its beginning to its end."""

    def __init__(self, directory: Path) -> None:
        self._descriptor = os.open(directory / DATABASE, os.O_RDWR | os.O_CLOEXEC)

    def close(self) -> None:
        """Close the file, once SQLite has closed it.

        Whoever closes a file drops all locks that SQLite has on it in this process.
        """
        os.close(self._descriptor)

    def pages(self) -> int:
        """Count the pages of the file."""
        return os.fstat(self._descriptor).st_size // PAGE_BYTES

    def scrub(self, connection: sqlite3.Connection, after: int) -> int | None:
        """Blank the pages behind `after`; the last of them, 0 at the end, None if it cannot be.

        Runs in the thread of the commits, outside of a transaction: nothing else is written.
        """
        if not truncated(connection):
            return None
        connection.execute("pragma shrink_memory").fetchall()
        try:
            return self._scrub_behind(after)
        except OSError:
            return None

    def _scrub_behind(self, after: int) -> int:
        last = min(after + SCRUBBED_AT_ONCE, self.pages())
        kinds = b""
        # The first page has the header and the schema, and no rows of ours.
        for page in range(max(after, 1) + 1, last + 1):
            place = (page - 2) % (_MAPPED + 1)
            if not place or not kinds:
                kinds = self._read(page - place)
            if place and kinds[(place - 1) * 5] in {_ROOT, _BRANCH}:
                self._blank(page)
        os.fdatasync(self._descriptor)
        return last if last == after + SCRUBBED_AT_ONCE else 0

    def _blank(self, page: int) -> None:
        content = self._read(page)
        kind, cells, begins = _HEADER.unpack_from(content)
        head = 12 if kind in _INTERIOR else 8
        ends = head + 2 * cells
        if kind not in _INTERIOR | _LEAVES or not ends <= begins <= PAGE_BYTES:
            # Not as it should be: damage is another file's affair.
            return
        if content.count(0, ends, begins) < begins - ends:
            os.pwrite(self._descriptor, bytes(begins - ends), (page - 1) * PAGE_BYTES + ends)

    def _read(self, page: int) -> bytes:
        return os.pread(self._descriptor, PAGE_BYTES, (page - 1) * PAGE_BYTES).ljust(
            PAGE_BYTES, b"\0"
        )
