"""Looks for damage before a spool is opened, where it costs next to nothing.

The ends of every table and index, the counter of numbers, and the write-ahead log. A check of
every page would take minutes; what lies deeper is found when it is read, by a running daemon,
which leaves a mark. Nothing here writes.
"""

import sqlite3
import struct
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import BinaryIO, Final

from callpost.edge.spool.ballast import BALLAST
from callpost.edge.spool.files import (
    DATABASE,
    SpoolDamaged,
    SpoolUnusable,
    connect_reading,
    marked_damage,
    not_a_file,
)
from callpost.edge.spool.health import is_damage
from callpost.edge.spool.read import NEWEST_STAMP
from callpost.edge.spool.schema import PAGE_BYTES

# https://www.sqlite.org/walformat.html: the header of the log, of a frame, and of the index,
# which says how many frames SQLite takes for whole.
_LOG_HEADER: Final = struct.Struct(">IIII8s")
_LOG_BEGINS: Final = 32
_LOG_MAGIC: Final = frozenset({0x377F0682, 0x377F0683})
_FRAME_HEADER: Final = struct.Struct(">4xI8s8x")
_WHOLE_FRAMES: Final = struct.Struct("=16xI")
# A power cut may leave the last commit, which nobody was told of, in parts.
_CUT_OFF_MAX: Final = 1

_EXTREMES: Final = "select * from {table} order by {key} limit 1"
# Small ones are checked whole: a lane that its index does not know would wait for ever.
_CHECKED: Final = ("meta", "subscriptions", "cards", "scopes", "deferred")
_NEXT_NUMBER: Final = "select value from meta where key = 'next_number'"
_NEWEST: Final = """select max(
    (select coalesce(max(number), 0) from events),
    (select coalesce(max(number), 0) from dead))"""


def examine(directory: Path) -> None:
    """Raise `SpoolDamaged` where the spool in `directory` shows damage, or bears its mark.

    Raises `SpoolUnusable` where the disk does not let it be read.
    """
    path = directory / DATABASE
    if (reason := marked_damage(directory)) is not None:
        raise SpoolDamaged(f"{path}: is damaged: {reason or 'a daemon has found it so'}")
    log_bytes = _size_of(directory / f"{DATABASE}-wal")
    if not _size_of(path):
        if log_bytes > _LOG_BEGINS or (directory / BALLAST).exists():
            raise SpoolDamaged(f"{path}: is damaged: it is empty, and there was a spool before")
        return
    try:
        with closing(connect_reading(directory)) as connection:
            tables = {name for (name,) in connection.execute("select name from sqlite_master")}
            if "deliveries" in tables:
                _read_ends(connection, path, tables)
                _read_log(directory, path)
    except UnicodeDecodeError as fault:
        # Python's module, about the words in which SQLite says what it has found.
        raise SpoolDamaged(f"{path}: is damaged: its schema is garbled") from fault
    except sqlite3.DatabaseError as fault:
        if is_damage(fault):
            raise SpoolDamaged(f"{path}: is damaged: {fault}") from fault
        raise SpoolUnusable(f"{path}: cannot be read: {fault}") from fault


def _read_ends(connection: sqlite3.Connection, path: Path, tables: set[str]) -> None:
    """Follow every tree down to its first and to its last leaf."""
    for query in _ends(connection):
        connection.execute(query).fetchall()
    connection.execute(NEWEST_STAMP).fetchall()
    for table in (table for table in _CHECKED if table in tables):
        [(found,), *_] = connection.execute(f"pragma integrity_check({table})").fetchall()
        if found != "ok":
            raise SpoolDamaged(f"{path}: is damaged: {found.splitlines()[-1]}")
    [*counters] = connection.execute(_NEXT_NUMBER).fetchall()
    [(newest,)] = connection.execute(_NEWEST).fetchall()
    match counters:
        case [(int(following),)] if following > newest:
            return
    raise SpoolDamaged(f"{path}: is damaged: its counter of numbers has gone back")


def _ends(connection: sqlite3.Connection) -> Iterator[str]:
    found = connection.execute(
        "select type, name, tbl_name from sqlite_master where type in ('table', 'index')"
    ).fetchall()
    for kind, name, table in found:
        pragma, at = ("table_info", 5) if kind == "table" else ("index_info", 0)
        columns = connection.execute(f"pragma {pragma}({name})").fetchall()
        key = [one for one in columns if kind == "index" or one[at]]
        names = [one[1 if kind == "table" else 2] for one in sorted(key, key=lambda one: one[at])]
        for direction in ("asc", "desc"):
            order = ", ".join(f"{column} {direction}" for column in names)
            yield _EXTREMES.format(table=table, key=order)


def _read_log(directory: Path, path: Path) -> None:
    """Find commits in the write-ahead log that lie behind a broken frame or header.

    SQLite takes what lies before for all there is, and would not say a word.
    """
    try:
        whole = _whole_frames(directory / f"{DATABASE}-shm")
        with (directory / f"{DATABASE}-wal").open("rb") as log:
            header = log.read(_LOG_HEADER.size)
            if len(header) < _LOG_HEADER.size:
                return
            magic, _, page_bytes, _, salt = _LOG_HEADER.unpack(header)
            if magic not in _LOG_MAGIC or page_bytes != PAGE_BYTES:
                raise SpoolDamaged(f"{path}: is damaged: its write-ahead log has lost its header")
            cut_off = _commits(log, salt, after=whole)
    except FileNotFoundError:
        return
    if cut_off > _CUT_OFF_MAX:
        raise SpoolDamaged(
            f"{path}: is damaged: its write-ahead log is broken before its last {cut_off} commits"
        )


def _whole_frames(index: Path) -> int:
    """How many frames SQLite reads; asked while it has the log open, for nobody else to use.

    Closing this file takes SQLite its locks on it, which the claim on the directory outweighs.
    """
    with index.open("rb") as opened:
        found: tuple[int] = _WHOLE_FRAMES.unpack(opened.read(_WHOLE_FRAMES.size))
    return found[0]


def _commits(log: BinaryIO, salt: bytes, *, after: int) -> int:
    """Count frames that end a commit of this log, behind the first `after` ones."""
    place = _LOG_BEGINS + after * (PAGE_BYTES + _FRAME_HEADER.size)
    commits = 0
    log.seek(place)
    while len(frame := log.read(_FRAME_HEADER.size)) == _FRAME_HEADER.size:
        size_after, of_log = _FRAME_HEADER.unpack(frame)
        commits += size_after > 0 and of_log == salt
        place += PAGE_BYTES + _FRAME_HEADER.size
        log.seek(place)
    return commits


def _size_of(path: Path) -> int:
    try:
        found = path.stat()
    except FileNotFoundError:
        return 0
    except OSError as fault:
        raise SpoolUnusable(f"{path}: cannot be read: {fault.strerror}") from fault
    if (sentence := not_a_file(found.st_mode)) is not None:
        raise SpoolUnusable(f"{path}: {sentence}")
    return found.st_size
