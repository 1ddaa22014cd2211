"""Writes settlements into the open transaction, in the order in which they were queued.

Each may be written twice, or find that what it settles has gone: then it changes nothing more.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Final, assert_never

from callpost.edge.spool.connections import Connections
from callpost.edge.spool.enroll import write_standing
from callpost.edge.spool.ledger import Ledger
from callpost.edge.spool.tally import Tally
from callpost.model.delivery import (
    Arrival,
    AttemptRecord,
    Deferred,
    Delivery,
    Died,
    Done,
    Released,
    Settlement,
    StandingChanged,
)
from callpost.model.subscription import Order

_DELETE_DELIVERY: Final = "delete from deliveries where subscription = ? and position = ?"
_INSERT_ATTEMPT: Final = "insert or replace into attempts values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
# A replay that dies again takes the place of the dead letter that it was made from.
_INSERT_DEAD: Final = "insert or replace into dead values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_DELETE_DEAD: Final = "delete from dead where number = ? and subscription = ?"
_UPDATE_ROUNDS: Final = (
    "update deliveries set rounds = ?, attempts = ? where subscription = ? and position = ?"
)
LAST_REASON: Final = """select reason from attempts
    where number = ? and subscription = ? order by attempt desc limit 1"""
EVENT: Final = "select 1 from events where number = ?"
_INSERT_DEFERRED: Final = "insert into deferred values (?, ?, ?, ?)"

_DELETE_DEFERRED: Final[dict[Order, str]] = {
    "call": "delete from deferred where subscription = :subscription and call = :key",
    "none": "delete from deferred where subscription = :subscription and position = :key",
    "subscription": "delete from deferred where subscription = :subscription",
}
# A row if the lane has a pending delivery. Those of a call are found from its events; none of
# them lies before the first pending position of the subscription, which spares the long past of
# a call that never ends. Replays come second: they have an index of their own.
PENDING: Final[dict[Order, tuple[str, ...]]] = {
    "call": (
        """select 1 from events e cross join deliveries d
           where e.call = :key
             and e.number >=
                 (select min(position) from deliveries where subscription = :subscription)
             and d.subscription = :subscription and d.position = e.number
           limit 1""",
        """select 1 from deliveries indexed by deliveries_replayed
           where position <> number and subscription = :subscription and call = :key
           limit 1""",
    ),
    "none": ("select 1 from deliveries where subscription = :subscription and position = :key",),
    "subscription": ("select 1 from deliveries where subscription = :subscription limit 1",),
}


_AttemptRow = tuple[object, ...]


class Settler:
    """Writes into the open transaction of the writing connection."""

    def __init__(self, connections: Connections, *, ledger: Ledger, tally: Tally) -> None:
        self._connections = connections
        self._ledger = ledger
        self._tally = tally

    def write(self, settlements: Iterable[Settlement]) -> list[bool]:
        """Return for each what its confirmation will say."""
        answers: list[bool] = []
        plain: list[Done] = []
        for settlement in settlements:
            if self._is_purged(settlement):
                answers.append(True)
                continue
            if isinstance(settlement, Done) and _is_plain(settlement):
                # Most settlements are of this kind; a run of them is written at once.
                plain.append(settlement)
                answers.append(True)
                continue
            self._write_plain(plain)
            plain = []
            answers.append(self._write_one(settlement))
        self._write_plain(plain)
        return answers

    def _is_purged(self, settlement: Settlement) -> bool:
        """Whether its event was removed meanwhile; then nothing of it is to be written."""
        if not self._ledger.has_purged or not isinstance(settlement, Done | Died | Deferred):
            return False
        connection = self._connections.writing
        if connection.execute(EVENT, (settlement.delivery.number,)).fetchall():
            return False
        if isinstance(settlement, Deferred):
            _write_lane(connection, settlement)
        return True

    def _write_one(self, settlement: Settlement) -> bool:
        connection = self._connections.writing
        match settlement:
            case Done():
                self._write_done(settlement)
            case Died():
                self._write_died(settlement)
            case Deferred():
                _write_deferred(connection, settlement)
            case Released():
                return _release(connection, settlement)
            case StandingChanged():
                # A subscription that has gone begins anew if its name comes back.
                if settlement.subscription not in self._ledger.removed:
                    write_standing(connection, settlement)
            case _ as unreachable:
                assert_never(unreachable)
        return True

    def _write_plain(self, made: Sequence[Done]) -> None:
        """First deliveries without a report: nothing hangs on whether each row was there."""
        connection = self._connections.writing
        places: dict[int, list[tuple[int, int]]] = {}
        for one in made:
            place = (one.subscription, one.delivery.position)
            places.setdefault(one.subscription, []).append(place)
        for owner, of_owner in places.items():
            gone = connection.executemany(_DELETE_DELIVERY, of_owner).rowcount
            self._tally.add(owner, -gone)
        attempts = [row for one in made for row in _rows_of_done(one)]
        connection.executemany(_INSERT_ATTEMPT, attempts)

    def _write_done(self, done: Done) -> None:
        delivery = done.delivery
        if not self._delete(done.subscription, delivery):
            return
        connection = self._connections.writing
        connection.executemany(_INSERT_ATTEMPT, _rows_of_done(done))
        if delivery.is_replay:
            connection.execute(_DELETE_DEAD, (delivery.number, done.subscription))
        self._report(done.report)

    def _write_died(self, died: Died) -> None:
        delivery = died.delivery
        if not self._delete(died.subscription, delivery):
            return
        last = died.last
        if not last and delivery.attempts:
            # It died without a further attempt; the last one that there was has a row.
            last = self._last_reason(died.subscription, delivery)
        row = (
            delivery.number,
            died.subscription,
            delivery.call,
            delivery.seq,
            delivery.previous_id,
            died.reason,
            delivery.rounds,
            delivery.attempts + len(died.attempts),
            died.died_at,
            last,
        )
        connection = self._connections.writing
        connection.execute(_INSERT_DEAD, row)
        connection.executemany(_INSERT_ATTEMPT, _rows(died.subscription, died.attempts))
        self._report(died.report)

    def _last_reason(self, subscription: int, delivery: Delivery) -> str:
        place = (delivery.number, subscription)
        row = self._connections.writing.execute(LAST_REASON, place).fetchone()
        return "" if row is None else str(row[0] or "")

    def _delete(self, subscription: int, delivery: Delivery) -> bool:
        """Say whether the delivery was still pending."""
        place = (subscription, delivery.position)
        gone = self._connections.writing.execute(_DELETE_DELIVERY, place).rowcount
        self._tally.add(subscription, -gone)
        return gone > 0

    def _report(self, report: Arrival | None) -> None:
        if report is not None:
            self._ledger.write([report])


def _is_plain(done: Done) -> bool:
    return done.report is None and not done.delivery.is_replay


def _write_deferred(connection: sqlite3.Connection, deferred: Deferred) -> None:
    owner, delivery = deferred.subscription, deferred.delivery
    attempts = delivery.attempts + len(deferred.attempts)
    connection.execute(_UPDATE_ROUNDS, (deferred.rounds, attempts, owner, delivery.position))
    _delete_deferred(connection, deferred)
    # The row is made even if the head has gone: the lane is out of the courier's memory, and
    # only a row of its own brings the rest of it back.
    row = (owner, delivery.position, delivery.call, deferred.due_at)
    connection.execute(_INSERT_DEFERRED, row)
    connection.executemany(_INSERT_ATTEMPT, _rows(owner, deferred.attempts))


def _write_lane(connection: sqlite3.Connection, deferred: Deferred) -> None:
    """The head of the lane has gone; a row brings back the rest, where there is a rest."""
    lane = {"subscription": deferred.subscription, "key": deferred.key}
    _delete_deferred(connection, deferred)
    if any(connection.execute(sql, lane).fetchall() for sql in PENDING[deferred.order]):
        delivery = deferred.delivery
        row = (deferred.subscription, delivery.position, delivery.call, deferred.due_at)
        connection.execute(_INSERT_DEFERRED, row)


def _release(connection: sqlite3.Connection, released: Released) -> bool:
    lane = {"subscription": released.subscription, "key": released.key}
    if any(connection.execute(sql, lane).fetchall() for sql in PENDING[released.order]):
        return False
    _delete_deferred(connection, released)
    return True


def _delete_deferred(connection: sqlite3.Connection, lane: Deferred | Released) -> None:
    """A lane has one row, but for the rows that an earlier `order` has left behind."""
    names = {"subscription": lane.subscription, "key": lane.key}
    connection.execute(_DELETE_DEFERRED[lane.order], names)


def _rows_of_done(done: Done) -> list[_AttemptRow]:
    """The last attempt is the one that made it; its row keeps what a replay needs."""
    owner, delivery = done.subscription, done.delivery
    rows = _rows(owner, done.attempts[:-1])
    for last in done.attempts[-1:]:
        rows.append(_row(owner, last, seq=delivery.seq, previous_id=delivery.previous_id))
    return rows


def _rows(subscription: int, attempts: Iterable[AttemptRecord]) -> list[_AttemptRow]:
    return [_row(subscription, one) for one in attempts]


def _row(
    subscription: int,
    one: AttemptRecord,
    *,
    seq: int | None = None,
    previous_id: str | None = None,
) -> _AttemptRow:
    return (
        one.number,
        subscription,
        one.attempt,
        one.at,
        one.place,
        one.outcome,
        one.reason,
        one.http_status,
        one.total_ms,
        seq,
        previous_id,
    )
