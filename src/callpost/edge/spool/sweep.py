"""The single turns of retention, each inside a transaction that the caller has opened.

A turn looks at 10,000 events or calls at most and takes up to 1,000 of them, so that the loop is
not held for long. An event is taken only if nothing pending and no dead letter needs it.
"""

import sqlite3
from collections.abc import Collection, Sequence
from itertools import groupby, takewhile
from typing import Final

from msgspec import Struct

from callpost.edge.spool.schema import PAGE_BYTES
from callpost.edge.spool.silent import UNENDED_AMONG

_NEVER: Final = float("inf")
_CHUNK: Final = 1_000
_CHUNKS: Final = 10
# A turn ends after so many rows were deleted: an event that went to a thousand subscriptions has
# a thousand attempts.
_WRITTEN_MAX: Final = 4_000
# Or when it has freed so many pages: each is overwritten, and an event may have 250 of them.
_FREED_MAX: Final = 2_048
_STRIDE: Final = 16
# Pending deliveries are lost for good when they go: few at a time, so that not one more goes
# than must.
_PENDING_CHUNK: Final = 64
# Pages moved and cut off in one transaction.
_VACUUM_PAGES: Final = 128
VACUUM_BYTES: Final = _VACUUM_PAGES * PAGE_BYTES

EVENTS: Final = """select number, call, accepted_at from events
    where number > ? order by number limit ?"""
DEAD_AMONG: Final = "select distinct number from dead where number between ? and ?"
REPLAYED_AMONG: Final = """select number from deliveries
    where position <> number and number between ? and ?"""
# Hops from one subscription to the next instead of reading all that is pending.
FIRST_PENDING: Final = """with recursive owner (subscription) as (
        select min(subscription) from deliveries
        union all
        select (select min(d.subscription) from deliveries d
                where d.subscription > owner.subscription)
        from owner where owner.subscription is not null)
    select subscription, (select min(position) from deliveries d
                          where d.subscription = owner.subscription)
    from owner where subscription is not null"""
PENDING_AMONG: Final = """select position from deliveries
    where subscription = ? and position between ? and ?"""
DELETE_EVENTS: Final = "delete from events where number between ? and ?"
DELETE_ATTEMPTS: Final = "delete from attempts where number between ? and ?"
_CALL_ENDED: Final = "update calls set last_at = max(last_at, ?) where call = ?"

OLD_DEAD: Final = "select number, subscription from dead where died_at < ? order by died_at limit ?"
_DELETE_DEAD: Final = "delete from dead where number = ? and subscription = ?"

OLDEST_OF: Final = """select subscription, position, number from deliveries
    where subscription = ? order by position limit ?"""
_DELETE_PENDING: Final = "delete from deliveries where subscription = ? and position = ?"

LAST_CALL: Final = """select max(call) from (
    select call from calls where call > ? order by call limit ?)"""
OLD_CALLS: Final = """select call from calls
    where call > ? and call <= ? and last_at < ?
      and not exists (select 1 from events e where e.call = calls.call)
    order by call limit ?"""
DELETE_COUNTERS: Final = "delete from counters where call = ?"
_DELETE_CALL: Final = "delete from calls where call = ?"


class Turn(Struct, frozen=True):
    """Where the next turn goes on, how many were taken, and whether the end was reached."""

    last: int
    taken: int
    ended: bool


def take_events(
    connection: sqlite3.Connection, *, after: int, before: float, unended_after: float = _NEVER
) -> Turn:
    """Take events with a number above `after` that were accepted before `before`.

    The last event of a call that has no end stays if it was accepted after `unended_after`.
    """
    turn = Turn(after, 0, ended=False)
    for _ in range(_CHUNKS):
        step = _take_chunk(connection, after=turn.last, before=before, unended_after=unended_after)
        turn = Turn(step.last, turn.taken + step.taken, step.ended)
        if turn.ended or turn.taken:
            break
    return turn


def take_dead(connection: sqlite3.Connection, *, before: float) -> list[int]:
    """Take dead letters that died before `before`, the oldest first; return their numbers."""
    rows = connection.execute(OLD_DEAD, (before, _CHUNK)).fetchall()
    connection.executemany(_DELETE_DEAD, rows)
    return [number for number, _ in rows]


def take_pending(
    connection: sqlite3.Connection, subscriptions: Collection[int]
) -> list[tuple[int, int]]:
    """Take the oldest pending deliveries of these; return subscription and number of each."""
    share = max(1, _PENDING_CHUNK // max(1, len(subscriptions)))
    rows: list[tuple[int, int, int]] = []
    # Beyond the end of a full share there may be older ones that were not looked at.
    known_to = float("inf")
    for owner in subscriptions:
        oldest = connection.execute(OLDEST_OF, (owner, share)).fetchall()
        rows += oldest
        if len(oldest) == share:
            known_to = min(known_to, oldest[-1][1])
    taken = [row for row in rows if row[1] <= known_to]
    connection.executemany(_DELETE_PENDING, [row[:2] for row in taken])
    return [(owner, number) for owner, _, number in taken]


def take_calls(connection: sqlite3.Connection, *, after: int, before: float) -> Turn:
    """Take calls above `after` that have no events left and whose last was before `before`."""
    [(last,)] = connection.execute(LAST_CALL, (after, _CHUNK * _CHUNKS)).fetchall()
    if last is None:
        return Turn(0, 0, ended=True)
    calls = connection.execute(OLD_CALLS, (after, last, before, _CHUNK)).fetchall()
    written = connection.total_changes
    for taken, call in enumerate(calls, start=1):
        connection.execute(DELETE_COUNTERS, call)
        connection.execute(_DELETE_CALL, call)
        if connection.total_changes - written > _WRITTEN_MAX or taken == _CHUNK:
            return Turn(call[0], taken, ended=False)
    return Turn(last, len(calls), ended=False)


def free_pages(connection: sqlite3.Connection) -> int:
    """Count the free pages, those of the open transaction too."""
    [(count,)] = connection.execute("pragma freelist_count").fetchall()
    return int(count)


def vacuum(connection: sqlite3.Connection) -> None:
    """Give free pages back to the file system."""
    for _ in range(_VACUUM_PAGES):
        # The sqlite3 module steps a pragma once, and each step frees one page.
        connection.execute("pragma incremental_vacuum(1)")


def _take_chunk(
    connection: sqlite3.Connection, *, after: int, before: float, unended_after: float
) -> Turn:
    rows: list[tuple[int, int, float]] = connection.execute(EVENTS, (after, _CHUNK)).fetchall()
    old = list(takewhile(lambda row: row[2] < before, rows))
    if not old:
        return Turn(after, 0, ended=True)
    first, last = after + 1, old[-1][0]
    needed = _needed(connection, first, last, {row[0] for row in old})
    if unended_after < before:
        unended = connection.execute(UNENDED_AMONG, (first, last, unended_after))
        needed.update(number for (number,) in unended)
    last = _delete(connection, [row[0] for row in old], needed)
    gone = [row for row in old if row[0] <= last and row[0] not in needed]
    # Rows come in the order of time: of a call's, the last one's stays.
    ended_at = {call: accepted_at for _, call, accepted_at in gone}
    connection.executemany(_CALL_ENDED, [(at, call) for call, at in ended_at.items()])
    return Turn(last, len(gone), ended=last == old[-1][0] and len(old) < _CHUNK)


def _needed(
    connection: sqlite3.Connection, first: int, last: int, old: Collection[int]
) -> set[int]:
    """Those of the `old` events, all among `first`..`last`, that something pending or dead needs.

    The position of a replay is no event's number: counted as one, it would end the search early.
    """
    span = (first, last)
    needed = {number for (number,) in connection.execute(DEAD_AMONG, span) if number in old}
    replayed = connection.execute(REPLAYED_AMONG, span)
    needed.update(number for (number,) in replayed if number in old)
    for subscription, position in connection.execute(FIRST_PENDING).fetchall():
        if len(needed) == len(old):
            break
        if position <= last:
            found = connection.execute(PENDING_AMONG, (subscription, *span))
            needed.update(number for (number,) in found if number in old)
    return needed


def _delete(connection: sqlite3.Connection, numbers: Sequence[int], needed: Collection[int]) -> int:
    """Delete these but for the needed ones; return how far it came.

    It stops early where the events have many attempts. What lies between two numbers is never
    counted through: a salvage leaves a gap of a million, or of a trillion.
    """
    written, free = connection.total_changes, free_pages(connection)
    for is_needed, run in groupby(numbers, key=needed.__contains__):
        going = [] if is_needed else list(run)
        for place in range(0, len(going), _STRIDE):
            some = going[place : place + _STRIDE]
            span = (some[0], some[-1])
            connection.execute(DELETE_EVENTS, span)
            connection.execute(DELETE_ATTEMPTS, span)
            if (
                connection.total_changes - written > _WRITTEN_MAX
                or free_pages(connection) - free > _FREED_MAX
            ):
                return span[1]
    return numbers[-1]
