"""Whether the spool can be written, told in the log when that changes and not on each failure."""

import sqlite3
from typing import Final

from structlog.typing import FilteringBoundLogger

from callpost.model.delivery import NotAccepted

FULL: Final = NotAccepted("spool_full", "The spool is full: it has reached its max_bytes.")
DISK_FULL: Final = NotAccepted("spool_full", "The spool cannot be written: the disk is full.")
CLOSED: Final = NotAccepted("spool_error", "The spool is closed.")

# What a fault of the outside world raises; the other kinds of sqlite3.Error are bugs of ours.
# SQLite tells a damaged file with the bare DatabaseError.
_OUTSIDE: Final = (sqlite3.OperationalError, sqlite3.DatabaseError)


class Health:
    """Remembers the failure that goes on, if one does."""

    def __init__(self, log: FilteringBoundLogger) -> None:
        self._log = log
        self._degraded = False
        self._refusing = False
        self._reopened = False

    def failed(self, refusal: NotAccepted, *, refused: bool) -> None:
        """Note a commit that failed; `refused` where it cost appends."""
        if not self._degraded:
            self._log.error("spool.degraded", error=refusal.error, reason=refusal.message)
        self._degraded = True
        self._refusing = self._refusing or refused

    def reopened(self) -> None:
        """Note that the connections were replaced."""
        if not self._reopened:
            self._log.warning("spool.reopened")
        self._reopened = True

    def succeeded(self, *, appended: bool) -> None:
        """Note a commit that went through.

        On a full disk the outcomes may still find room: it has recovered once an append has.
        """
        if self._degraded and (appended or not self._refusing):
            self._degraded = self._refusing = self._reopened = False
            self._log.info("spool.recovered")


def is_disk_full(fault: sqlite3.Error) -> bool:
    """Say whether the file system has no room."""
    return _primary_code(fault) == sqlite3.SQLITE_FULL


def is_io_error(fault: sqlite3.Error) -> bool:
    """Say whether the disk failed, after which the connections are not to be trusted."""
    return _primary_code(fault) == sqlite3.SQLITE_IOERR


def refusal_of(fault: sqlite3.Error) -> NotAccepted:
    """Return what a producer is told of a commit that failed; re-raise what is a bug."""
    if type(fault) not in _OUTSIDE:
        raise fault
    if is_disk_full(fault):
        return DISK_FULL
    return NotAccepted("spool_error", f"The spool cannot be written: {fault}.")


def _primary_code(fault: sqlite3.Error) -> int:
    # The low byte is the primary code, the others refine it.
    return fault.sqlite_errorcode & 0xFF
