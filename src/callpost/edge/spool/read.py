"""Reads the spool: pages, lanes and counts, over a connection that cannot write.

Each read is one short statement that is read to its end, so that no open snapshot keeps the
write-ahead log from being reused. Needs no loop: a stopped daemon's spool is read with it too.
"""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Protocol, Self

from callpost.edge.spool.cards import ALL
from callpost.edge.spool.files import DATABASE, SpoolUnusable, connect_reading
from callpost.edge.spool.health import told
from callpost.edge.spool.said import read_answered, read_way
from callpost.edge.spool.silent import read_silent
from callpost.model.delivery import Delivery, Page, SpoolUnreadable
from callpost.model.flow import Way
from callpost.model.silence import Silence
from callpost.model.subscription import Order

_COLUMNS: Final = """d.position, d.number, d.call, d.seq, d.previous_id, d.rounds, d.attempts,
    coalesce(d.replayed_at, e.accepted_at), d.expires_at, e.body"""
# CROSS JOIN binds the order of the loops: deliveries first, then the event of each.
_PAGE: Final = """select {columns}, {key}, {blocked}
    from deliveries d cross join events e on e.number = d.number
    where d.subscription = :subscription and d.position > :after
    order by d.position limit :limit"""
_BLOCKED: Final[dict[Order, str]] = {
    "call": """exists (select 1 from deferred x
                 where x.subscription = :subscription and x.call = d.call)""",
    "none": """exists (select 1 from deferred x
                 where x.subscription = :subscription and x.position = d.position)""",
    "subscription": "exists (select 1 from deferred x where x.subscription = :subscription)",
}
_KEY: Final[dict[Order, str]] = {"call": "d.call", "none": "d.position", "subscription": "0"}
PAGE: Final[dict[Order, str]] = {
    order: _PAGE.format(columns=_COLUMNS, key=key, blocked=_BLOCKED[order])
    for order, key in _KEY.items()
}

DUE: Final[dict[Order, str]] = {
    "call": """select call from deferred
        where subscription = :subscription and due_at <= :now order by due_at limit :limit""",
    "none": """select position from deferred
        where subscription = :subscription and due_at <= :now order by due_at limit :limit""",
    "subscription": """select 0 from deferred
        where subscription = :subscription and due_at <= :now order by due_at limit 1""",
}
NEXT_DUE: Final = "select min(due_at) from deferred where subscription = ? and due_at > ?"

# The deliveries of a call are found from its events, and none of them lies before the first
# pending position of the subscription. Started from the deliveries this takes 290 ms, not 9 us,
# on a million rows.
_LANE_OF_CALL: Final = f"""select {_COLUMNS}
    from events e cross join deliveries d
    where e.call = :key and e.number > :after
      and e.number >= (select min(position) from deliveries where subscription = :subscription)
      and d.subscription = :subscription and d.position = e.number
    order by e.number limit :limit"""  # noqa: S608 - built from the constant above
# Left to itself the planner walks all that is pending of the subscription.
_REPLAYED_OF_CALL: Final = f"""select {_COLUMNS}
    from deliveries d indexed by deliveries_replayed cross join events e on e.number = d.number
    where d.position <> d.number and d.subscription = :subscription and d.call = :key
      and d.position > :after
    order by d.position limit :limit"""  # noqa: S608 - likewise
_LANE_OF_ONE: Final = f"""select {_COLUMNS}
    from deliveries d cross join events e on e.number = d.number
    where d.subscription = :subscription and d.position = :key and d.position > :after
    limit :limit"""  # noqa: S608 - likewise
_LANE_OF_ALL: Final = f"""select {_COLUMNS}
    from deliveries d cross join events e on e.number = d.number
    where d.subscription = :subscription and d.position > :after
    order by d.position limit :limit"""  # noqa: S608 - likewise
LANE: Final[dict[Order, tuple[str, ...]]] = {
    "call": (_LANE_OF_CALL, _REPLAYED_OF_CALL),
    "none": (_LANE_OF_ONE,),
    "subscription": (_LANE_OF_ALL,),
}

# How far one look for expired deliveries reaches, and what is past its age in that stretch. Asked
# in one statement the rows would pass through a coroutine, at twice the time.
SCANNED: Final = """select max(position), count(*) from (
    select position from deliveries
    where subscription = ? and position > ? order by position limit ?)"""
EXPIRED: Final = f"""select {_COLUMNS}
    from deliveries d cross join events e on e.number = d.number
    where d.subscription = :subscription and d.position > :after and d.position <= :last
      and d.expires_at <= :now
    order by d.position limit :limit"""  # noqa: S608 - likewise
# Bodies that one look holds in memory at the most.
_EXPIRED_MAX: Final = 1_000

GAP: Final = """select 1 from dead
    where subscription = ? and call = ? and reason <> 'superseded' limit 1"""

# Stamps are given before the number is, so the newest may lie a few numbers back; more than one
# commit holds is far more than enough.
NEWEST_STAMP: Final = """select max(accepted_at)
    from (select accepted_at from events order by number desc limit 4096)"""
_PENDING: Final = "select subscription, count(*) from deliveries group by subscription"
OLDEST: Final = """select coalesce(d.replayed_at, e.accepted_at)
    from deliveries d cross join events e on e.number = d.number
    where d.subscription = ? order by d.position limit 1"""

# Of the columns of a delivery, in their order.
_TYPES: Final = [int, int, int, int, str, int, int, float, float, bytes]


class Watch(Protocol):
    """Hears of reads that fail, and of those that come after."""

    def could_not_read(self, fault: sqlite3.Error) -> None:
        """Do what may help the next read."""
        ...

    def could_read(self) -> bool:
        """Say whether reading has recovered; asked at each read until it has."""
        ...


class MalformedRow(sqlite3.DatabaseError):
    """SQLite has found nothing wrong with a page, and yet nobody can have written this row."""

    sqlite_errorcode = sqlite3.SQLITE_CORRUPT


class Reader:
    """What is committed, read on the caller's own thread.

    Every read raises `SpoolUnreadable` where the disk does not give what it holds.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._failing = False
        self.watch: Watch | None = None

    @classmethod
    def of(cls, directory: Path) -> Self:
        """Open the spool in `directory` for reading, or raise `SpoolUnusable`."""
        try:
            return cls(connect_reading(directory))
        except sqlite3.OperationalError as fault:
            raise SpoolUnusable(f"{directory / DATABASE}: {fault}") from fault

    def switch_to(self, connection: sqlite3.Connection) -> None:
        """Read over this connection from now on and close the one before."""
        self._connection, stale = connection, self._connection
        stale.close()

    def close(self) -> None:
        """Close the connection; a second call does nothing."""
        self._connection.close()

    def page(self, subscription: int, *, after: int, limit: int, order: Order) -> Page:
        """See ports.Spool; some 2 us a row."""
        names = {"subscription": subscription, "after": after, "limit": limit}
        rows = self._rows(PAGE[order], names)
        return Page(
            rows=tuple(
                (one, row[10], row[11] == 1)
                for one, row in zip(self._deliveries(rows), rows, strict=True)
            ),
            last=rows[-1][0] if rows else after,
            full=len(rows) == limit,
        )

    def due(self, subscription: int, *, now: float, limit: int, order: Order) -> list[int]:
        """See ports.Spool."""
        names = {"subscription": subscription, "now": now, "limit": limit}
        rows = self._rows(DUE[order], names)
        # A lane may have several rows for a while after its subscription's `order` has changed:
        # then so many rows are fewer lanes, and more are to be had.
        keys = list(dict.fromkeys(key for (key,) in rows))
        if len(keys) < len(rows) == limit:
            return self.due(subscription, now=now, limit=2 * limit, order=order)[:limit]
        return keys

    def next_due(self, subscription: int, *, now: float) -> float | None:
        """See ports.Spool."""
        [(due_at,)] = self._rows(NEXT_DUE, (subscription, now))
        return None if due_at is None else float(due_at)

    def lane(
        self, subscription: int, key: int, *, after: int, limit: int, order: Order
    ) -> list[Delivery]:
        """See ports.Spool."""
        names = {"subscription": subscription, "key": key, "after": after, "limit": limit}
        found = [one for sql in LANE[order] for one in self._deliveries(self._rows(sql, names))]
        return sorted(found, key=lambda one: one.position)[:limit]

    def expired(
        self, subscription: int, *, after: int, scan: int, now: float
    ) -> tuple[list[Delivery], int]:
        """See ports.Spool; some 0.1 us a row looked at."""
        stretch = (subscription, after, scan)
        [(last, count)] = self._rows(SCANNED, stretch)
        names = {
            "subscription": subscription,
            "after": after,
            "last": last or 0,
            "now": now,
            "limit": _EXPIRED_MAX,
        }
        found = self._deliveries(self._rows(EXPIRED, names))
        if len(found) == _EXPIRED_MAX:
            return found, found[-1].position
        return found, last if count == scan else 0

    def has_event(self, number: int) -> bool:
        """Say whether the event is kept."""
        return bool(self._rows("select 1 from events where number = ?", (number,)))

    def has_gap(self, subscription: int, call: int) -> bool:
        """See ports.Spool; some 4 us."""
        return bool(self._rows(GAP, (subscription, call)))

    def was_answered(self, *, customer: str, source: str, call_id: str) -> bool:
        """See ports.Spool; some 5 us."""
        return read_answered(self._rows, customer=customer, source=source, call_id=call_id)

    def way_of(self, *, customer: str, source: str, call_id: str) -> Way:
        """See ports.Spool; some 8 us."""
        return read_way(self._rows, customer=customer, source=source, call_id=call_id)

    def silent(self, *, after: int, before: float) -> Silence:
        """Look at some events above number `after`, accepted by `before`, for calls unended."""
        return read_silent(self._rows, after=after, before=before)

    def newest_stamp(self) -> float:
        """Return the largest `accepted_at`, 0 where there is no event."""
        [(newest_at,)] = self._rows(NEWEST_STAMP)
        return 0.0 if newest_at is None else float(newest_at)

    def pending(self) -> dict[int, int]:
        """Count the pending deliveries of each subscription that has any."""
        return dict(self._rows(_PENDING))

    def oldest_at(self, subscription: int) -> float | None:
        """Return when the first pending delivery in its queue was accepted, None without any."""
        rows = self._rows(OLDEST, (subscription,))
        return float(rows[0][0]) if rows else None

    def cards(self) -> list[tuple[object, object, object]]:
        """Return dialect, id and bytes of every card."""
        return self._rows(ALL)

    def dead_count(self) -> int:
        """Count the dead letters."""
        [(count,)] = self._rows("select count(*) from dead")
        return int(count)

    def pages(self) -> tuple[int, int]:
        """Count the pages of the database that hold something, and those that are free."""
        [(pages,)] = self._rows("pragma page_count")
        [(free,)] = self._rows("pragma freelist_count")
        return pages - free, free

    def _rows(self, sql: str, values: Sequence[object] | Mapping[str, object] = ()) -> list[Any]:
        try:
            rows = self._connection.execute(sql, values).fetchall()
        except sqlite3.Error as fault:
            raise self._unreadable(fault) from fault
        if self._failing and self.watch is not None:
            self._failing = not self.watch.could_read()
        return rows

    def _deliveries(self, rows: Iterable[Sequence[Any]]) -> list[Delivery]:
        try:
            return [_delivery(row) for row in rows]
        except MalformedRow as fault:
            raise self._unreadable(fault) from fault

    def _unreadable(self, fault: sqlite3.Error) -> SpoolUnreadable:
        self._failing = True
        if self.watch is not None:
            self.watch.could_not_read(fault)
        return SpoolUnreadable(f"The spool cannot be read: {told(fault)}.")


def _delivery(row: Sequence[Any]) -> Delivery:
    if [type(value) for value in row[:10]] != _TYPES:
        raise MalformedRow("a delivery is malformed")
    return Delivery(
        position=row[0],
        number=row[1],
        call=row[2],
        seq=row[3],
        previous_id=row[4],
        rounds=row[5],
        attempts=row[6],
        accepted_at=row[7],
        expires_at=row[8],
        body=row[9],
    )
