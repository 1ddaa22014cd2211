"""The spool as the house sees it: `open_spool`, and the port `Spool` with what daemon needs more.

Appends and settlements go to the writer, reads to the reader; each has a connection of its own.
"""

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

import trio
from structlog.typing import FilteringBoundLogger

from callpost.edge.spool import enroll
from callpost.edge.spool.ballast import Ballast
from callpost.edge.spool.connections import Connections, connect
from callpost.edge.spool.dead import DeadLetter
from callpost.edge.spool.files import Claim, SpoolDamaged, SpoolUnusable
from callpost.edge.spool.health import Health
from callpost.edge.spool.keep import Keeper, Trimmed, checkpoint
from callpost.edge.spool.ledger import Ledger
from callpost.edge.spool.read import Reader
from callpost.edge.spool.relieve import Relief
from callpost.edge.spool.replay import Replay
from callpost.edge.spool.room import Room
from callpost.edge.spool.salvage import Salvage
from callpost.edge.spool.tally import Tally
from callpost.edge.spool.watcher import Watcher
from callpost.edge.spool.write import NotWritten, Writer
from callpost.model.delivery import (
    Arrival,
    Delivery,
    Enrolled,
    Page,
    Receipt,
    Settlement,
)
from callpost.model.limits import SpoolLimits
from callpost.model.replay import Replayed, Selection
from callpost.model.subscription import Order

_KEEP_INTERVAL_S: Final = 30.0
_DOUBT_S: Final = 1.0
_Result = TypeVar("_Result")


def open_spool(directory: Path, *, limits: SpoolLimits, log: FilteringBoundLogger) -> "SqliteSpool":
    """Claim the state directory and open its spool, made or brought up to date where needed.

    A damaged one is put aside, and what can be read of it is carried over into a new one.
    Raises `SpoolUnusable`. What was pending when it was last closed, or killed, is there.
    """
    with ExitStack() as held:
        claim = Claim.of(directory)
        held.callback(claim.release)
        ballast = Ballast(directory, log=log)
        salvage = Salvage(directory, limits=limits, log=log)
        salvage.finish()
        try:
            connections, pending = connect(directory, limits=limits)
        except SpoolDamaged as damage:
            salvage.make(damage)
            connections, pending = connect(directory, limits=limits)
        held.callback(connections.close)
        ballast.lay()
        return SqliteSpool(
            directory,
            connections,
            Tally(pending),
            ballast=ballast,
            limits=limits,
            log=log,
            held=held.pop_all(),
        )


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
        self._held = held
        self._directory = directory
        self._reader = connections.reader
        self._enrolled: dict[int, str] = {}  # the subscriptions that are there now
        self._tally = tally
        self._ledger = Ledger(connections, tally=tally)
        self._room = Room(self._reader, directory, max_bytes=limits.max_bytes)
        self._ballast = ballast
        self._connections = connections
        health = Health(log)
        self._writer = Writer(
            connections,
            ledger=self._ledger,
            tally=tally,
            room=self._room,
            ballast=ballast,
            on_tight=self._press,
            health=health,
        )
        self._reader.watch = Watcher(connections, writer=self._writer, health=health)
        self._keeper = Keeper(
            self._writer,
            room=self._room,
            relief=Relief(self._writer, room=self._room, tally=tally, log=log),
            limits=limits,
            checkpoint=self._checkpoint,
            forget_calls=self._ledger.forget,
            log=log,
        )

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Write until `finish` has been called and everything queued is on disk; then close.

        Raises `SpoolDamaged` once damage was found: the next `open_spool` salvages.
        """
        task_status.started()
        try:
            await self._writer.run()
            # Here, in a thread, so that closing has little left to copy.
            await self._checkpoint()
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

    async def enroll(self, names: Sequence[str], *, now: float) -> dict[str, Enrolled]:
        """Return the number of each subscription, the same at every start, and its standing.

        One that is no longer named ends here: what is pending for it becomes dead letters
        (`subscription_removed`), and so does what was routed to it before and comes later.
        Raises `SpoolUnusable`.
        """
        try:
            known = await self._chore(partial(enroll.register, names=names))
            enrolled = {name: known[name] for name in names}
            self._enrolled = {one.number: name for name, one in enrolled.items()}
            gone = frozenset(one.number for one in known.values()) - self._enrolled.keys()
            self._ledger.removed = gone
            bury = partial(enroll.bury, gone=gone, now=now, tally=self._tally)
            while await self._chore(bury):
                pass
        except NotWritten as fault:
            raise SpoolUnusable(str(fault)) from fault
        return enrolled

    async def replay(
        self,
        selection: Selection,
        *,
        now: float,
        max_age_s: Callable[[int, str], float],
        dry_run: bool = False,
    ) -> Replayed:
        """Queue ended deliveries again for the subscriptions that are enrolled.

        `max_age_s` is asked with a subscription's number and a kind ("" of a delivery report);
        age counts from `now`. Several transactions: where one fails, raises `NotWritten`, and
        what was queued before stays queued. A dry run only counts.
        """
        replay = Replay(
            selection, now=now, max_age_s=max_age_s, ledger=self._ledger, tally=self._tally
        )
        while await self._writer.chore(
            partial(replay.turn, enrolled=self._enrolled, dry_run=dry_run)
        ):
            pass
        return replay.replayed(self._enrolled)

    async def dead(
        self, selection: Selection, *, limit: int, after: DeadLetter | None = None
    ) -> list[DeadLetter]:
        """Read dead letters as `Reader.dead` does, in a thread with a reader of its own."""

        def read() -> list[DeadLetter]:
            with closing(Reader.of(self._directory)) as reader:
                return reader.dead(selection, limit=limit, after=after)

        return await trio.to_thread.run_sync(read)

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

    async def _chore(self, work: Callable[[sqlite3.Connection], _Result]) -> _Result:
        """As the writer's, but as often as it takes to know whether the spool is damaged."""
        while True:
            try:
                return await self._writer.chore(work)
            except NotWritten:
                if not self._connections.is_doubtful:
                    raise
            await trio.sleep(_DOUBT_S)

    def _press(self) -> None:
        self._keeper.press()

    async def _checkpoint(self) -> None:
        # On a full disk the database would take the room that outcomes are written in.
        if self._ballast.holds():
            await trio.to_thread.run_sync(checkpoint, self._directory)
