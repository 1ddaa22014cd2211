"""`callpost run` as a child, with a state directory and sockets of its own.

It says that it is ready as it does under systemd, so that nothing has to be guessed.
"""

import socket
import sqlite3
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from bench.children import Child, running, until
from bench.findings import CannotMeasure

_START_S: Final = 60.0
# Every subscription of a benchmark may have its own connections to the one receiver; nothing
# in flight is worth waiting for at a stop. No call of a benchmark ever ends, and the last event of
# one that may be ended yet would outlive `retain`.
_TOP: Final = """\
state_directory = "{folder}/state"
runtime_directory = "{folder}/run"
[calls]
end_after = "0"
[delivery]
drain_s = 0
[egress]
max_connections_per_host = 4096
"""


class Daemon(Child):
    """A running daemon, ready to take in events."""

    def __init__(self, child: Child, folder: Path, *, start_s: float) -> None:
        super().__init__(child.process, child.log, child.name)
        self.door = folder / "run" / "events.sock"
        self.start_s = start_s
        self._spool = folder / "state" / "spool.db"

    def wait_until_settled(self, *, within_s: float) -> float:
        """Wait until nothing is pending; returns when that was seen. Dead letters are a fault."""
        with closing(self._reader()) as spool:
            until(
                lambda: self._none(spool, "deliveries"),
                within_s=within_s,
                what="The end of all deliveries",
            )
            seen_at = time.monotonic()
            if not self._none(spool, "dead"):
                raise CannotMeasure("Some deliveries became dead letters.")
        return seen_at

    def wait_until_forgotten(self, *, within_s: float) -> None:
        """Wait until retention has deleted every event."""
        with closing(self._reader()) as spool:
            until(
                lambda: self._none(spool, "events"),
                within_s=within_s,
                what="The end of retention's work",
            )

    def _none(self, spool: sqlite3.Connection, table: str) -> bool:
        self.check()
        (some,) = spool.execute(f"select exists (select 1 from {table})").fetchone()  # noqa: S608 - our own words
        return not some

    def _reader(self) -> sqlite3.Connection:
        return sqlite3.connect(f"file:{self._spool}?mode=ro", uri=True, isolation_level=None)


@contextmanager
def daemon_running(
    folder: Path,
    subscriptions: str,
    *,
    top: str = "",
    program: Sequence[object] = ("-m", "callpost"),
) -> Iterator[Daemon]:
    """Run a daemon in `folder`, which keeps its spool for a second start."""
    folder.mkdir(exist_ok=True)
    configuration = folder / "callpost.toml"
    configuration.write_text(_TOP.format(folder=folder) + top + subscriptions)
    command = [sys.executable, *program, "run", "--config", configuration]
    with closing(_Readiness(folder / "notify")) as readiness:
        started_at = time.monotonic()
        environment = {"NOTIFY_SOCKET": str(readiness.path)}
        with running(command, log=folder / "log", environment=environment) as child:
            readiness.wait(child)
            yield Daemon(child, folder, start_s=time.monotonic() - started_at)


class _Readiness:
    """Hears READY=1, as systemd would (sd_notify(3))."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.unlink(missing_ok=True)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._socket.settimeout(0.2)

    def wait(self, child: Child) -> None:
        deadline = time.monotonic() + _START_S
        while time.monotonic() < deadline:
            child.check()
            try:
                if b"READY=1" in self._socket.recv(4096).splitlines():
                    return
            except TimeoutError:
                continue
        raise CannotMeasure(f"callpost was not ready within {_START_S:.0f} s.")

    def close(self) -> None:
        self._socket.close()


def a_subscription(name: str, url: str, *more: str) -> str:
    """One subscription, to everything unless `more` says otherwise."""
    keys = "\n".join((f'name = "{name}"', f'url = "{url}"', *more))
    return f"\n[[subscription]]\n{keys}\n"
