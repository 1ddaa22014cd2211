"""The tables of the spool and the steps that lead from one schema to the next.

A step that was released is never changed: what an older daemon wrote is brought here by running
the steps after it, all in one transaction. Calls, scopes and subscriptions have integer keys,
because text in an index costs more than the rest of the row.
"""

import sqlite3
from pathlib import Path
from typing import Final

from callpost.edge.spool.files import SpoolDamaged, SpoolUnusable
from callpost.edge.spool.health import is_damage
from callpost.model.limits import Durability

PAGE_BYTES: Final = 4096
# A checkpoint every 64 MiB of WAL: fewer of them write a busy page once instead of many times.
_CHECKPOINT_PAGES: Final = 16_384
# The WAL may take up to this part of a small spool, so that it does not fill it alone.
_WAL_SHARE: Final = 8
# 20 MiB of pages in memory: a batch with random ids touches a page of the index for each.
_CACHE_KIB: Final = 20 * 1024

_VERSION_1: Final = (
    # schema: what follows has been applied; next_number: events and positions, never reused.
    "create table meta (key text primary key, value) without rowid",
    "insert into meta values ('schema', 0), ('next_number', 1)",
    # A call is (scope, call_id) and an event's id is unique within its scope.
    """create table scopes (
         scope integer primary key, customer text not null, source text not null,
         unique (customer, source))""",
    # last_at: of those of its events that retention has taken, or of its first one.
    """create table calls (
         call integer primary key, scope integer not null, call_id text not null,
         last_at real not null, unique (call_id, scope))""",
    """create table events (
         number integer primary key, id text not null, scope integer not null,
         call integer not null, matched integer not null, accepted_at real not null,
         body blob not null, unique (id, scope))""",
    "create index events_by_call on events (call)",
    # A row stays when its subscription goes: its dead letters keep their name, its number is
    # never given to another.
    "create table subscriptions (id integer primary key, name text not null unique)",
    # The last seq told to a subscription about a call, and the event that bore it.
    """create table counters (
         call integer not null, subscription integer not null, seq integer not null,
         last_id text not null, primary key (call, subscription)) without rowid""",
    # What is pending. position = number, but for a replay, which has a fresh one.
    """create table deliveries (
         subscription integer not null, position integer not null, number integer not null,
         call integer not null, seq integer not null, previous_id text not null,
         rounds integer not null, attempts integer not null, expires_at real not null,
         replayed_at real, primary key (subscription, position)) without rowid""",
    """create index deliveries_replayed on deliveries (subscription, call, position)
         where position <> number""",
    "create index deliveries_replayed_of on deliveries (number) where position <> number",
    # The heads of the lanes that wait on disk; a lane's key follows from the order.
    """create table deferred (
         subscription integer not null, position integer not null, call integer not null,
         due_at real not null, primary key (subscription, position)) without rowid""",
    "create index deferred_by_call on deferred (subscription, call)",
    "create index deferred_by_due on deferred (subscription, due_at)",
    """create table dead (
         number integer not null, subscription integer not null, call integer not null,
         seq integer not null, previous_id text not null, reason text not null,
         rounds integer not null, attempts integer not null, died_at real not null,
         last text not null, primary key (number, subscription)) without rowid""",
    "create index dead_by_subscription on dead (subscription, number)",
    "create index dead_by_age on dead (died_at)",
    """create table attempts (
         number integer not null, subscription integer not null, attempt integer not null,
         at real not null, place text not null, outcome text not null, reason text not null,
         http_status integer, total_ms real not null,
         primary key (number, subscription, attempt)) without rowid""",
)
_VERSION_2: Final = (
    # JSON of the subscription's Standing; "" is a good one.
    "alter table subscriptions add column state text not null default ''",
    # On the last attempt of a delivery that was made, else null: what a replay of it needs.
    "alter table attempts add column seq integer",
    "alter table attempts add column previous_id text",
    "create index dead_gaps on dead (subscription, call) where reason <> 'superseded'",
)
_VERSION_3: Final = (
    # What clients have made over the API; `written` is the JSON of a Card.
    """create table cards (
         card integer primary key, dialect text not null, id text not null, written blob not null,
         unique (dialect, id))""",
)
STEPS: Final = (_VERSION_1, _VERSION_2, _VERSION_3)

# A database without tables has its header and the map of its pages, and nothing else.
_EMPTY_PAGES: Final = 2
# Who has these has been a spool.
_OURS: Final = frozenset({"calls", "events", "deliveries"})


def wal_max_bytes(max_bytes: int) -> int:
    """Return how large the write-ahead log of a spool of `max_bytes` may become."""
    return min(_CHECKPOINT_PAGES, max(1, max_bytes // _WAL_SHARE // PAGE_BYTES)) * PAGE_BYTES


def prepare(
    connection: sqlite3.Connection, path: Path, *, durability: Durability, max_bytes: int
) -> None:
    """Set the connection up and bring the tables to this schema.

    Raises `SpoolUnusable`, and of its kinds `SpoolDamaged` where a start can do better.
    """
    try:
        lay_out(connection)
        set_up(connection, durability=durability, max_bytes=max_bytes)
        _migrate(connection, path)
    except sqlite3.DatabaseError as fault:
        if is_damage(fault):
            raise SpoolDamaged(f"{path}: is damaged: {fault}") from fault
        raise SpoolUnusable(f"{path}: cannot be used as a spool: {fault}") from fault


def set_up(connection: sqlite3.Connection, *, durability: Durability, max_bytes: int) -> None:
    """Say how this connection is to work; nothing of it is written to the file."""
    wal_bytes = wal_max_bytes(max_bytes)
    for pragma in (
        f"synchronous = {'full' if durability == 'power' else 'normal'}",
        f"wal_autocheckpoint = {wal_bytes // PAGE_BYTES}",
        f"journal_size_limit = {wal_bytes}",
        # What is deleted is overwritten. "fast" would leave what was on pages that become free.
        "secure_delete = on",
        f"cache_size = -{_CACHE_KIB}",
    ):
        connection.execute(f"pragma {pragma}").fetchall()


def lay_out(connection: sqlite3.Connection) -> None:
    """Lay out a new database; the first two hold only when set before the first table and WAL."""
    for pragma in (f"page_size = {PAGE_BYTES}", "auto_vacuum = incremental", "journal_mode = wal"):
        connection.execute(f"pragma {pragma}").fetchall()


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    connection.execute("begin immediate")
    try:
        found = _version(connection, path)
        if found > len(STEPS):
            raise SpoolUnusable(
                f"{path}: was written by a newer callpost "
                f"(schema {found}, this one knows {len(STEPS)})"
            )
        for step in STEPS[found:]:
            for statement in step:
                connection.execute(statement)
        if found < len(STEPS):
            connection.execute("update meta set value = ? where key = 'schema'", (len(STEPS),))
        connection.execute("commit")
    finally:
        if connection.in_transaction:
            connection.execute("rollback")


def _version(connection: sqlite3.Connection, path: Path) -> int:
    tables = {name for (name,) in connection.execute("select name from sqlite_master")}
    if not tables:
        [(pages,)] = connection.execute("pragma page_count").fetchall()
        if pages > _EMPTY_PAGES:
            raise SpoolDamaged(f"{path}: is damaged: its tables are gone")
        return 0
    rows: list[tuple[object]] = []
    if "meta" in tables:
        rows = connection.execute("select value from meta where key = 'schema'").fetchall()
    match rows:
        case [(int(version),)]:
            return version
        case _ if tables >= _OURS:
            raise SpoolDamaged(f"{path}: is damaged: it has lost its schema version")
        case _:
            raise SpoolUnusable(f"{path}: is a database, but not one of callpost's")
