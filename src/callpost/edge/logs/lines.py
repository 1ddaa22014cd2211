"""Rendered lines on their way out of the process.

A reader that stops reading must not stop the daemon: what it does not take waits, up to a
bound, and beyond that lines are dropped and counted.
"""

import os
import select
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, Final

import trio

# What waits for a reader of the log that has stopped: some thousand lines.
_WAITING_MAX_BYTES: Final = 1024 * 1024


class Lines(trio.abc.Instrument):
    """Writes each line at once: who watches sees it now. Within `gathered` once a turn."""

    def __init__(self, out: BinaryIO) -> None:
        self._descriptor = out.fileno()
        self._poll = select.poll()
        self._poll.register(self._descriptor, select.POLLOUT)
        # A pipe that is ready takes so much without blocking (pipe(7)); a file takes everything.
        is_file = stat.S_ISREG(os.fstat(self._descriptor).st_mode)
        self._piece_max_bytes = _WAITING_MAX_BYTES if is_file else select.PIPE_BUF
        self._waiting = bytearray()
        self._dropped = 0
        self._gathering = False

    @contextmanager
    def gathered(self) -> Iterator[None]:
        """Write what one turn of the loop has to say together, before the loop waits again.

        A poll and a write for each line took 6 us a delivery.
        """
        trio.lowlevel.add_instrument(self)
        self._gathering = True
        try:
            yield
        finally:
            self._gathering = False
            trio.lowlevel.remove_instrument(self)
            self._flush()

    def before_io_wait(self, timeout: float) -> None:  # noqa: ARG002 - trio's
        """Write; trio calls it at the end of each turn."""
        if self._waiting:
            self._flush()

    def put(self, line: bytes) -> None:
        """Take one line, without its end."""
        if len(self._waiting) + len(line) > _WAITING_MAX_BYTES:
            self._dropped += 1
        else:
            self._waiting += line
            self._waiting += b"\n"
        if not self._gathering:
            self._flush()

    def msg(self, line: str | bytes) -> None:
        """Take what structlog has rendered."""
        self.put(line.encode("utf-8", "backslashreplace") if isinstance(line, str) else line)

    debug = info = warning = error = critical = exception = msg

    def _flush(self) -> None:
        try:
            self._write()
        except OSError:
            # The reader of our log is gone or its disk is full. Delivering goes on.
            self._waiting.clear()

    def _write(self) -> None:
        while self._waiting and self._poll.poll(0):
            written = os.write(self._descriptor, self._waiting[: self._piece_max_bytes])
            del self._waiting[:written]
            if not self._waiting and self._dropped:
                dropped, self._dropped = self._dropped, 0
                self._waiting += b'{"level":"warning","event":"log.dropped","lines":%d}\n' % dropped
