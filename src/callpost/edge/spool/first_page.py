"""Opens a damaged database for reading, with a first page of our own where its own is no use.

The first page says where the tables are. All spools are made by the same steps, so that it is
known where they must be; the page is put back as it was when the reading is over.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from callpost.edge.spool import schema
from callpost.edge.spool.files import DATABASE, connect_reading

# https://www.sqlite.org/fileformat.html: where a header says that the file is written through a
# log, how large it is, which pages are free, and for which change that is true.
_WRITTEN_THROUGH_LOG: Final = (18, b"\x02\x02")
_SIZE_AND_FREE: Final = (28, bytes(12))
_CHANGE: Final = (24, b"\x00\x00\x00\x01")
_TRUE_FOR: Final = (92, b"\x00\x00\x00\x02")
_TABLES: Final = frozenset(
    {"meta", "scopes", "calls", "events", "subscriptions", "counters"}
    | {"deliveries", "deferred", "dead", "attempts"}
)


@contextmanager
def readable(directory: Path) -> Iterator[sqlite3.Connection]:
    """The spool's database, to be read as far as that goes; it is left as it was found."""
    path = directory / DATABASE
    # Of an empty database SQLite would delete the log, in which everything may be.
    if path.stat().st_size >= schema.PAGE_BYTES:
        with closing(_opened(directory)) as connection:
            if _has_tables(connection):
                yield connection
                return
    with _with_plain_page(path), closing(_opened(directory)) as connection:
        yield connection


def _opened(directory: Path) -> sqlite3.Connection:
    connection = connect_reading(directory)
    # Else SQLite refuses a file that is shorter than its header says, whole pages and all.
    connection.execute("pragma writable_schema = on")
    return connection


def _has_tables(connection: sqlite3.Connection) -> bool:
    try:
        found = connection.execute("select name from sqlite_master where type = 'table'")
        tables = {name for (name,) in found}
        for table in _TABLES & tables:
            connection.execute(f"select 1 from {table} limit 0").fetchall()  # noqa: S608 - ours
    except (sqlite3.DatabaseError, UnicodeDecodeError):
        return False
    return tables >= _TABLES


@contextmanager
def _with_plain_page(path: Path) -> Iterator[None]:
    page = _plain_page()
    descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        size_bytes = os.fstat(descriptor).st_size
        found = os.pread(descriptor, len(page), 0)
        os.pwrite(descriptor, page, 0)
        try:
            yield
        finally:
            os.pwrite(descriptor, found, 0)
            os.ftruncate(descriptor, size_bytes)
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _plain_page() -> bytes:
    """A first page with the tables in their places, and without their indexes."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as made:
        schema.lay_out(made)
        for step in schema.STEPS:
            for statement in step:
                made.execute(statement)
        found = made.execute("select name, rootpage from sqlite_master where type = 'table'")
        tables = [(name, _statement(made, name), root) for name, root in found.fetchall()]
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as plain:
        schema.lay_out(plain)
        plain.execute("pragma writable_schema = on")
        plain.executemany("insert into sqlite_master values ('table', ?1, ?1, ?3, ?2)", tables)
        page = bytearray(plain.serialize()[: schema.PAGE_BYTES])
    for place, value in (_WRITTEN_THROUGH_LOG, _SIZE_AND_FREE, _CHANGE, _TRUE_FOR):
        page[place : place + len(value)] = value
    return bytes(page)


def _statement(connection: sqlite3.Connection, table: str) -> str:
    """How to make the table, in as few words as one page holds them all in."""
    columns = connection.execute(f"pragma table_info({table})").fetchall()
    [(sql,)] = connection.execute("select sql from sqlite_master where name = ?", (table,))
    key = sorted((place, name) for _, name, _, _, _, place in columns if place)
    if sql.rstrip().lower().endswith("without rowid"):
        names = ",".join(name for _, name in key)
        return f"create table {table}({_columns(columns)},primary key({names}))without rowid"
    return f"create table {table}({_columns(columns, key=key[0][1])})"


def _columns(columns: list[tuple[int, str, str, int, str | None, int]], key: str = "") -> str:
    return ",".join(
        " ".join(
            [name, sort, *(["primary key"] if name == key else [])]
            + ([f"default {default}"] if default is not None else [])
        )
        for _, name, sort, _, default, _ in columns
    )
