"""The spool as the house sees it: the port `Spool`, with what the daemon needs more.

Appends and settlements go to the writer, reads to the reader; each has a connection of its own.
"""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

import trio
from structlog.typing import FilteringBoundLogger

from callpost.edge.spool.ballast import Ballast
from callpost.edge.spool.cards import read_cards, writing
from callpost.edge.spool.connections import Connections
from callpost.edge.spool.counts import SpoolCounts
from callpost.edge.spool.health import Health
from callpost.edge.spool.keep import Keeper, Trimmed
from callpost.edge.spool.ledger import Ledger
from callpost.edge.spool.log import WriteAheadLog
from callpost.edge.spool.purge import Purging
from callpost.edge.spool.records import SpoolRecords
from callpost.edge.spool.relieve import Relief
from callpost.edge.spool.replay import Replay
from callpost.edge.spool.roll import Roll
from callpost.edge.spool.room import Room
from callpost.edge.spool.scrubbing import Scrubbing
from callpost.edge.spool.tally import Tally
from callpost.edge.spool.watcher import Watcher
from callpost.edge.spool.write import NotWritten, Writer
from callpost.model.card import Card, CardsChanged
from callpost.model.delivery import Arrival, Delivery, Enrolled, Page, Receipt, Settlement
from callpost.model.flow import Way
from callpost.model.limits import SpoolLimits
from callpost.model.replay import Replayed, Selection
from callpost.model.silence import Silence
from callpost.model.subscription import Order

_KEEP_INTERVAL_S: Final = 30.0
_DOUBT_S: Final = 1.0
_Result = TypeVar("_Result")


class SqliteSpool:
    """See ports.Spool; nothing is written but while `run` is alive."""

    def __init__(
        self,
        directory: Path,
        connections: Connections,
        tally: Tally,
        *,
        ballast: Ballast,
        limits: SpoolLimits,
        log: FilteringBoundLogger,
        held: ExitStack,
    ) -> None:
        self._held, self._directory, self._log = held, directory, log
        self.records = SpoolRecords(directory)
        self._reader, self._tally = connections.reader, tally
        self._ledger = Ledger(connections, tally=tally)
        self._room = Room(self._reader, directory, max_bytes=limits.max_bytes)
        self._ballast, self._connections = ballast, connections
        health = Health(log)
        self._writer = Writer(
            connections,
            ledger=self._ledger,
            tally=tally,
            room=self._room,
            ballast=ballast,
            on_tight=lambda: self._keeper.press(),  # noqa: PLW0108 - the keeper is made below
            health=health,
        )
        self._roll = Roll(self._chore, ledger=self._ledger, tally=tally)
        self.counts = SpoolCounts(directory, self._reader, tally, self._writer, health)
        self._reader.watch = Watcher(connections, writer=self._writer, health=health)
        self._wal = WriteAheadLog(directory, writer=self._writer, ballast=ballast)
        self._scrubbing = Scrubbing(directory, self._writer, self._wal)
        self.purging = self._purging(log)
        self._keeper = self._made_keeper(limits, log)

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Write until `finish` has been called and everything queued is on disk; then close.

        Raises `SpoolDamaged` once damage was found: the next `open_spool` salvages.
        """
        task_status.started()
        try:
            await self._writer.run()
            # Here, in a thread, so that closing has little left to copy.
            await self._wal.copy()
        finally:
            self.close()

    def finish(self) -> None:
        """Let `run`, and `keep`, return."""
        self._keeper.finish()
        self._writer.finish()

    def close(self) -> None:
        """Close the files without writing anything more; a second call does nothing."""
        self._held.close()
        self._scrubbing.close()

    async def keep(self, *, now: Callable[[], float], interval_s: float = _KEEP_INTERVAL_S) -> None:
        """Trim again and again, until `finish`; `now` is the steady clock."""
        await self._keeper.run(now, interval_s=interval_s)

    async def trim(self, now: float) -> Trimmed:
        """Make one pass of retention; raises `NotWritten`."""
        return await self._keeper.trim(now)

    async def enroll(self, names: Sequence[str], *, now: float) -> dict[str, Enrolled]:
        """Return the number of each subscription, the same at every start, and its standing.

        One that is no longer named ends here: what is pending for it becomes dead letters
        (`subscription_removed`), and so does what was routed to it before and comes later.
        Raises `SpoolUnusable`.
        """
        return await self._roll.enroll(names, now=now)

    async def admit(self, names: Sequence[str]) -> dict[str, Enrolled]:
        """As `enroll`, while it runs: the others go with the next `serve`; raises NotWritten."""
        return await self._roll.admit(names)

    def serve(self, names: Mapping[int, str]) -> None:
        """See ports.Spool."""
        self._roll.serve(names)

    async def bury(self, subscription: int, *, now: float) -> int:
        """See ports.Spool."""
        return await self._roll.bury(subscription, now=now)

    def obey(self, limits: SpoolLimits) -> None:
        """Keep to these limits from now on, but for `durability`."""
        self._keeper.obey(limits)
        self._room.obey(limits.max_bytes)

    async def replay(
        self,
        selection: Selection,
        *,
        now: float,
        max_age_s: Callable[[int, str], float],
        limit: int = 0,
        cursor: str = "",
        dry_run: bool = False,
    ) -> Replayed:
        """Queue ended deliveries again for the subscriptions that are enrolled.

        `max_age_s` is asked with a subscription's number and a kind ("" of a delivery report);
        age counts from `now`. Several transactions: where one fails, raises `NotWritten`, and
        what was queued before stays queued. A dry run only counts. See `Replay` for the rest.
        """
        replay = Replay(
            selection,
            now=now,
            max_age_s=max_age_s,
            ledger=self._ledger,
            tally=self._tally,
            limit=limit,
            cursor=cursor,
        )
        while await self._writer.chore(
            partial(replay.turn, enrolled=self._roll.names, dry_run=dry_run)
        ):
            pass
        return replay.replayed(self._roll.names)

    def cards(self) -> tuple[Card, ...]:
        """Return what was made over the API, oldest first; raises `SpoolUnreadable`."""
        return read_cards(self._reader.cards(), self._log)

    async def write_cards(self, changed: CardsChanged) -> None:
        """Take, then put, and return once all is on disk; where nothing is, raises `NotWritten`."""
        await self._writer.chore(writing(changed))
        self._scrubbing.soil()

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

    def expired(
        self, subscription: int, *, after: int, scan: int, now: float
    ) -> tuple[list[Delivery], int]:
        """See ports.Spool."""
        return self._reader.expired(subscription, after=after, scan=scan, now=now)

    def has_gap(self, subscription: int, call: int) -> bool:
        """See ports.Spool."""
        return self._reader.has_gap(subscription, call)

    def was_answered(self, *, customer: str, source: str, call_id: str) -> bool:
        """See ports.Spool."""
        return self._reader.was_answered(customer=customer, source=source, call_id=call_id)

    def way_of(self, *, customer: str, source: str, call_id: str) -> Way:
        """See ports.Spool."""
        return self._reader.way_of(customer=customer, source=source, call_id=call_id)

    def is_purged(self, number: int) -> bool:
        """See ports.Spool."""
        return self.purging.has_purged(number, self._reader)

    def pending_of(self, subscription: int) -> int:
        """See ports.Spool."""
        return self._tally.of(subscription)

    def ending(self, subscription: int) -> frozenset[int]:
        """See ports.Spool."""
        return self._writer.ending(subscription)

    @property
    def clogged(self) -> bool:
        """See ports.Spool."""
        return self._writer.clogged

    def silent(self, *, after: int, before: float) -> Silence:
        """Look at some events above number `after`, accepted by `before`, for calls unended."""
        return self._reader.silent(after=after, before=before)

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

    def tell_commits(self, tell: Callable[[float], None]) -> None:
        """Call `tell` with the seconds that a commit took, each time one held."""
        self._writer.on_commit = tell

    async def _chore(self, work: Callable[[sqlite3.Connection], _Result]) -> _Result:
        """As the writer's, but as often as it takes to know whether the spool is damaged."""
        while True:
            try:
                return await self._writer.chore(work)
            except NotWritten:
                if not self._connections.is_doubtful:
                    raise
            await trio.sleep(_DOUBT_S)

    def _purging(self, log: FilteringBoundLogger) -> Purging:
        return Purging(
            self._directory,
            self._writer,
            self._scrubbing,
            ledger=self._ledger,
            tally=self._tally,
            room=self._room,
            log=log,
        )

    def _made_keeper(self, limits: SpoolLimits, log: FilteringBoundLogger) -> Keeper:
        return Keeper(
            self._writer,
            room=self._room,
            relief=Relief(self._writer, room=self._room, tally=self._tally, log=log),
            limits=limits,
            scrubbing=self._scrubbing,
            forget_calls=self._ledger.forget,
            log=log,
        )
