"""Whether the spool can be written, told in the log when that changes and not on each failure."""

import sqlite3
import time
from typing import Final

import trio
from structlog.typing import FilteringBoundLogger

from callpost.model.condition import Trouble, TroubleCode
from callpost.model.delivery import NotAccepted
from callpost.model.instant import utc_text

FULL: Final = NotAccepted("spool_full", "The spool is full: it has reached its max_bytes.")
DISK_FULL: Final = NotAccepted("spool_full", "The spool cannot be written: the disk is full.")
CLOSED: Final = NotAccepted("spool_error", "The spool is closed.")

# What a fault of the outside world raises; the other kinds of sqlite3.Error are bugs of ours.
# SQLite tells a damaged file with the bare DatabaseError.
_OUTSIDE: Final = (sqlite3.OperationalError, sqlite3.DatabaseError)

# Where one page cannot be read others can: reading has recovered when it has not failed for so
# long. Who was refused a page asks for it again every second.
_CLEAR_S: Final = 3.0

_STALE: Final = frozenset({sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN})
_DAMAGE: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
# Text that is no UTF-8 is found by Python's module, which has no code for it.
_DECODED_IN_VAIN: Final = "Could not decode to UTF-8"


class Health:
    """Remembers the failures that go on: of writing, of reading.

    `trouble` tells an operator of them; it is what began first.
    """

    def __init__(self, log: FilteringBoundLogger) -> None:
        self.trouble: Trouble | None = None
        self._log = log
        self._degraded = False
        self._refusing = False
        self._reopened = False
        self._blind = False
        self._clear_at = 0.0
        self._condemned = False

    def failed(self, refusal: NotAccepted, *, refused: bool) -> None:
        """Note a commit that failed; `refused` where it cost appends."""
        if not self._degraded:
            self._degrade(refusal)
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
            self._degraded = self._refusing = False
            self._recover()

    def could_not_read(self, fault: sqlite3.Error) -> None:
        """Note a read that failed."""
        if not self._blind:
            self._degrade(_unreadable(fault))
        self._blind = True
        self._clear_at = trio.current_time() + _CLEAR_S

    def could_read(self) -> bool:
        """Note a read that went well after one that failed; say whether all is well again."""
        if self._blind and trio.current_time() >= self._clear_at:
            self._blind = False
            self._recover()
        return not self._blind

    def condemned(self, reason: str) -> None:
        """Note damage: nothing more is written, the daemon ends and its next start salvages."""
        if not self._condemned:
            self._log.error("spool.condemned", reason=reason)
            self.trouble = _trouble("spool_error", "The spool is damaged; it is salvaged now.")
        self._condemned = True

    def abandoned(self, settlements: int) -> None:
        """Note what the last commit of all could not write."""
        self._log.error("spool.abandoned", settlements=settlements)

    def _degrade(self, refusal: NotAccepted) -> None:
        if not self._degraded and not self._blind:
            self._log.error("spool.degraded", error=refusal.error, reason=refusal.message)
            self.trouble = _trouble(refusal.error, refusal.message)

    def _recover(self) -> None:
        if not self._degraded and not self._blind:
            self._reopened = False
            self.trouble = None
            self._log.info("spool.recovered")


def _trouble(code: TroubleCode, sentence: str) -> Trouble:
    return Trouble(code=code, sentence=sentence, since=utc_text(time.time()))


def is_disk_full(fault: sqlite3.Error) -> bool:
    """Say whether the file system has no room."""
    return _primary_code(fault) == sqlite3.SQLITE_FULL


def is_stale(fault: sqlite3.Error) -> bool:
    """Say whether the disk failed so that the connections are not to be trusted.

    One that was opened while the file system could only be read can never write.
    """
    return _primary_code(fault) in _STALE


def is_damage(fault: sqlite3.Error) -> bool:
    """Say whether the file itself contradicts what SQLite, or we, have written to it."""
    return _primary_code(fault) in _DAMAGE or _DECODED_IN_VAIN in str(fault)


def refusal_of(fault: sqlite3.Error) -> NotAccepted:
    """Return what a producer is told of a commit that failed; re-raise what is a bug."""
    if type(fault) not in _OUTSIDE:
        raise fault
    if is_disk_full(fault):
        return DISK_FULL
    return NotAccepted("spool_error", f"The spool cannot be written: {told(fault)}.")


def told(fault: sqlite3.Error) -> str:
    """Return what SQLite says, but for what it does not know itself."""
    return "the disk fails, or the file is damaged" if is_damage(fault) else str(fault)


def _unreadable(fault: sqlite3.Error) -> NotAccepted:
    return NotAccepted("spool_error", f"The spool cannot be read: {told(fault)}.")


def _primary_code(fault: sqlite3.Error) -> int:
    # The low byte is the primary code, the others refine it. What Python's own module has found
    # wrong bears none.
    return getattr(fault, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
