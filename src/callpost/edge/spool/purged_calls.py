"""Calls of which everything was purged: how far their `seq` had come is kept for its week.

The call may go on, and a receiver must see that something is missing, not a beginning. Who it was
is not kept: the row bears a fingerprint, by which the call is known again if it is heard of.
"""

import hashlib
import sqlite3
from collections.abc import Iterable
from typing import Final

from callpost.model.limits import CALL_KEPT_S

_PREFIX: Final = "purged:"
# No scope has this number.
_NOBODY: Final = 0

HAS_EVENTS: Final = "select 1 from events where call = ? limit 1"
CALL: Final = """select c.call_id, c.last_at, s.customer, s.source
    from calls c cross join scopes s on s.scope = c.scope where c.call = ?"""
ANY: Final = "select 1 from calls where call_id >= ? and call_id < ? and scope = ? limit 1"
_TOUCH: Final = "update calls set last_at = max(last_at, ?) where call = ?"
_ANONYMIZE: Final = "update or replace calls set call_id = ?, scope = ?, last_at = ? where call = ?"
_FORGET_IDS: Final = "update counters set last_id = '' where call = ?"
_DELETE_COUNTERS: Final = "delete from counters where call = ?"
_DELETE_CALL: Final = "delete from calls where call = ?"
_WHOSE: Final = "select customer, source from scopes where scope = ?"
_REVIVE: Final = "update or ignore calls set call_id = ?, scope = ? where call_id = ? and scope = ?"


def close_call(connection: sqlite3.Connection, call: int, *, last_at: float, now: float) -> bool:
    """Remove a call that has no events left, whose last was accepted at `last_at`; False if not."""
    if connection.execute(HAS_EVENTS, (call,)).fetchall():
        connection.execute(_TOUCH, (last_at, call))
        return False
    found = connection.execute(CALL, (call,)).fetchall()
    if not found:
        return False
    [(call_id, known_at, customer, source)] = found
    last_at = max(last_at, known_at)
    if last_at < now - CALL_KEPT_S:
        connection.execute(_DELETE_COUNTERS, (call,))
        connection.execute(_DELETE_CALL, (call,))
        return True
    mark = _fingerprint(customer, source, call_id)
    connection.execute(_ANONYMIZE, (mark, _NOBODY, last_at, call))
    connection.execute(_FORGET_IDS, (call,))
    return True


def are_there(connection: sqlite3.Connection) -> bool:
    """Say whether any call is kept in this way."""
    # A colon is followed by a semicolon, whatever comes behind it.
    span = (_PREFIX, f"{_PREFIX[:-1]};", _NOBODY)
    return bool(connection.execute(ANY, span).fetchall())


def revive(connection: sqlite3.Connection, calls: Iterable[tuple[int, str]]) -> None:
    """Give those of the calls (scope, callId) their names back that are kept in this way."""
    for scope, call_id in calls:
        [(customer, source)] = connection.execute(_WHOSE, (scope,)).fetchall()
        mark = _fingerprint(customer, source, call_id)
        connection.execute(_REVIVE, (call_id, scope, mark, _NOBODY))


def _fingerprint(customer: str, source: str, call_id: str) -> str:
    # None of them has a NUL.
    marks = f"{customer}\0{source}\0{call_id}"
    return f"{_PREFIX}{hashlib.sha256(marks.encode()).hexdigest()[:32]}"
