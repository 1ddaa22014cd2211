"""The processes of a benchmark: each a child that ends with its `with`, also on Ctrl-C.

What a process has cost is read from its own accounting, `/proc/PID` (proc(5)), all its threads
included. Nothing here is waited for without a bound.
"""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from bench.findings import CannotMeasure

# A child that does not end by itself after SIGTERM is killed.
_END_S: Final = 30.0
# Programs that tell nobody when they are ready have to be asked.
_ASK_AGAIN_S: Final = 0.01
_TICKS_PER_S: Final = os.sysconf("SC_CLK_TCK")
# What would change what the daemon reads or where deliveries go.
_NOT_FOR_CHILDREN: Final = frozenset(
    {"CALLPOST_CONFIG", "CONFIGURATION_DIRECTORY", "STATE_DIRECTORY", "RUNTIME_DIRECTORY"}
    | {"NOTIFY_SOCKET", "LISTEN_FDS", "LISTEN_PID", "WATCHDOG_USEC"}
    | {"http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"}
)


class Child:
    """A running process under measurement."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path, name: str) -> None:
        self.process = process
        self.log = log
        self.name = name

    def cpu_s(self) -> float:
        """User and system time so far, in seconds, to a tick of 10 ms."""
        fields = self._proc("stat").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S

    def resident_mib(self) -> float:
        """Resident memory now (VmRSS)."""
        return self._memory("VmRSS")

    def peak_mib(self) -> float:
        """The most that was resident since the start or since `forget_peak` (VmHWM)."""
        return self._memory("VmHWM")

    def forget_peak(self) -> None:
        """Let `peak_mib` begin anew."""
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")

    def check(self) -> None:
        """Raise CannotMeasure with the end of its log if it has ended."""
        status = self.process.poll()
        if status is not None:
            raise CannotMeasure(self._ended(status))

    def end(self, *, within_s: float = _END_S) -> None:
        """SIGTERM, and SIGKILL to one that stays."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(within_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _memory(self, name: str) -> float:
        for line in self._proc("status").splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1]) / 1024
        raise CannotMeasure(f"The kernel does not tell {name}.")

    def _proc(self, name: str) -> str:
        self.check()
        return Path(f"/proc/{self.process.pid}/{name}").read_text()

    def _ended(self, status: int) -> str:
        said = self.log.read_text(errors="replace").strip().splitlines()
        last = said[-1] if said else "it said nothing"
        return f"{self.name} ended with status {status}: {last}"


@contextmanager
def running(
    command: Sequence[object], *, log: Path, environment: Mapping[str, str] | None = None
) -> Iterator[Child]:
    """Run a program, its output in `log`, until the end of the `with`."""
    with log.open("wb") as out:
        process = subprocess.Popen(
            [str(word) for word in command],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            env={**environment_of_children(), **(environment or {})},
            # Ctrl-C is ours to hear: it ends the children one after the other, from the inside.
            start_new_session=True,
        )
    child = Child(process, log, log.parent.name)
    try:
        yield child
    finally:
        child.end()


def environment_of_children() -> dict[str, str]:
    """Our environment without what belongs to a daemon that somebody else runs."""
    return {name: value for name, value in os.environ.items() if name not in _NOT_FOR_CHILDREN}


def until(satisfied: Callable[[], bool], *, within_s: float, what: str) -> None:
    """Ask again and again until satisfied; CannotMeasure says that `what` did not happen."""
    deadline = time.monotonic() + within_s
    while not satisfied():
        if time.monotonic() > deadline:
            raise CannotMeasure(f"{what} did not happen within {within_s:.0f} s.")
        time.sleep(_ASK_AGAIN_S)
