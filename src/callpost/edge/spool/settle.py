"""Writes settlements into the open transaction, in the order in which they were queued.

Each may be written twice, or find that what it settles has gone: then it changes nothing more.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Final, assert_never

from callpost.model.delivery import (
    AttemptRecord,
    Deferred,
    Died,
    Done,
    Released,
    Settlement,
)
from callpost.model.subscription import Order

_DELETE_DELIVERY: Final = "delete from deliveries where subscription = ? and position = ?"
_INSERT_ATTEMPT: Final = "insert or replace into attempts values (?, ?, ?, ?, ?, ?, ?, ?, ?)"
# A replay that dies again takes the place of the dead letter that it was made from.
_INSERT_DEAD: Final = "insert or replace into dead values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_DELETE_DEAD: Final = "delete from dead where number = ? and subscription = ?"
_UPDATE_ROUNDS: Final = (
    "update deliveries set rounds = ?, attempts = ? where subscription = ? and position = ?"
)
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


def write_settlements(
    connection: sqlite3.Connection, settlements: Iterable[Settlement]
) -> list[bool]:
    """Return for each what its confirmation will say."""
    answers: list[bool] = []
    made: list[Done] = []
    for settlement in settlements:
        answer = True
        if not isinstance(settlement, Done) and made:
            _write_done(connection, made)
            made = []
        match settlement:
            case Done():
                # Most settlements are of this kind; a run of them is written at once.
                made.append(settlement)
            case Died():
                _write_died(connection, settlement)
            case Deferred():
                _write_deferred(connection, settlement)
            case Released():
                answer = _release(connection, settlement)
            case _ as unreachable:
                assert_never(unreachable)
        answers.append(answer)
    _write_done(connection, made)
    return answers


def _write_done(connection: sqlite3.Connection, made: Sequence[Done]) -> None:
    connection.executemany(_DELETE_DELIVERY, [(one.subscription, one.position) for one in made])
    attempts = [row for one in made for row in _rows(one.subscription, one.attempts)]
    connection.executemany(_INSERT_ATTEMPT, attempts)
    # Only a replay's position differs from its number: its dead letter has been delivered now.
    replayed = {
        (attempt.number, one.subscription)
        for one in made
        for attempt in one.attempts[-1:]
        if attempt.number != one.position
    }
    connection.executemany(_DELETE_DEAD, replayed)


def _write_died(connection: sqlite3.Connection, died: Died) -> None:
    delivery = died.delivery
    place = (died.subscription, delivery.position)
    if connection.execute(_DELETE_DELIVERY, place).rowcount == 0:
        return
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
        died.last,
    )
    connection.execute(_INSERT_DEAD, row)
    connection.executemany(_INSERT_ATTEMPT, _rows(died.subscription, died.attempts))


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


def _rows(subscription: int, attempts: Iterable[AttemptRecord]) -> list[tuple[object, ...]]:
    return [
        (
            one.number,
            subscription,
            one.attempt,
            one.at,
            one.place,
            one.outcome,
            one.reason,
            one.http_status,
            one.total_ms,
        )
        for one in attempts
    ]
