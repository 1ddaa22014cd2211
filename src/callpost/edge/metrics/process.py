"""The process itself, as every Prometheus exporter names it: `process_…`.

prometheus_client's own collector needs /proc/stat, which a hardened unit (ProcSubset=pid) hides.
"""

import os
import resource
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

# proc_pid_stat(5): fields 14, 15, 22 and 24, counted behind the name, which may hold anything.
_USER, _SYSTEM, _STARTED, _RESIDENT = 11, 12, 19, 21


class Process(Collector):
    """See prometheus_client's Collector."""

    def __init__(self, proc: Path = Path("/proc/self")) -> None:
        self._proc: Final = proc

    def collect(self) -> Iterator[Metric]:
        """Tell of processor, memory and descriptors; of what cannot be read nothing is told."""
        try:
            fields = (self._proc / "stat").read_bytes().rpartition(b")")[2].split()
            open_fds = len(os.listdir(self._proc / "fd"))  # noqa: PTH208 - a count needs no paths
        except OSError:
            return
        ticks = os.sysconf("SC_CLK_TCK")
        booted_at = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
        yield CounterMetricFamily(
            "process_cpu_seconds",
            "Processor time, user and system.",
            value=(int(fields[_USER]) + int(fields[_SYSTEM])) / ticks,
        )
        yield GaugeMetricFamily(
            "process_resident_memory_bytes",
            "Memory in use.",
            value=int(fields[_RESIDENT]) * resource.getpagesize(),
        )
        yield GaugeMetricFamily(
            "process_start_time_seconds",
            "When the process was started; Unix time.",
            value=booted_at + int(fields[_STARTED]) / ticks,
        )
        yield GaugeMetricFamily("process_open_fds", "Open file descriptors.", value=open_fds)
        yield GaugeMetricFamily(
            "process_max_fds",
            "How many there may be.",
            value=resource.getrlimit(resource.RLIMIT_NOFILE)[0],
        )
