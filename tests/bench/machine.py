"""What the figures were made on: the machine, the versions, and what an fsync costs there."""

import os
import platform
import sqlite3
import ssl
import statistics
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import callpost
from bench.nginx import program
from bench.peers import syslog_ng_version

_FSYNCS: Final = 50
_PAGE_BYTES: Final = 4096


def described(folder: Path) -> dict[str, str]:
    """Everything that a reader needs to compare, in words; `folder` is where the spools lie."""
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "callpost": callpost.__version__,
        "CPU": f"{_cpu_model()}, {len(os.sched_getaffinity(0))} cores",
        "kernel": f"{platform.system()} {platform.release()}",
        "Python": f"{platform.python_implementation()} {platform.python_version()}",
        "SQLite": sqlite3.sqlite_version,
        "OpenSSL": ssl.OPENSSL_VERSION,
        "nginx": _nginx_version(),
        "syslog-ng": _syslog_ng_version(),
        "disk": f"{_file_system(folder)}, fsync of 4 KiB {fsync_ms(folder):.2f} ms",
        "load before": " ".join(f"{load:.2f}" for load in os.getloadavg()),
    }


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _nginx_version() -> str:
    path = program("nginx")
    if path is None:
        return "not installed"
    told = subprocess.run([path, "-v"], capture_output=True, text=True, timeout=30, check=False)
    return told.stderr.strip().rpartition("/")[2]


def _syslog_ng_version() -> str:
    path = program("syslog-ng")
    return "not installed" if path is None else syslog_ng_version(path)[0]


def _file_system(folder: Path) -> str:
    """The type of the longest mount point above the folder (proc(5), mountinfo)."""
    found = max(
        (mount for mount in _mounts() if folder.resolve().is_relative_to(mount[0])),
        key=lambda mount: len(mount[0]),
    )
    return found[1]


def _mounts() -> Iterator[tuple[str, str]]:
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        mount, _, kind = line.partition(" - ")
        yield mount.split()[4], kind.split()[0]


def fsync_ms(folder: Path) -> float:
    """What the disk alone takes: the median of some appends of a page, each made durable."""
    waits_ms = []
    probe = folder / "fsync"
    with probe.open("wb", buffering=0) as file:
        for _ in range(_FSYNCS):
            file.write(bytes(_PAGE_BYTES))
            began_at = time.monotonic()
            os.fsync(file.fileno())
            waits_ms.append((time.monotonic() - began_at) * 1000)
    probe.unlink()
    return statistics.median(waits_ms)
