"""The write-ahead log: copied into the database beside the writer, and emptied now and then.

Until it is emptied it holds what was removed from the tables long ago.
"""

import sqlite3
from pathlib import Path
from typing import Final

import trio

from callpost.edge.spool.ballast import Ballast
from callpost.edge.spool.files import connect_writing
from callpost.edge.spool.write import Writer

# Our own readers are done in a few milliseconds.
_PATIENCE_MS: Final = 50


class WriteAheadLog:
    """The log of the spool in `directory`; on a full disk it stays as it is.

    The database would take the room there that outcomes are written in.
    """

    def __init__(self, directory: Path, *, writer: Writer, ballast: Ballast) -> None:
        self._directory = directory
        self._writer = writer
        self._ballast = ballast

    async def copy(self) -> bool:
        """Copy it in a thread, so that the writer need not; False where there is no room."""
        if not self._ballast.holds():
            return False
        await trio.to_thread.run_sync(_copy, self._directory)
        return True

    async def empty(self) -> bool:
        """Copy it and cut it off; says whether it is empty. Raises `NotWritten`."""
        if not await self.copy():
            return False
        # What is left now is little: nobody waits long for it.
        return await self._writer.chore(truncated, bare=True)


def _copy(directory: Path) -> None:
    connection = connect_writing(directory)
    try:
        connection.execute("pragma wal_checkpoint(passive)")
    except sqlite3.OperationalError:
        # The writer's own checkpoint, or a disk without room: the log stays as it is.
        return
    finally:
        connection.close()


def truncated(connection: sqlite3.Connection) -> bool:
    """Copy what is left of the log and cut it off; False while somebody else reads from it.

    Who waits for a commit meanwhile does not wait for a reader of another process.
    """
    [(patience_ms,)] = connection.execute("pragma busy_timeout").fetchall()
    connection.execute(f"pragma busy_timeout = {_PATIENCE_MS}").fetchall()
    try:
        [(busy, *_)] = connection.execute("pragma wal_checkpoint(truncate)").fetchall()
    finally:
        connection.execute(f"pragma busy_timeout = {patience_ms}").fetchall()
    return not busy
