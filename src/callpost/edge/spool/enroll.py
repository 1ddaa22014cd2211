"""Gives subscriptions their numbers and closes the books on those that are gone."""

import sqlite3
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from callpost.edge.spool.sweep import FIRST_PENDING
from callpost.edge.spool.tally import Tally
from callpost.model.delivery import Enrolled, Pause, Standing, StandingChanged

# Deliveries that become dead letters in one transaction: some 6 ms.
_CHUNK: Final = 2_000

_DEFERRING: Final = "select distinct subscription from deferred"
_DELETE_DEFERRED: Final = "delete from deferred where subscription = ?"
_LAST_OF_CHUNK: Final = """select max(position) from (
    select position from deliveries where subscription = ? order by position limit ?)"""
# Few have been tried: the heads of their lanes.
BURY: Final = """insert or replace into dead
    select number, subscription, call, seq, previous_id, 'subscription_removed', rounds, attempts,
        ?, case attempts when 0 then '' else coalesce((select reason from attempts a
            where a.number = d.number and a.subscription = d.subscription
            order by attempt desc limit 1), '') end
    from deliveries d where subscription = ? and position <= ?"""
_DELETE: Final = "delete from deliveries where subscription = ? and position <= ?"
# The names come as one list of JSON: to bind each by itself takes four times as long.
_ADD: Final = """insert into subscriptions (name) select value from json_each(?) where true
    on conflict (name) do nothing"""
# Clients make and take away as they like: of those that have gone there may be a million.
_WANTED: Final = """select name, subscriptions.id, state from json_each(?)
    cross join subscriptions on name = value"""
_SAVE_STATE: Final = "update subscriptions set state = ? where id = ?"


def register(connection: sqlite3.Connection, names: Sequence[str]) -> dict[str, Enrolled]:
    """Return what the spool knows of every name that it ever heard, those in `names` included.

    A name keeps its number for ever, also while it is gone: its dead letters are told by it. Its
    standing ends with it.
    """
    rows = _added(connection, names)
    wanted = frozenset(names)
    for name, number, state in rows:
        if state and name not in wanted:
            end_standing(connection, number)
    return {name: Enrolled(number, _standing(state)) for name, number, state in rows}


def admit(connection: sqlite3.Connection, names: Sequence[str]) -> dict[str, Enrolled]:
    """Return what the spool knows of these names, and let the others be."""
    wanted = (_listed(names),)
    connection.execute(_ADD, wanted)
    rows = connection.execute(_WANTED, wanted).fetchall()
    return {name: Enrolled(number, _standing(state)) for name, number, state in rows}


def end_standing(connection: sqlite3.Connection, number: int) -> None:
    """Forget how a subscription stood: it is gone."""
    connection.execute(_SAVE_STATE, ("", number))


def write_standing(connection: sqlite3.Connection, changed: StandingChanged) -> None:
    """Keep the standing for the next start."""
    state = msgspec.json.encode(changed.standing).decode()
    connection.execute(_SAVE_STATE, (state, changed.subscription))


def paused(connection: sqlite3.Connection) -> Iterator[tuple[int, str, Pause]]:
    """Yield number and name of each subscription that is paused, and who has paused it."""
    rows = connection.execute("select id, name, state from subscriptions where state <> ''")
    for number, name, state in rows:
        if by := _standing(state).paused:
            yield number, name, by


def bury(connection: sqlite3.Connection, gone: frozenset[int], *, now: float, tally: Tally) -> int:
    """Make dead letters of what is pending for those that are gone; return how many, 0 for none.

    One transaction's worth of one subscription at a time.
    """
    deferring = connection.execute(_DEFERRING).fetchall()
    connection.executemany(_DELETE_DEFERRED, [row for row in deferring if row[0] in gone])
    for subscription, _ in connection.execute(FIRST_PENDING).fetchall():
        if subscription in gone:
            chunk = (subscription, _CHUNK)
            [(last,)] = connection.execute(_LAST_OF_CHUNK, chunk).fetchall()
            connection.execute(BURY, (now, subscription, last))
            buried = connection.execute(_DELETE, (subscription, last)).rowcount
            tally.add(subscription, -buried)
            return buried
    return 0


def _added(connection: sqlite3.Connection, names: Sequence[str]) -> list[tuple[str, int, str]]:
    """Every name that was ever heard, these too, with number and state."""
    connection.execute(_ADD, (_listed(names),))
    return connection.execute("select name, id, state from subscriptions").fetchall()


def _listed(names: Sequence[str]) -> str:
    return msgspec.json.encode(names).decode()


def _standing(state: str) -> Standing:
    return msgspec.json.decode(state, type=Standing) if state else Standing()
