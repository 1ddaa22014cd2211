"""All that one event has left in the tables, to be counted or removed, wherever it stands.

Nothing else is touched: the lane of a delivery that goes is due at once, so that what waits
behind it does not wait for a row that nobody takes away.
"""

import sqlite3
from typing import Final

from msgspec import Struct

EVENT: Final = """select call, accepted_at, substr(body, 1, 8) <> cast('{"event"' as blob),
      not exists (select 1 from events l where l.call = e.call and l.number > e.number)
    from events e where number = ?"""
# Whoever was told anything about the call has a counter of it.
PENDING: Final = """select d.subscription, d.position
    from counters k cross join deliveries d
      on d.subscription = k.subscription and d.position = :number
    where k.call = :call and d.number = :number"""
REPLAYED: Final = """select subscription, position
    from deliveries indexed by deliveries_replayed_of
    where position <> number and number = :number"""
DEAD: Final = "select count(*) from dead where number = ?"
ATTEMPTS: Final = "select count(*) from attempts where number = ?"

_DELETE_DELIVERY: Final = "delete from deliveries where subscription = ? and position = ?"
_DUE_AT_ONCE: Final = "update deferred set due_at = 0.0 where subscription = ? and position = ?"
IS_WANTING: Final = "select 1 from deliveries where subscription = ? limit 1"
_DELETE_DEFERRED: Final = "delete from deferred where subscription = ?"
_DELETE_DEAD: Final = "delete from dead where number = ?"
_DELETE_ATTEMPTS: Final = "delete from attempts where number = ?"
_DELETE_EVENT: Final = "delete from events where number = ?"


class Traces(Struct, frozen=True, kw_only=True):
    """`pending` has subscription and position of each delivery; `is_last` of its call."""

    number: int
    call: int
    accepted_at: float
    is_report: bool
    is_last: bool
    pending: tuple[tuple[int, int], ...]
    dead: int
    attempts: int


def traces_of(connection: sqlite3.Connection, number: int) -> Traces | None:
    """What there is of the event with this number; None where it is not there."""
    found = connection.execute(EVENT, (number,)).fetchall()
    if not found:
        return None
    [(call, accepted_at, is_report, is_last)] = found
    names = {"call": call, "number": number}
    pending = connection.execute(PENDING, names).fetchall()
    pending += connection.execute(REPLAYED, names).fetchall()
    [(dead,)] = connection.execute(DEAD, (number,)).fetchall()
    [(attempts,)] = connection.execute(ATTEMPTS, (number,)).fetchall()
    return Traces(
        number=number,
        call=call,
        accepted_at=accepted_at,
        is_report=is_report == 1,
        is_last=is_last == 1,
        pending=tuple(pending),
        dead=dead,
        attempts=attempts,
    )


def remove(connection: sqlite3.Connection, traces: Traces) -> None:
    """Remove all of it; the call and its counters are not this file's affair."""
    connection.executemany(_DELETE_DELIVERY, traces.pending)
    connection.executemany(_DUE_AT_ONCE, traces.pending)
    connection.execute(_DELETE_DEAD, (traces.number,))
    connection.execute(_DELETE_ATTEMPTS, (traces.number,))
    connection.execute(_DELETE_EVENT, (traces.number,))
    for owner in {owner for owner, _ in traces.pending}:
        if not connection.execute(IS_WANTING, (owner,)).fetchall():
            # No lane is left that a row could hold back, or bring back.
            connection.execute(_DELETE_DEFERRED, (owner,))
