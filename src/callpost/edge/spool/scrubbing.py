"""Goes round the pages of a spool while it works, and blanks what no table uses any more.

A purge goes round at once. Retention goes on from where it was, a stretch at each pass, until
every page has been passed since it took something: so the cost of a pass is bounded.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

import trio

from callpost.edge.spool.log import WriteAheadLog
from callpost.edge.spool.scrub import SCRUBBED_AT_ONCE, Scrubber
from callpost.edge.spool.write import Writer

# Chunks of one pass of retention: 512 MiB, which take 1 s of every half minute, 0.4 s of it CPU,
# where the system has the file in memory. Commits get their turn between two, after some 25 ms.
_CHUNKS_A_PASS: Final = 32
# Whoever reads the spool meanwhile keeps the log from being emptied, for milliseconds if he is
# one of ours.
_EMPTYING_TRIES: Final = 20
_EMPTYING_PAUSE_S: Final = 0.25


class Scrubbing:
    """Scrubs the spool in `directory`, whose log is `wal`; closed behind its connections."""

    def __init__(self, directory: Path, writer: Writer, wal: WriteAheadLog) -> None:
        self._directory = directory
        self._writer = writer
        self.wal = wal
        self._scrubber: Scrubber | None = None
        # Where retention goes on, and how many chunks make its round complete: None where rows
        # have gone since it began, as they may have before the start.
        self._after = 0
        self._chunks_left: int | None = None

    def soil(self) -> None:
        """Rows have gone: what they have left in pages in use must go as well."""
        self._chunks_left = None

    async def go_on(self, *, is_over: Callable[[], bool]) -> None:
        """Blank the next pages, unless a whole round has been made since rows have gone.

        It stops where somebody else reads the spool, and when `is_over`. Raises `NotWritten`.
        """
        for _ in range(_CHUNKS_A_PASS):
            if self._chunks_left == 0 or is_over():
                return
            following = await self._blanked(self._after)
            if following is None:
                return
            if self._chunks_left is None:
                self._chunks_left = self._chunks()
            self._after = following
            self._chunks_left -= 1

    async def go_round(self) -> bool:
        """Blank every page, from the first to the last; says whether it came to the end."""
        page, failures = 0, 0
        while failures < _EMPTYING_TRIES:
            following = await self._blanked(page)
            if following == 0:
                return True
            if following is None:
                failures += 1
                await trio.sleep(_EMPTYING_PAUSE_S)
            else:
                page, failures = following, 0
        return False

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        if self._scrubber is not None:
            self._scrubber.close()
            self._scrubber = None

    async def _blanked(self, after: int) -> int | None:
        """Blank one chunk behind page `after`; see `Scrubber.scrub`."""
        # So little is left of the log for the scrubber to copy that commits need not wait for it.
        if not await self.wal.copy():
            return None
        if self._scrubber is None:
            self._scrubber = Scrubber(self._directory)
        return await self._writer.chore(partial(self._scrubber.scrub, after=after), bare=True)

    def _chunks(self) -> int:
        """As many as the file has, the first and the last one counted once."""
        return self._scrubber.pages() // SCRUBBED_AT_ONCE + 1 if self._scrubber else 1
