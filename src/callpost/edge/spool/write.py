"""The one writer: rows are bound on the event loop, only COMMIT runs in a thread.

While a commit is out, everything that arrives queues, and the next one takes it all. Within a
commit the appends come first, then the settlements in their order, so that a `Released` sees
every delivery that becomes visible together with it. Nothing is confirmed before its commit.
"""

import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Final, TypeVar

import trio

from callpost.edge.spool.ballast import Ballast
from callpost.edge.spool.commit import CommitThread
from callpost.edge.spool.connections import Connections
from callpost.edge.spool.files import SpoolDamaged
from callpost.edge.spool.health import (
    CLOSED,
    DISK_FULL,
    FULL,
    Health,
    is_damage,
    is_disk_full,
    is_stale,
    refusal_of,
)
from callpost.edge.spool.ledger import Ledger
from callpost.edge.spool.room import Room
from callpost.edge.spool.settle import Settler
from callpost.edge.spool.tally import Tally
from callpost.edge.spool.waiting import Append, Chore, Queued, Waiting
from callpost.model.delivery import Accepted, Arrival, Receipt, Settlement
from callpost.model.unknown import CannotNow

# Between two tries to write what must not be lost: a full disk is not freed in less.
_RETRY_S: Final = 1.0

_Result = TypeVar("_Result")


class NotWritten(CannotNow):
    """A chore's transaction failed, or the spool is closed; the message is one sentence."""


class Writer:
    """Has the writing connection to itself from `run` on; `commits` counts those that held."""

    def __init__(
        self,
        connections: Connections,
        *,
        ledger: Ledger,
        tally: Tally,
        room: Room,
        ballast: Ballast,
        on_tight: Callable[[], None],
        health: Health,
    ) -> None:
        self.commits = 0
        # Called in the loop with the seconds that each of them took.
        self.on_commit: Callable[[float], None] = _untold
        self._connections = connections
        self._ledger = ledger
        self._tally = tally
        self._settler = Settler(connections, ledger=ledger, tally=tally)
        self._room = room
        self._ballast = ballast
        self._on_tight = on_tight
        self._health = health
        self._damage: SpoolDamaged | None = None
        self._waiting = Waiting()
        self._thread = CommitThread()
        # Settlements that a failed commit held are tried again before anything else.
        self._retrying = False
        self._finishing = trio.Event()
        self._closed = False

    async def append(self, arrivals: Sequence[Arrival]) -> list[Receipt]:
        """Return when the commit that holds them is over; see ports.Spool.

        Whoever is cancelled here does not learn what became of them: all are written, or none.
        """
        if not arrivals:
            return []
        if self._closed:
            return [CLOSED for _ in arrivals]
        append = Append(arrivals, trio.Event())
        self._waiting.add_append(append)
        await append.decided.wait()
        return list(append.receipts)

    def settle(self, settlement: Settlement, written: Callable[[bool], None] | None) -> None:
        """See ports.Spool."""
        self._waiting.add_settlement((settlement, written))

    def ending(self, subscription: int) -> frozenset[int]:
        """See ports.Spool."""
        return self._waiting.ending(subscription)

    @property
    def clogged(self) -> bool:
        """See ports.Spool."""
        return self._waiting.is_clogged()

    @property
    def commit_out_s(self) -> float:
        """For how long the present commit has been out; 0 where none is."""
        return self._thread.out_s

    async def chore(
        self, work: Callable[[sqlite3.Connection], _Result], *, bare: bool = False
    ) -> _Result:
        """Run `work` in a transaction of its own; return what it returned, once on disk.

        It runs on the loop and must be short; `bare` it runs in the thread of the commits, outside
        of any transaction, while nothing else is written. Raises `NotWritten`.
        """
        if self._closed:
            raise NotWritten(CLOSED.message)
        results: list[_Result] = []
        chore = Chore(lambda connection: results.append(work(connection)), trio.Event(), bare)
        self._waiting.add_chore(chore)
        await chore.decided.wait()
        if chore.failure is not None:
            raise NotWritten(chore.failure)
        return results[0]

    def condemn(self, fault: sqlite3.Error) -> None:
        """Write nothing more to what is damaged: mark it, and let `run` raise `SpoolDamaged`."""
        if self._damage is None:
            self._damage = self._connections.condemned(fault)
            self._health.condemned(str(fault))
            self._waiting.hurry()

    def finish(self) -> None:
        """Let `run` return once everything that waits has been written."""
        self._finishing.set()
        self._waiting.hurry()

    async def run(self) -> None:
        """Write until `finish`; what still cannot be written then is given up.

        Raises `SpoolDamaged` as soon as damage is known.
        """
        try:
            with self._thread:
                while self._waiting or not self._finishing.is_set():
                    await self._waiting.until_due()
                    if self._damage is not None:
                        raise self._damage
                    await self._write_waiting()
                    await self._write_chore()
        finally:
            self._closed = True
            self._waiting.refuse_appends(CLOSED)
            self._waiting.refuse_chores(CLOSED)

    async def _write_waiting(self) -> None:
        appends = [] if self._retrying else self._admitted()
        settlements = self._waiting.take_settlements()
        if not appends and not settlements:
            return
        try:
            self._connections.writing.execute("begin immediate")
            receipts = self._ledger.write([one for each in appends for one in each.arrivals])
            answers = self._settler.write(one for one, _ in settlements)
            await self._commit()
        except sqlite3.Error as fault:
            self._undo()
            await self._failed(fault, appends, settlements)
        else:
            self._retrying = False
            self._waiting.settled()
            self._health.succeeded(appended=bool(appends))
            _confirm(appends, receipts, settlements, answers)

    async def _write_chore(self) -> None:
        chore = None if self._retrying else self._waiting.take_chore()
        if chore is None:
            return
        try:
            if chore.bare:
                await self._thread.run(partial(chore.work, self._connections.writing))
            else:
                self._connections.writing.execute("begin immediate")
                chore.work(self._connections.writing)
                await self._commit()
        except sqlite3.Error as fault:
            self._undo()
            refusal = refusal_of(fault)
            self._health.failed(refusal, refused=False)
            self._mend(fault)
            chore.decide(refusal.message)
        else:
            chore.decide(None)

    def _admitted(self) -> list[Append]:
        """The next appends, unless the spool has no room for them."""
        if not self._waiting.has_appends():
            return []
        fill = self._room.fill()
        if fill != "ample":
            self._on_tight()
        refusal = FULL if fill == "full" else None if self._ballast.holds() else DISK_FULL
        if refusal is not None:
            self._health.failed(refusal, refused=True)
            self._waiting.refuse_appends(refusal)
        return self._waiting.take_appends()

    async def _commit(self) -> None:
        connection = self._connections.writing
        began = time.monotonic()
        await self._thread.run(lambda: connection.execute("commit"))
        self.on_commit(time.monotonic() - began)
        self.commits += 1
        self._tally.keep()
        self._ledger.trim()

    def _undo(self) -> None:
        """Bring connection and ledger back to what is on disk."""
        self._ledger.forget()
        self._tally.forget()
        connection = self._connections.writing
        # A full disk has SQLite roll back by itself.
        if connection.in_transaction:
            with suppress(sqlite3.Error):
                connection.execute("rollback")

    def _mend(self, fault: sqlite3.Error) -> bool:
        """Do what can be done before the next try; say whether that may help at once."""
        if is_disk_full(fault):
            return self._ballast.drop()
        if is_damage(fault) and self._connections.is_damaged(fault):
            self.condemn(fault)
        elif is_stale(fault) or is_damage(fault):
            # Where it fails, the next failure brings the next try.
            with suppress(sqlite3.Error):
                self._connections.reopen()
                self._health.reopened()
        return False

    async def _failed(
        self, fault: sqlite3.Error, appends: Sequence[Append], settlements: Sequence[Queued]
    ) -> None:
        """Refuse what can be sent again; keep what cannot, unless this was the last try."""
        refusal = refusal_of(fault)
        self._health.failed(refusal, refused=bool(appends))
        mended = self._mend(fault)
        for append in appends:
            append.decide([refusal] * len(append.arrivals))
        if self._retrying:
            # Else they would wait for as long as the disk is full, and a reload with them.
            self._waiting.refuse_appends(refusal)
            self._waiting.refuse_chores(refusal)
        if not settlements:
            return
        # Those of a mixed commit get a try of their own even at the end, and at once.
        at_once = mended or bool(appends)
        self._retrying = at_once or not self._finishing.is_set()
        if self._retrying:
            self._waiting.put_back(settlements)
        else:
            self._health.abandoned(len(settlements))
        if self._retrying and not at_once and self._damage is None:
            with trio.move_on_after(_RETRY_S):
                await self._finishing.wait()


def _untold(_: float) -> None:
    """Nobody wants to know."""


def _confirm(
    appends: Sequence[Append],
    receipts: Sequence[Accepted],
    settlements: Sequence[Queued],
    answers: Sequence[bool],
) -> None:
    first = 0
    for append in appends:
        end = first + len(append.arrivals)
        append.decide(receipts[first:end])
        first = end
    for (_, written), answer in zip(settlements, answers, strict=True):
        if written is not None:
            written(answer)
