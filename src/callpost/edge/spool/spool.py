"""The spool as the house sees it: `open_spool`, and the port `Spool` with what daemon needs more.

Appends and settlements go to the writer, reads to the reader; each has a connection of its own.
"""

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Final

import trio
from structlog.typing import FilteringBoundLogger

from callpost.edge.spool import enroll, schema
from callpost.edge.spool.files import (
    DATABASE,
    Claim,
    SpoolUnusable,
    connect_writing,
    make_database,
)
from callpost.edge.spool.keep import Keeper, Trimmed, checkpoint
from callpost.edge.spool.ledger import Ledger
from callpost.edge.spool.read import Reader
from callpost.edge.spool.room import Room
from callpost.edge.spool.write import NotWritten, Writer
from callpost.model.delivery import Arrival, Delivery, Page, Receipt, Settlement
from callpost.model.limits import SpoolLimits
from callpost.model.subscription import Order

_KEEP_INTERVAL_S: Final = 30.0


def open_spool(directory: Path, *, limits: SpoolLimits, log: FilteringBoundLogger) -> "SqliteSpool":
    """Claim the state directory and open its spool, made or brought up to date where needed.

    Raises `SpoolUnusable`. What was pending when it was last closed, or killed, is there.
    """
    with ExitStack() as held:
        claim = Claim.of(directory)
        held.callback(claim.release)
        make_database(directory)
        connection = connect_writing(directory)
        held.callback(connection.close)
        schema.prepare(
            connection,
            directory / DATABASE,
            durability=limits.durability,
            max_bytes=limits.max_bytes,
        )
        reader = Reader.of(directory)
        held.callback(reader.close)
        return SqliteSpool(
            directory, connection, reader=reader, limits=limits, log=log, held=held.pop_all()
        )


class SqliteSpool:
    """See ports.Spool; nothing is written but while `run` is alive."""

    def __init__(
        self,
        directory: Path,
        connection: sqlite3.Connection,
        *,
        reader: Reader,
        limits: SpoolLimits,
        log: FilteringBoundLogger,
        held: ExitStack,
    ) -> None:
        self._held = held
        self._directory = directory
        self._reader = reader
        self._ledger = Ledger(connection)
        self._room = Room(reader, directory, max_bytes=limits.max_bytes)
        self._writer = Writer(
            connection, ledger=self._ledger, room=self._room, on_tight=self._press, log=log
        )
        self._keeper = Keeper(
            self._writer,
            room=self._room,
            limits=limits,
            directory=directory,
            forget_calls=self._ledger.forget,
            log=log,
        )

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Write until `finish` has been called and everything queued is on disk; then close."""
        task_status.started()
        try:
            await self._writer.run()
            # Here, in a thread, so that closing has little left to copy.
            await trio.to_thread.run_sync(checkpoint, self._directory)
        finally:
            self.close()

    def finish(self) -> None:
        """Let `run`, and `keep`, return."""
        self._keeper.finish()
        self._writer.finish()

    def close(self) -> None:
        """Close the files without writing anything more; a second call does nothing."""
        self._held.close()

    async def keep(self, *, now: Callable[[], float], interval_s: float = _KEEP_INTERVAL_S) -> None:
        """Trim again and again, until `finish`; `now` is the steady clock."""
        await self._keeper.run(now, interval_s=interval_s)

    async def trim(self, now: float) -> Trimmed:
        """Make one pass of retention; raises `NotWritten`."""
        return await self._keeper.trim(now)

    async def enroll(self, names: Sequence[str], *, now: float) -> dict[str, int]:
        """Return the number of each subscription, the same at every start.

        One that is no longer named ends here: what is pending for it becomes dead letters
        (`subscription_removed`), and so does what was routed to it before and comes later.
        Raises `SpoolUnusable`.
        """
        try:
            known = await self._writer.chore(partial(enroll.register, names=names))
            enrolled = {name: known[name] for name in names}
            gone = frozenset(known.values()) - frozenset(enrolled.values())
            self._ledger.removed = gone
            while await self._writer.chore(partial(enroll.bury, gone=gone, now=now)):
                pass
        except NotWritten as fault:
            raise SpoolUnusable(str(fault)) from fault
        return enrolled

    async def append(self, arrivals: Sequence[Arrival]) -> list[Receipt]:
        """See ports.Spool."""
        return await self._writer.append(arrivals)

    def settle(self, settlement: Settlement, written: Callable[[bool], None] | None = None) -> None:
        """See ports.Spool."""
        self._writer.settle(settlement, written)

    def page(self, subscription: int, *, after: int, limit: int, order: Order) -> Page:
        """See ports.Spool."""
        return self._reader.page(subscription, after=after, limit=limit, order=order)

    def due(self, subscription: int, *, now: float, limit: int, order: Order) -> list[int]:
        """See ports.Spool."""
        return self._reader.due(subscription, now=now, limit=limit, order=order)

    def next_due(self, subscription: int, *, now: float) -> float | None:
        """See ports.Spool."""
        return self._reader.next_due(subscription, now=now)

    def lane(
        self, subscription: int, key: int, *, after: int, limit: int, order: Order
    ) -> list[Delivery]:
        """See ports.Spool."""
        return self._reader.lane(subscription, key, after=after, limit=limit, order=order)

    def newest_stamp(self) -> float:
        """Return the largest `accepted_at`, or 0; the steady clock never goes below it."""
        return self._reader.newest_stamp()

    def pending(self) -> dict[int, int]:
        """Count the pending deliveries of each subscription that has any; 80 ms a million."""
        return self._reader.pending()

    def dead_count(self) -> int:
        """Count the dead letters."""
        return self._reader.dead_count()

    def used_bytes(self) -> int:
        """Return what the spool takes of `max_bytes`."""
        return self._room.used_bytes()

    @property
    def commits(self) -> int:
        """How many transactions were written."""
        return self._writer.commits

    def _press(self) -> None:
        self._keeper.press()
