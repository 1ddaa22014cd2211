"""Who else could do it: syslog-ng with its HTTP destination, and a plain dispatcher on httpx.

Both are fed the same lines through a Unix socket and deliver to the same nginx. Neither promises
what callpost does: no reply after an fsync, no order, no retries that outlive a restart.
"""

import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from bench.children import Child, running, until
from bench.findings import CannotMeasure
from bench.nginx import INSTALL, program

_START_S: Final = 15.0
_PLAIN: Final = Path(__file__).with_name("dispatch_plainly.py")
# Tuned as the Administration Guide advises: no name look-ups, no statistics, lines taken as they
# are, a thousand of them at a time (log-fetch-limit) with a window to match (log-iw-size), a
# connection and a thread for each of four workers, and flow control so that nothing is dropped.
# The buffer is the faster of the two kinds (reliable(no)): it goes to the disk when memory is
# full. Each event is a request of its own, as with callpost (batch-lines is 1 unless set).
_SYSLOG_NG: Final = """\
@version: {version}
options {{ use-dns(no); keep-hostname(yes); stats-freq(0); log-msg-size(65536); }};
source events {{
  unix-stream("{folder}/events.sock"
    flags(no-parse) max-connections(64) log-fetch-limit(1000) log-iw-size(64000));
}};
destination subscriber {{
  http(
    url("{url}") method("POST") headers("Content-Type: application/json") body("${{MESSAGE}}")
    workers(4)
    disk-buffer(
      reliable(no) disk-buf-size(4294967296) mem-buf-length(10000) dir("{folder}"))
  );
}};
log {{ source(events); destination(subscriber); flags(flow-control); }};
"""


class Peer(Child):
    """A running dispatcher with its door."""

    def __init__(self, child: Child, door: Path) -> None:
        super().__init__(child.process, child.log, child.name)
        self.door = door


def syslog_ng_is_installed() -> bool:
    """The daemon itself; its HTTP module shows when the configuration is read."""
    return program("syslog-ng") is not None


@contextmanager
def syslog_ng_running(folder: Path, url: str) -> Iterator[Peer]:
    """Run syslog-ng in `folder`, delivering to `url`."""
    path = program("syslog-ng")
    if path is None:
        raise CannotMeasure(f"syslog-ng is not installed; as root: {INSTALL}")
    folder.mkdir()
    configuration = folder / "syslog-ng.conf"
    configuration.write_text(
        _SYSLOG_NG.format(version=syslog_ng_version(path)[1], folder=folder, url=url)
    )
    places = ["-R", folder / "persist", "-c", folder / "control", "-p", folder / "pid"]
    command = [path, "-F", "--no-caps", "-f", configuration, *places]
    with running(command, log=folder / "output") as child:
        yield _ready(child, folder / "events.sock")


def syslog_ng_version(path: str) -> tuple[str, str]:
    """The version, and the newest version of configurations that it knows."""
    text = subprocess.run([path, "-V"], capture_output=True, text=True, timeout=30, check=False)
    words = dict(line.split(":", 1) for line in text.stdout.splitlines() if ":" in line)
    version = words.get("Installer-Version", "unknown").strip()
    return version, words.get("Config version", version).strip()


@contextmanager
def plain_dispatcher_running(folder: Path, url: str) -> Iterator[Peer]:
    """Run the plain dispatcher, delivering to `url`."""
    folder.mkdir()
    door = folder / "events.sock"
    with running([sys.executable, _PLAIN, door, url], log=folder / "output") as child:
        yield _ready(child, door)


def _ready(child: Child, door: Path) -> Peer:
    until(_answers(child, door), within_s=_START_S, what=f"The start of {child.name}")
    return Peer(child, door)


def _answers(child: Child, door: Path) -> Callable[[], bool]:
    def answers() -> bool:
        child.check()
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(str(door)) == 0

    return answers
