"""Puts a damaged database aside and makes a new one of what can be read of it.

The new one is built beside it and takes its place when it is complete, so that a salvage that is
cut off is begun anew, or finished, at the next start. What was put aside is never touched again.
"""

import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from itertools import chain, count, islice
from pathlib import Path
from typing import Final

from msgspec import Struct
from structlog.typing import FilteringBoundLogger

from callpost.edge.spool import schema
from callpost.edge.spool.carry import (
    ATTEMPTS,
    CALLS,
    CARDS,
    COUNTERS,
    DEAD,
    DEFERRED,
    DELIVERIES,
    EVENTS,
    SCOPES,
    SUBSCRIPTIONS,
    Carrier,
    Part,
    Row,
)
from callpost.edge.spool.files import (
    DATABASE,
    MARK,
    SpoolDamaged,
    SpoolUnusable,
    flush_directory,
    make_database,
    mark_damaged,
)
from callpost.edge.spool.first_page import readable
from callpost.edge.spool.health import is_disk_full
from callpost.edge.spool.mend import Mended, fates_unknown, mend
from callpost.edge.spool.samples import refused
from callpost.model.limits import SpoolLimits

_BUILT: Final = f"{DATABASE}.salvaging"
_COMPLETE: Final = f"{DATABASE}.salvaged-"
_ASIDE: Final = f"{DATABASE}.damaged-"
# SQLite finds the log of a database by its name, so that they go together.
_COMPANIONS: Final = ("-wal", "-shm", "")

# What is owed comes first, and where the disk is too small for all, what is kept for inspection
# only stays behind.
_OWED: Final = (SUBSCRIPTIONS, CARDS, SCOPES, CALLS, DELIVERIES, DEFERRED, COUNTERS, DEAD)
_KEPT: Final = (EVENTS, ATTEMPTS)
_WITH_EVENTS: Final = (DELIVERIES, DEAD)
# Chunks of a thousand rows in one transaction.
_CHUNKS: Final = 32
_NUMBER_MAX: Final = 1 << 61
# Of a table whose rows are known by an index as well.
_COUNTED_BY: Final = {
    "events": "events_by_call",
    "deferred": "deferred_by_call",
    "dead": "dead_by_subscription",
    "cards": "sqlite_autoindex_cards_1",
}
# Tables that the first schema has not had, and which brought them.
_SINCE: Final = {"cards": 3}


# These know all of a row that matters, and lie on other pages.
_KNOWN_BY: Final = {
    "subscriptions": "sqlite_autoindex_subscriptions_1",
    "scopes": "sqlite_autoindex_scopes_1",
    "calls": "sqlite_autoindex_calls_1",
}


class _Haul(Struct):
    """What was carried, and what was not: None where nobody can know."""

    carried: dict[str, int]
    lost: dict[str, int | None]

    def dropped(self, table: str, count: int) -> None:
        """So many rows that were carried are of no use."""
        self.carried[table] -= count
        lost = self.lost[table]
        self.lost[table] = None if lost is None else lost + count


class Salvage:
    """Works before the spool is opened, with the directory claimed."""

    def __init__(self, directory: Path, *, limits: SpoolLimits, log: FilteringBoundLogger) -> None:
        self._directory = directory
        self._limits = limits
        self._log = log

    def finish(self) -> None:
        """Put in its place what an earlier salvage has completed, where it came no further."""
        for complete in sorted(self._directory.glob(f"{_COMPLETE}*")):
            self._put_in_place(complete)

    def make(self, damage: SpoolDamaged) -> None:
        """Do all of it and tell of it, or raise `SpoolUnusable`."""
        self._refuse_failing_disk()
        reason = str(damage).removeprefix(f"{self._directory / DATABASE}: is damaged: ")
        mark_damaged(self._directory, reason)
        complete = self._directory / f"{_COMPLETE}{self._moment()}"
        try:
            make_database(self._directory)
            haul, mended, unknown = self._build(complete)
        except (sqlite3.Error, OSError) as fault:
            raise SpoolUnusable(
                f"{self._directory / DATABASE}: is damaged, and what can be read of it cannot be"
                f" carried over: {fault}"
            ) from fault
        if any(lost != 0 for lost in haul.lost.values()):
            # What was missed may have been missing for as long as the disk failed.
            self._refuse_failing_disk()
        aside = self._put_in_place(complete)
        self._log.error(
            "spool.damaged",
            file=str(aside),
            reason=reason,
            carried=haul.carried,
            lost=haul.lost,
            fatesUnknown=unknown,
            nextNumber=mended.next_number,
        )

    def _refuse_failing_disk(self) -> None:
        """A disk that fails may come back with everything, and then nothing was damaged."""
        path = self._directory / DATABASE
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return
        except OSError as fault:
            raise SpoolUnusable(f"{path}: cannot be read: {fault.strerror}") from fault
        try:
            fault_of_disk = refused(descriptor)
        finally:
            os.close(descriptor)
        if fault_of_disk is not None:
            raise SpoolUnusable(f"{path}: cannot be read: {fault_of_disk.strerror}")

    def _build(self, complete: Path) -> tuple[_Haul, Mended, int]:
        built = self._directory / _BUILT
        for companion in _COMPANIONS:
            built.with_name(f"{_BUILT}{companion}").unlink(missing_ok=True)
        make_database(self._directory, _BUILT)
        with readable(self._directory) as source, _new(built, self._limits) as target:
            _refuse_newer(source, self._directory / DATABASE)
            haul = _Haul({}, {})
            for part in _OWED:
                _carry(source, target, part, haul)
            _carry_kept(source, target, haul)
            target.execute("begin")
            mended = mend(target, next_number=_next_number(source))
            target.execute("commit")
            haul.dropped("deliveries", mended.deliveries)
            haul.dropped("dead", mended.dead)
            unknown = fates_unknown(target) if haul.lost["deliveries"] != 0 else 0
        _flush(built)
        built.rename(complete)
        flush_directory(self._directory)
        return haul, mended, unknown

    def _put_in_place(self, complete: Path) -> Path:
        aside = complete.with_name(complete.name.replace(_COMPLETE, _ASIDE))
        for companion in _COMPANIONS:
            with suppress(FileNotFoundError):
                (self._directory / f"{DATABASE}{companion}").rename(f"{aside}{companion}")
        (self._directory / MARK).unlink(missing_ok=True)
        complete.rename(self._directory / DATABASE)
        flush_directory(self._directory)
        return aside

    def _moment(self) -> str:
        """The time as a part of names, and such that none of them is taken."""
        moment = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        taken = {path.name for path in self._directory.iterdir()}
        names = chain([moment], (f"{moment}-{more}" for more in count(2)))
        return next(name for name in names if f"{_ASIDE}{name}" not in taken)


@contextmanager
def _new(path: Path, limits: SpoolLimits) -> Iterator[sqlite3.Connection]:
    """An empty spool; closed, all of it is in the one file, and not yet on disk."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        schema.prepare(connection, path, durability="process", max_bytes=limits.max_bytes)
        # It is of no use before it is complete, and then it is flushed at once.
        connection.execute("pragma synchronous = off")
        yield connection
        connection.execute("pragma wal_checkpoint(truncate)").fetchall()


def _carry_kept(source: sqlite3.Connection, target: sqlite3.Connection, haul: _Haul) -> None:
    for part in _KEPT:
        try:
            _carry(source, target, part, haul)
        except sqlite3.OperationalError as fault:
            if not is_disk_full(fault):
                raise
            haul.lost[part.table] = None


def _carry(source: sqlite3.Connection, target: sqlite3.Connection, part: Part, haul: _Haul) -> None:
    if not _is_there(source, part):
        haul.carried[part.table] = haul.lost[part.table] = 0
        return
    carrier = Carrier(source, part)
    events = Carrier(source, EVENTS) if part in _WITH_EVENTS else None
    place = part.columns.index("number") if events else 0
    haul.carried.setdefault(part.table, 0)
    chunks = carrier.rows()
    try:
        while some := list(islice(chunks, _CHUNKS)):
            target.execute("begin")
            for chunk in some:
                haul.carried[part.table] += _insert(target, part, chunk)
                if events is not None:
                    _insert_events(target, events, chunk, place, haul)
            target.execute("commit")
    finally:
        if target.in_transaction:
            target.execute("rollback")
    haul.lost[part.table] = 0
    if carrier.holes:
        if part.table in _KNOWN_BY:
            found = carrier.indexed(_KNOWN_BY[part.table])
            haul.carried[part.table] += _insert(target, part, found)
        haul.lost[part.table] = _lost(source, part, haul.carried[part.table])


def _is_there(source: sqlite3.Connection, part: Part) -> bool:
    """An older callpost has not had it; where nobody can say, it is looked for."""
    found = _from_meta(source, "schema")
    return found is None or found >= _SINCE.get(part.table, 0)


def _insert(target: sqlite3.Connection, part: Part, rows: Sequence[Row]) -> int:
    marks = ", ".join("?" * len(part.columns))
    sql = f"insert or ignore into {part.table} ({', '.join(part.columns)}) values ({marks})"  # noqa: S608 - names of ours
    return target.executemany(sql, rows).rowcount


def _insert_events(
    target: sqlite3.Connection, events: Carrier, chunk: Sequence[Row], place: int, haul: _Haul
) -> None:
    """What is pending or dead is worth as much as its event."""
    numbers = {row[place] for row in chunk}
    rows = [row for number in sorted(numbers) if (row := events.row(number)) is not None]
    haul.carried["events"] = haul.carried.get("events", 0) + _insert(target, EVENTS, rows)


def _lost(source: sqlite3.Connection, part: Part, carried: int) -> int | None:
    """Rows that an index knows of and the table does not give; None where no index can tell."""
    index = _COUNTED_BY.get(part.table)
    if index is None:
        return None
    try:
        [(known,)] = source.execute(f"select count(*) from {part.table} indexed by {index}")  # noqa: S608 - names of ours
    except sqlite3.DatabaseError:
        return None
    return max(0, int(known) - carried)


def _next_number(source: sqlite3.Connection) -> int | None:
    return _from_meta(source, "next_number")


def _refuse_newer(source: sqlite3.Connection, path: Path) -> None:
    found = _from_meta(source, "schema") or 0
    if found > len(schema.STEPS):
        raise SpoolUnusable(
            f"{path}: is damaged, and was written by a newer callpost (schema {found})"
        )


def _from_meta(source: sqlite3.Connection, key: str) -> int | None:
    with suppress(sqlite3.DatabaseError):
        for (value,) in source.execute("select value from meta where key = ?", (key,)):
            return value if isinstance(value, int) and 0 <= value < _NUMBER_MAX else None
    return None


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
