"""What a running daemon's spool holds, for those who ask the API: see `api.ports.Records`.

Every answer is read in a thread over a connection of its own, at most two at a time, so that
neither the loop nor the writer ever waits for an operator.
"""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

import trio

from callpost.edge.spool.dead import read_dead
from callpost.edge.spool.files import connect_reading
from callpost.edge.spool.health import told
from callpost.edge.spool.pending import read_pending
from callpost.edge.spool.schema import STEPS
from callpost.edge.spool.story import Stories
from callpost.model.delivery import SpoolUnreadable
from callpost.model.limits import LogNumbers
from callpost.model.replay import Selection, Sight
from callpost.model.story import CallStory, DeadPage, EventStory, PendingPage

# The threads of the commits are others; two readers leave them the disk.
_AT_ONCE: Final = 2
_Answer = TypeVar("_Answer")


class SpoolRecords:
    """Reads the spool in `directory`; every read may raise `SpoolUnreadable` or `BadCursor`."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._numbers: LogNumbers = "masked"
        self._readers = trio.CapacityLimiter(_AT_ONCE)

    def show_numbers(self, numbers: LogNumbers) -> None:
        """Show numbers in this way from now on."""
        self._numbers = numbers

    async def pending(self, selection: Selection, *, limit: int, cursor: str) -> PendingPage:
        """See Records."""
        return await self._read(
            partial(read_pending, selection=selection, limit=limit, cursor=cursor)
        )

    async def dead(self, selection: Selection, *, limit: int, cursor: str) -> DeadPage:
        """See Records."""
        return await self._read(partial(read_dead, selection=selection, limit=limit, cursor=cursor))

    async def call(
        self, call_id: str, *, customer: str, limit: int, among: Sight | None = None
    ) -> CallStory | None:
        """See Records."""
        return await self._read(
            lambda connection: self._stories(connection, among).of_call(
                call_id, customer=customer, limit=limit
            )
        )

    async def events(
        self, event_id: str, *, customer: str, among: Sight | None = None
    ) -> tuple[EventStory, ...]:
        """See Records."""
        return await self._read(
            lambda connection: self._stories(connection, among).of_event(
                event_id, customer=customer
            )
        )

    async def _read(self, read: Callable[[sqlite3.Connection], _Answer]) -> _Answer:
        def answer() -> _Answer:
            try:
                with closing(connect_reading(self._directory)) as connection:
                    return read(connection)
            except sqlite3.Error as fault:
                raise SpoolUnreadable(f"The spool cannot be read: {told(fault)}.") from fault

        return await trio.to_thread.run_sync(answer, limiter=self._readers)

    def _stories(self, connection: sqlite3.Connection, among: Sight | None) -> Stories:
        # A running daemon has brought its tables up to date.
        return Stories(connection, schema=len(STEPS), numbers=self._numbers, among=among)
