"""What the spool knows of its queues in figures, for whoever tells how they are.

Nothing here writes, and only what is asked for is counted; what takes its time is counted in a
thread, over a connection of its own.
"""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

import trio

from callpost.edge.spool.files import connect_reading
from callpost.edge.spool.health import Health, told
from callpost.edge.spool.read import Reader
from callpost.edge.spool.tally import Tally
from callpost.edge.spool.write import Writer
from callpost.model.condition import Trouble
from callpost.model.delivery import SpoolUnreadable

DEAD: Final = "select subscription, count(*) from dead group by subscription"


class SpoolCounts:
    """Counts of one open spool; reading raises `SpoolUnreadable`."""

    def __init__(
        self, directory: Path, reader: Reader, tally: Tally, writer: Writer, health: Health
    ) -> None:
        self._directory = directory
        # Who asks while it is being counted waits, and does not count beside it.
        self._counting = trio.CapacityLimiter(1)
        self._health = health
        self._reader = reader
        self._tally = tally
        self._writer = writer

    @property
    def trouble(self) -> Trouble | None:
        """What is wrong with the spool, None where all is well."""
        return self._health.trouble

    @property
    def commits(self) -> int:
        """How many transactions were written."""
        return self._writer.commits

    @property
    def commit_out_s(self) -> float:
        """For how long the present commit has been out; 0 where none is."""
        return self._writer.commit_out_s

    @property
    def pending(self) -> int:
        """The pending deliveries of all queues; costs next to nothing."""
        return self._tally.total()

    def pending_of(self, subscription: int) -> int:
        """Return its pending deliveries; costs nothing."""
        return self._tally.of(subscription)

    def oldest_at(self, subscription: int) -> float | None:
        """Return when its oldest pending delivery was accepted, None where none is; some 5 us."""
        return self._reader.oldest_at(subscription)

    async def dead_by_subscription(self) -> dict[int, int]:
        """Count the dead letters of each subscription that has any; 80 ms a million."""

        def counted() -> dict[int, int]:
            try:
                with closing(connect_reading(self._directory)) as connection:
                    return dict(connection.execute(DEAD).fetchall())
            except sqlite3.Error as fault:
                raise SpoolUnreadable(f"The spool cannot be read: {told(fault)}.") from fault

        return await trio.to_thread.run_sync(counted, limiter=self._counting)
