"""The connections of a running spool: one that writes, and the reader's.

After an I/O error both are replaced, because SQLite promises nothing for what they hold in
memory. So nobody keeps `writing`: it is asked for at each use.
"""

import sqlite3
from pathlib import Path

from callpost.edge.spool import schema
from callpost.edge.spool.files import DATABASE, connect_reading, connect_writing
from callpost.edge.spool.read import Reader
from callpost.model.limits import SpoolLimits


class Connections:
    """Both are open from the start to `close`."""

    def __init__(self, directory: Path, *, limits: SpoolLimits) -> None:
        """Open, and bring the tables up to date; raises `SpoolUnusable`."""
        self._directory = directory
        self._limits = limits
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

    def close(self) -> None:
        """Close both; a second call does nothing."""
        self.reader.close()
        self.writing.close()
