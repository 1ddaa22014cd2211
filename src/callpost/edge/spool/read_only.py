"""A stopped daemon's spool as its operator reads it: nothing is written, no file is made.

Where a daemon was killed its write-ahead log is read too. A daemon that starts, or runs, beside
a reader is not held up by it. Whatever stands in the way is told in one sentence.
"""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final, TypeVar

from msgspec import Struct

from callpost.edge.spool.dead import read_dead
from callpost.edge.spool.enroll import paused
from callpost.edge.spool.files import DATABASE, SpoolUnusable, connect_reading, not_a_file
from callpost.edge.spool.health import is_damage
from callpost.edge.spool.pending import read_pending
from callpost.edge.spool.schema import STEPS
from callpost.edge.spool.story import Stories
from callpost.model.delivery import Pause
from callpost.model.limits import LogNumbers
from callpost.model.replay import Selection
from callpost.model.story import CallStory, DeadPage, EventStory, PendingPage

__all__ = ["SpoolUnusable", "StoppedSpool"]

# Without a log the database is all there is, and SQLite, asked for less, would make a log.
_WITHOUT_LOG: Final = "mode=ro&immutable=1"
# With a log that nobody has open SQLite keeps the log's index in memory instead of mending it.
_WITH_LOG: Final = "mode=ro&readonly_shm=1"
# So a daemon that runs may answer a reader that does not take part in its locks; any other may
# read beside it.
_SHUT_OUT: Final = frozenset(
    {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_BUSY}
)
# A daemon that starts while we look changes the files once or twice.
_LOOKS: Final = 5
# Before this schema the spool kept no standing.
_STANDINGS: Final = 2
_Answer = TypeVar("_Answer")


class StoppedSpool:
    """Reads as `SpoolRecords` does, on the caller's own thread; may raise BadCursor."""

    def __init__(self, directory: Path, *, numbers: LogNumbers = "masked") -> None:
        """Raises `SpoolUnusable`, as every read may."""
        self._directory = directory
        self._numbers = numbers
        self._path = directory / DATABASE
        self._read(lambda _, __: None)

    def pending(self, *, subscription: str, limit: int, cursor: str) -> PendingPage:
        """Read a page of what is pending, the oldest first; "" as name means all."""
        return self._read(
            lambda connection, _: read_pending(
                connection, Selection(subscription=subscription), limit=limit, cursor=cursor
            )
        )

    def dead(self, selection: Selection, *, limit: int, cursor: str) -> DeadPage:
        """Read a page of dead letters, the newest first."""
        return self._read(
            lambda connection, _: read_dead(connection, selection, limit=limit, cursor=cursor)
        )

    def call(self, call_id: str, *, customer: str, limit: int) -> CallStory | None:
        """Tell the story of a call; None where nothing of it is kept."""
        return self._read(
            lambda connection, schema: self._stories(connection, schema).of_call(
                call_id, customer=customer, limit=limit
            )
        )

    def events(self, event_id: str, *, customer: str) -> tuple[EventStory, ...]:
        """Tell of the events with this id."""
        return self._read(
            lambda connection, schema: self._stories(connection, schema).of_event(
                event_id, customer=customer
            )
        )

    def paused(self) -> dict[str, Pause]:
        """Tell who has paused those that are paused, by their names."""
        return self._read(
            lambda connection, schema: (
                {name: by for _, name, by in paused(connection)} if schema >= _STANDINGS else {}
            )
        )

    def _read(self, read: Callable[[sqlite3.Connection, int], _Answer]) -> _Answer:
        shut_out = False
        for look in range(_LOOKS):
            before = self._state()
            try:
                with closing(self._connected(before, shut_out=shut_out)) as connection:
                    answer = read(connection, self._schema(connection))
            except sqlite3.Error as fault:
                shut_out = _code(fault) in _SHUT_OUT
                has_changed = shut_out or before != self._state()
                if not has_changed or look == _LOOKS - 1:
                    raise self._unusable(fault) from fault
                continue
            if before.log_bytes or before == self._state():
                return answer
        raise SpoolUnusable(f"{self._path}: changes while it is read; ask the daemon instead.")

    def _stories(self, connection: sqlite3.Connection, schema: int) -> Stories:
        return Stories(connection, schema=schema, numbers=self._numbers)

    def _state(self) -> "_State":
        try:
            found = self._path.stat()
            log_bytes = _size_of(self._directory / f"{DATABASE}-wal")
        except (FileNotFoundError, NotADirectoryError):
            raise SpoolUnusable(
                f"{self._path} is not there: callpost has not run yet, or its state directory is"
                " elsewhere."
            ) from None
        except PermissionError:
            raise self._forbidden() from None
        except OSError as fault:
            raise SpoolUnusable(f"{self._path}: cannot be read: {fault.strerror}.") from None
        if (sentence := not_a_file(found.st_mode)) is not None:
            raise SpoolUnusable(f"{self._path}: {sentence}.")
        return _State(found.st_size, found.st_mtime_ns, found.st_ino, log_bytes)

    def _connected(self, state: "_State", *, shut_out: bool) -> sqlite3.Connection:
        if not state.log_bytes:
            return self._opened(_WITHOUT_LOG)
        if shut_out:
            return connect_reading(self._directory)
        if not (self._directory / f"{DATABASE}-shm").exists():
            raise SpoolUnusable(
                f"{self._path}: has a write-ahead log without its index, and to read it would be"
                " to write: start the daemon."
            )
        return self._opened(_WITH_LOG)

    def _opened(self, parameters: str) -> sqlite3.Connection:
        uri = f"{self._path.absolute().as_uri()}?{parameters}"
        connection = sqlite3.connect(uri, uri=True, isolation_level=None)
        connection.execute("pragma query_only = on")
        return connection

    def _schema(self, connection: sqlite3.Connection) -> int:
        tables = {name for (name,) in connection.execute("select name from sqlite_master")}
        rows: list[tuple[object]] = []
        if "meta" in tables:
            rows = connection.execute("select value from meta where key = 'schema'").fetchall()
        match rows:
            case [(int(schema),)] if schema > len(STEPS):
                raise SpoolUnusable(
                    f"{self._path}: was written by a newer callpost"
                    f" (schema {schema}, this one knows {len(STEPS)})."
                )
            case [(int(schema),)] if schema > 0:
                return schema
        if tables:
            raise SpoolUnusable(f"{self._path}: is a database, but not one of callpost's.")
        raise SpoolUnusable(f"{self._path}: holds nothing yet.")

    def _unusable(self, fault: sqlite3.Error) -> SpoolUnusable:
        if is_damage(fault):
            return SpoolUnusable(
                f"{self._path}: is damaged ({fault}); the daemon's next start puts it aside and"
                " keeps what can be read."
            )
        if _code(fault) == sqlite3.SQLITE_CANTOPEN:
            return self._forbidden()
        return SpoolUnusable(f"{self._path}: cannot be read: {fault}.")

    def _forbidden(self) -> SpoolUnusable:
        return SpoolUnusable(
            f"{self._path}: may not be read by you; root and the user of the daemon may."
        )


class _State(Struct, frozen=True):
    """What of the files changes when a daemon writes; `log_bytes` 0: there is no log."""

    size_bytes: int
    changed_ns: int
    inode: int
    log_bytes: int


def _code(fault: sqlite3.Error) -> int:
    # The low byte is the primary code, the others refine it.
    return getattr(fault, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF


def _size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
