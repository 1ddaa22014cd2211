"""When the certificates end that peers showed, by host and port.

Kept for as long as the daemon runs, so that an expired certificate, which a handshake refuses
without showing it, can be told with its end.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import trio

from callpost.edge.dial.fault import EXPIRED
from callpost.model.certificate import ends_at, first_ends_at
from callpost.model.instant import utc_text

# More peers than the largest installation has; the one heard of longest ago is forgotten.
_PEERS_MAX: Final = 10_000
# A chain of certificates has some 10 KiB.
_FILE_MAX_BYTES: Final = 256 * 1024


class Certificates:
    """The ends of certificates, in seconds since 1970; `wall` stands in for the system's clock."""

    def __init__(self, *, wall: Callable[[], float] = time.time) -> None:
        self._wall = wall
        self._ends_at: dict[tuple[str, int], float] = {}

    def saw(self, host: str, port: int, der: bytes | None) -> None:
        """A peer has shown this certificate."""
        ends = ends_at(der) if der else None
        if ends is None:
            return
        # The newest stands last.
        self._ends_at.pop((host, port), None)
        self._ends_at[host, port] = ends
        if len(self._ends_at) > _PEERS_MAX:
            del self._ends_at[next(iter(self._ends_at))]

    def ends_at(self, host: str, port: int) -> float | None:
        """When the certificate ends that was seen there; None where none was seen."""
        return self._ends_at.get((host, port))

    def dated(self, host: str, port: int, reason: str) -> str:
        """The reason of a failed handshake, with the end of a certificate that has expired."""
        ends = self._ends_at.get((host, port))
        # Where it ends later it is another one that has expired: an authority's, or a new one.
        if reason != EXPIRED or ends is None or ends > self._wall():
            return reason
        return f"{reason} {utc_text(ends)[:19]}Z"


async def file_ends_at(path: str) -> float | None:
    """When the first certificate of a PEM file ends; None where it cannot be read."""

    def read() -> bytes:
        with Path(path).open("rb") as file:
            return file.read(_FILE_MAX_BYTES)

    try:
        return first_ends_at(await trio.to_thread.run_sync(read))
    except OSError:
        return None
