"""Removes personal data from a spool while it works: rows, their bytes, and copies of both.

Found in a thread, removed in transactions short enough for the loop. One that is cut off is
finished by asking for it again. What is freed is overwritten (`secure_delete`), what was free
before is cut off or overwritten, and the write-ahead log is emptied.
"""

import sqlite3
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

import trio
from msgspec import Struct
from structlog.typing import FilteringBoundLogger

from callpost.edge.spool import aside, sweep
from callpost.edge.spool.cards import card_of
from callpost.edge.spool.files import connect_reading
from callpost.edge.spool.health import told
from callpost.edge.spool.ledger import Ledger
from callpost.edge.spool.purged_calls import close_call
from callpost.edge.spool.read import Reader
from callpost.edge.spool.room import Room
from callpost.edge.spool.scrubbing import Scrubbing
from callpost.edge.spool.search import Search
from callpost.edge.spool.tally import Tally
from callpost.edge.spool.traces import Traces, remove, traces_of
from callpost.edge.spool.write import Writer
from callpost.model.delivery import SpoolUnreadable
from callpost.model.numbers import Numbers
from callpost.model.party import Party
from callpost.model.purge import Criteria, Purged, note_on

# Rows that go in one transaction; an event that a thousand subscriptions got has some thousands.
_WRITTEN_MAX: Final = 2_000
# And so many pages, which are overwritten.
_FREED_MAX: Final = 2_048
# Free pages that are cut off beyond those that there were at first: others come while it works.
_VACUUM_TURNS_MORE: Final = 64
_LOG_REMAINS: Final = (
    "The write-ahead log could not be emptied, because the disk is full or another program reads"
    " the spool: purge again."
)
_Found = TypeVar("_Found")

CARDS: Final = "select written from cards"
DELETE_SCOPE: Final = """delete from scopes where scope = :scope
    and not exists (select 1 from events where number > :last and scope = :scope)"""


class _Counts(Struct):
    events: int = 0
    reports: int = 0
    calls: int = 0
    pending: int = 0
    dead: int = 0
    attempts: int = 0

    def add(self, traces: Traces) -> None:
        self.events += not traces.is_report
        self.reports += traces.is_report
        self.pending += len(traces.pending)
        self.dead += traces.dead
        self.attempts += traces.attempts

    def merge(self, other: "_Counts") -> None:
        for name in self.__struct_fields__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


class _Taken(Struct, frozen=True):
    """What one transaction took: so many of those that it was given."""

    looked: int
    counts: _Counts
    owners: frozenset[int]


class Purging:
    """Purges the spool in `directory`, one request after the other."""

    def __init__(
        self,
        directory: Path,
        writer: Writer,
        scrubbing: Scrubbing,
        *,
        ledger: Ledger,
        tally: Tally,
        room: Room,
        log: FilteringBoundLogger,
    ) -> None:
        self._directory = directory
        self._writer = writer
        self._scrubbing = scrubbing
        self._ledger = ledger
        self._tally = tally
        self._room = room
        self._log = log
        self._one_at_a_time = trio.Lock()

    def has_purged(self, number: int, reader: Reader) -> bool:
        """Say whether an event that was pending is gone; where the disk fails, that it is not.

        Whatever is settled of it then is looked at again before it is written.
        """
        if not self._ledger.has_purged:
            return False
        with suppress(SpoolUnreadable):
            return not reader.has_event(number)
        return False

    async def purge(
        self,
        criteria: Criteria,
        *,
        country: str,
        now: float,
        recall: Callable[[Iterable[int]], None] = lambda _: None,
        dry_run: bool = False,
    ) -> Purged:
        """Remove what is meant, or count it; raises NotWritten, SpoolUnreadable.

        `recall` is told which subscriptions have lost pending deliveries, as soon as they have.
        """
        async with self._one_at_a_time:
            party = await trio.to_thread.run_sync(_party, criteria, country)
            search = Search(criteria, party)
            await self._read(search.begin)
            if dry_run:
                counts, remains = await self._counted(search), await self._carded(criteria, party)
                return self._told(counts, criteria, party, remains=remains, country=country)
            self._ledger.has_purged = True
            counts = await self._removed(search, now, recall)
            await self._remove_scopes(criteria, search)
            copies = aside.copies(self._directory)
            left = await trio.to_thread.run_sync(aside.remove_copies, self._directory)
            remains = [f"{path}: could not be removed." for path in left]
            remains += await self._carded(criteria, party)
            remains += await self._scrubbed()
            purged = self._told(
                counts, criteria, party, copies=copies, remains=remains, country=country
            )
            self._log.info(
                "spool.purged",
                criteria=criteria.names,
                **{name: getattr(counts, name) for name in counts.__struct_fields__},
                files=len(purged.files),
                remains=list(purged.remains),
            )
            return purged

    async def _counted(self, search: Search) -> _Counts:
        counts = _Counts()
        seen: set[int] = set()

        def count(connection: sqlite3.Connection, numbers: Sequence[int]) -> None:
            # A call that is meant whole is met at each of its events.
            for number in set(numbers) - seen:
                if (traces := traces_of(connection, number)) is not None:
                    counts.add(traces)
                    counts.calls += traces.is_last
            seen.update(numbers)

        while (numbers := await self._read(search.events)) is not None:
            await self._read(partial(count, numbers=numbers))
        while (calls := await self._read(search.calls)) is not None:
            counts.calls += len(calls)
        return counts

    async def _removed(
        self, search: Search, now: float, recall: Callable[[Iterable[int]], None]
    ) -> _Counts:
        counts = _Counts()
        while (numbers := await self._read(search.events)) is not None:
            while numbers:
                taken = await self._writer.chore(partial(self._take, numbers=numbers, now=now))
                counts.merge(taken.counts)
                numbers = numbers[taken.looked :]
                recall(taken.owners)
        while (calls := await self._read(search.calls)) is not None:
            if calls:
                counts.calls += await self._writer.chore(partial(self._close, calls=calls, now=now))
        return counts

    def _take(self, connection: sqlite3.Connection, numbers: Sequence[int], now: float) -> _Taken:
        self._ledger.forget()
        counts, looked = _Counts(), 0
        last_at: dict[int, float] = {}
        owners: set[int] = set()
        written, free = connection.total_changes, sweep.free_pages(connection)
        for number in numbers:
            looked += 1
            if (traces := traces_of(connection, number)) is None:
                continue
            remove(connection, traces)
            counts.add(traces)
            last_at[traces.call] = max(traces.accepted_at, last_at.get(traces.call, 0.0))
            for owner, _ in traces.pending:
                self._tally.add(owner, -1)
                owners.add(owner)
            freed = sweep.free_pages(connection) - free
            if connection.total_changes - written > _WRITTEN_MAX or freed > _FREED_MAX:
                break
        counts.calls = sum(
            close_call(connection, call, last_at=at, now=now) for call, at in last_at.items()
        )
        self._ledger.remembers_purged = True
        return _Taken(looked, counts, frozenset(owners))

    def _close(self, connection: sqlite3.Connection, calls: Collection[int], now: float) -> int:
        self._ledger.forget()
        self._ledger.remembers_purged = True
        return sum(close_call(connection, call, last_at=0.0, now=now) for call in calls)

    async def _remove_scopes(self, criteria: Criteria, search: Search) -> None:
        """The name of a customer of whom nothing is left; a scope is one of his producers."""
        if criteria.names != ("customer",) or not search.scopes:
            return
        rows = [{"scope": scope, "last": search.last} for scope in search.scopes]

        def work(connection: sqlite3.Connection) -> None:
            self._ledger.forget()
            connection.executemany(DELETE_SCOPE, rows)

        await self._writer.chore(work)

    async def _carded(self, criteria: Criteria, party: Party | None) -> list[str]:
        """What clients have made is theirs to change."""
        rows = await self._read(lambda connection: connection.execute(CARDS).fetchall())
        cards = (card for (written,) in rows if (card := card_of(written)) is not None)
        return aside.carded(cards, criteria, party)

    async def _scrubbed(self) -> list[str]:
        """Leave no copy in free pages and in the log; says in a sentence what could not be done."""
        turns = self._room.free_bytes() // sweep.VACUUM_BYTES + _VACUUM_TURNS_MORE
        for _ in range(turns):
            if not self._room.free_bytes():
                break
            await self._writer.chore(sweep.vacuum)
        return [] if await self._scrubbing.go_round() else [_LOG_REMAINS]

    async def _read(self, read: Callable[[sqlite3.Connection], _Found]) -> _Found:
        def found() -> _Found:
            try:
                with closing(connect_reading(self._directory)) as connection:
                    return read(connection)
            except sqlite3.Error as fault:
                raise SpoolUnreadable(f"The spool cannot be read: {told(fault)}.") from fault

        return await trio.to_thread.run_sync(found)

    def _told(
        self,
        counts: _Counts,
        criteria: Criteria,
        party: Party | None,
        *,
        copies: Iterable[Path] | None = None,
        remains: Iterable[str] = (),
        country: str,
    ) -> Purged:
        files = aside.copies(self._directory) if copies is None else copies
        configured = aside.configured(self._directory, criteria, party)
        return Purged(
            **{name: getattr(counts, name) for name in counts.__struct_fields__},
            files=tuple(path.name for path in files),
            remains=(*remains, *([configured] if configured else [])),
            note=note_on(criteria, country=country, has_found=counts != _Counts()),
        )


def _party(criteria: Criteria, country: str) -> Party | None:
    return Party(criteria.number, Numbers(country)) if criteria.number else None
