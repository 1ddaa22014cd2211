"""Makes a spool of what was carried over: what refers to nothing goes, what follows is put back.

Runs once, in the new database, in which nothing is damaged.
"""

import sqlite3
import time
from typing import Final

import msgspec
from msgspec import Struct

from callpost.model.letter import letter_of

# Numbers spent after the highest one that could be read: more than a lost write-ahead log holds.
_NUMBERS_LOST_MAX: Final = 1_000_000

_ORPHANS: Final = """delete from {table}
    where not exists (select 1 from events e where e.number = {table}.number)"""
_NAMELESS: Final = """select subscription from deliveries union select subscription from dead
    union select max(subscription) from counters union select max(subscription) from attempts
    except select id from subscriptions"""
_CALLS_LOST: Final = """select e.call, e.scope, max(e.accepted_at), e.body from events e
    where not exists (select 1 from calls c where c.call = e.call) group by e.call"""
_SCOPES_LOST: Final = """select e.scope, e.body from events e
    where not exists (select 1 from scopes s where s.scope = e.scope) group by e.scope"""
# The last seq that anything tells of is the least that was told.
_COUNT: Final = """insert into counters
    select d.call, d.subscription, max(d.seq), e.id
    from {table} d join events e on e.number = d.number where true
    group by d.call, d.subscription
    on conflict (call, subscription) do update set seq = excluded.seq, last_id = excluded.last_id
    where excluded.seq > counters.seq"""
# A call that was found by its index has no stamp, and is not to be forgotten before its time.
_STAMP_CALLS: Final = """update calls
    set last_at = (select coalesce(max(accepted_at), 0.0) from events) where last_at = 0.0"""
_DEFERRED_FOR_NOBODY: Final = """delete from deferred where not exists (
    select 1 from deliveries d
    where d.subscription = deferred.subscription and d.call = deferred.call)"""
_HIGHEST: Final = """select max(coalesce(n, 0)) from (
    select max(number) n from events union all select max(number) from dead
    union all select max(number) from attempts union all select max(position) from deliveries)"""
_FATES_WANTED: Final = "select coalesce(sum(matched), 0) from events"
_FATES_KNOWN: Final = """select count(*) from (
    select number, subscription from deliveries union select number, subscription from dead
    union select number, subscription from attempts where outcome = 'delivered')"""


class Mended(Struct, frozen=True):
    """Rows that went for want of their event, and the first number that is given next."""

    deliveries: int
    dead: int
    next_number: int


class _Whose(Struct):
    customer: str = ""
    source: str = ""


def mend(connection: sqlite3.Connection, *, next_number: int | None) -> Mended:
    """Do all of it in the open transaction; `next_number` as the damaged one knew it."""
    deliveries, dead, _ = (
        connection.execute(_ORPHANS.format(table=table)).rowcount
        for table in ("deliveries", "dead", "attempts")
    )
    connection.execute(_DEFERRED_FOR_NOBODY)
    connection.execute(_STAMP_CALLS)
    _name_the_nameless(connection)
    _restore_calls(connection)
    for table in ("deliveries", "dead"):
        connection.execute(_COUNT.format(table=table))
    [(highest,)] = connection.execute(_HIGHEST).fetchall()
    following = _following(highest, next_number)
    connection.execute("update meta set value = ? where key = 'next_number'", (following,))
    return Mended(deliveries=deliveries, dead=dead, next_number=following)


def fates_unknown(connection: sqlite3.Connection) -> int:
    """How many deliveries of the events that are there have left no trace, at the most.

    Those that were lost with a page, but also dead letters whose time was over.
    """
    [(wanted,)] = connection.execute(_FATES_WANTED).fetchall()
    [(known,)] = connection.execute(_FATES_KNOWN).fetchall()
    return max(0, int(wanted) - int(known))


def _following(highest: int, next_number: int | None) -> int:
    if highest or next_number:
        return max(highest + 1, next_number or 0) + _NUMBERS_LOST_MAX
    # Nothing tells of any: no spool has ever spent so many as milliseconds have passed.
    return time.time_ns() // 1_000_000


def _name_the_nameless(connection: sqlite3.Connection) -> None:
    """A number whose name is lost must not become another subscription's."""
    nameless = connection.execute(_NAMELESS).fetchall()
    connection.executemany(
        "insert or ignore into subscriptions (id, name) values (?, '?' || ?)",
        [(number, number) for (number,) in nameless if number is not None],
    )


def _restore_calls(connection: sqlite3.Connection) -> None:
    """An event says itself which call it belongs to, and whose that is."""
    for scope, body in connection.execute(_SCOPES_LOST).fetchall():
        whose = _whose(body)
        row = (scope, whose.customer, whose.source)
        if not connection.execute("insert or ignore into scopes values (?, ?, ?)", row).rowcount:
            # Known under another number, or two have lost theirs: what is left is a number.
            connection.execute("insert into scopes values (?, ?, ?)", (scope, "", f"?{scope}"))
    for call, scope, last_at, body in connection.execute(_CALLS_LOST).fetchall():
        known = (call, scope, letter_of(body).call_id, last_at)
        if not connection.execute(
            "insert or ignore into calls values (?, ?, ?, ?)", known
        ).rowcount:
            connection.execute(
                "insert into calls values (?, ?, ?, ?)", (call, scope, f"?{call}", last_at)
            )


def _whose(body: bytes) -> _Whose:
    return msgspec.json.decode(body, type=_Whose)
