"""The connections of a running spool: one that writes, and the reader's.

After an I/O error both are replaced, because SQLite promises nothing for what they hold in
memory. So nobody keeps `writing`: it is asked for at each use.
"""

import os
import sqlite3
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

import trio

from callpost.edge.spool import schema
from callpost.edge.spool.damage import examine
from callpost.edge.spool.files import (
    DATABASE,
    SpoolDamaged,
    SpoolUnusable,
    connect_reading,
    connect_writing,
    make_database,
    mark_damaged,
)
from callpost.edge.spool.health import is_damage
from callpost.edge.spool.read import Reader
from callpost.edge.spool.samples import refused
from callpost.model.delivery import SpoolUnreadable
from callpost.model.limits import SpoolLimits


def connect(directory: Path, *, limits: SpoolLimits) -> tuple["Connections", Mapping[int, int]]:
    """Look for damage, open, and count what is pending; raises `SpoolUnusable`."""
    examine(directory)
    make_database(directory)
    connections = Connections(directory, limits=limits)
    try:
        return connections, connections.reader.pending()
    except SpoolUnreadable as unreadable:
        connections.close()
        fault = unreadable.__cause__
        if isinstance(fault, sqlite3.Error) and is_damage(fault):
            raise connections.condemned(fault) from fault
        raise SpoolUnusable(f"{directory / DATABASE}: cannot be read: {fault}") from fault


# A fault that looks like damage is taken for it at the third time, and not within two seconds.
_DOUBTS: Final = 3
_DOUBTED_S: Final = 2.0


class Connections:
    """Both are open from the start to `close`."""

    def __init__(self, directory: Path, *, limits: SpoolLimits) -> None:
        """Open, and bring the tables up to date; raises `SpoolUnusable`."""
        self._directory = directory
        self._limits = limits
        self._damaged = False
        self._doubts = 0
        self._doubted_at = 0.0
        # Of the database's file, for samples. Kept until the end: closing it would drop the locks
        # that SQLite has on the file.
        self._sampled: int | None = None
        self.writing = connect_writing(directory)
        try:
            schema.prepare(
                self.writing,
                directory / DATABASE,
                durability=limits.durability,
                max_bytes=limits.max_bytes,
            )
            self.reader = Reader.of(directory)
        except BaseException:
            self.writing.close()
            raise

    def reopen(self) -> None:
        """Replace both; where that fails, raises sqlite3.Error and leaves them as they are.

        The old ones are closed last: the last one to go would copy the whole log on the loop.
        """
        writing = connect_writing(self._directory)
        try:
            schema.set_up(
                writing, durability=self._limits.durability, max_bytes=self._limits.max_bytes
            )
            reading = connect_reading(self._directory)
        except sqlite3.Error:
            writing.close()
            raise
        self.writing, stale = writing, self.writing
        self.reader.switch_to(reading)
        stale.close()

    def reopen_reader(self) -> None:
        """Replace the reader's connection; where that fails, leave it as it is.

        The other one may have a transaction open.
        """
        with suppress(sqlite3.Error):
            self.reader.switch_to(connect_reading(self._directory))

    @property
    def is_doubtful(self) -> bool:
        """Something has looked like damage, and may not be."""
        return self._doubts > 0

    def is_damaged(self, fault: sqlite3.Error) -> bool:
        """Say whether a fault that looks like damage is damage, beyond doubt.

        Not while the disk refuses to be read, and not before it has looked so for a while.
        """
        if type(fault) is not sqlite3.DatabaseError:
            # A row that cannot be was read well; SQLite tells of what was not in this way.
            return True
        if self._disk_refuses():
            self._doubts = 0
            return False
        now = trio.current_time()
        if not self._doubts:
            self._doubted_at = now
        self._doubts += 1
        return self._doubts >= _DOUBTS and now >= self._doubted_at + _DOUBTED_S

    def condemned(self, fault: sqlite3.Error) -> SpoolDamaged:
        """Mark the database as damaged; returns what is to be raised."""
        self._damaged = True
        mark_damaged(self._directory, str(fault))
        return SpoolDamaged(f"{self._directory / DATABASE}: is damaged: {fault}")

    def close(self) -> None:
        """Close both; a second call does nothing.

        Who closes last copies the write-ahead log into the database, unless it cannot write. Into
        a damaged one nothing is copied any more.
        """
        if self._damaged:
            self.writing.close()
        self.reader.close()
        self.writing.close()
        if self._sampled is not None:
            os.close(self._sampled)
            self._sampled = None

    def _disk_refuses(self) -> bool:
        try:
            if self._sampled is None:
                self._sampled = os.open(self._directory / DATABASE, os.O_RDONLY | os.O_CLOEXEC)
            return refused(self._sampled) is not None
        except OSError:
            return True
