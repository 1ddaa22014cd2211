"""systemd's journal: each entry is sent as a datagram, in the journal's native protocol.

A journal that is full or away must not stop the daemon: nothing here blocks. What it does not
take waits, up to a bound, and beyond that entries are dropped and counted.
"""

import array
import errno
import fcntl
import os
import socket
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import BinaryIO, Final

import trio

from callpost.edge.logs.entries import entry

# systemd-journald.socket(8).
SOCKET: Final = "/run/systemd/journal/socket"
# What waits for a journal that is full or away: some thousand entries.
_WAITING_MAX_BYTES: Final = 1024 * 1024
# As much as libsystemd asks for; the kernel grants what net.core.wmem_max allows.
_SEND_BUFFER_BYTES: Final = 8 * 1024 * 1024
# The journal reads a file only if nobody can change it any more.
_SEALED: Final = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SEAL
# It will take entries later: its queue is full, or it is being started again.
_LATER: Final = frozenset({errno.EAGAIN, errno.ECONNREFUSED, errno.ENOENT})


def is_journal(out: BinaryIO, environment: Mapping[str, str]) -> bool:
    """Whether `out` is the journal's own stream, as $JOURNAL_STREAM tells (systemd.exec(5))."""
    told = environment.get("JOURNAL_STREAM", "")
    status = os.fstat(out.fileno())
    return told == f"{status.st_dev}:{status.st_ino}"


class Journal(trio.abc.Instrument):
    """Sends each entry at once: who watches sees it now."""

    def __init__(self, address: str = SOCKET) -> None:
        self._address = address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER_BYTES)
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._dropped = 0

    @contextmanager
    def gathered(self) -> Iterator[None]:
        """Try what waits again in each turn of the loop."""
        trio.lowlevel.add_instrument(self)
        try:
            yield
        finally:
            trio.lowlevel.remove_instrument(self)
            self._flush()

    def before_io_wait(self, timeout: float) -> None:  # noqa: ARG002 - trio's
        """Send what waits; trio calls it at the end of each turn."""
        if self._waiting:
            self._flush()

    def put(self, told: bytes) -> None:
        """Take one entry."""
        if self._waiting or self._dropped:
            self._flush()
        if not self._waiting and self._sent(told):
            return
        if self._waiting_bytes + len(told) > _WAITING_MAX_BYTES:
            self._dropped += 1
        else:
            self._waiting.append(told)
            self._waiting_bytes += len(told)

    def msg(self, told: bytes) -> None:
        """Take what structlog has rendered."""
        self.put(told)

    debug = info = warning = error = critical = exception = msg

    def close(self) -> None:
        """Let go of the socket."""
        self._socket.close()

    def _flush(self) -> None:
        while self._waiting and self._sent(self._waiting[0]):
            self._waiting_bytes -= len(self._waiting.popleft())
        if self._dropped and not self._waiting:
            told = {"level": "warning", "event": "log.dropped", "lines": self._dropped}
            if self._sent(entry(told)):
                self._dropped = 0

    def _sent(self, told: bytes) -> bool:
        """Whether the entry is gone: the journal has it, or will never take it."""
        try:
            self._socket.sendto(told, self._address)
        except OSError as error:
            if error.errno in {errno.EMSGSIZE, errno.ENOBUFS}:
                return self._sent_as_file(told)
            return self._is_given_up(error)
        return True

    def _sent_as_file(self, told: bytes) -> bool:
        """What is too large for a datagram goes as a sealed file in memory."""
        try:
            file = os.memfd_create("callpost-log", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
            try:
                _write_all(file, told)
                fcntl.fcntl(file, fcntl.F_ADD_SEALS, _SEALED)
                descriptors = array.array("i", [file]).tobytes()
                self._socket.sendmsg(
                    [], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, descriptors)], 0, self._address
                )
            finally:
                os.close(file)
        except OSError as error:
            return self._is_given_up(error)
        return True

    def _is_given_up(self, error: OSError) -> bool:
        if error.errno in _LATER:
            return False
        # One entry that cannot go must not hold up those behind it.
        self._dropped += 1
        return True


def _write_all(file: int, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(file, rest) :]
