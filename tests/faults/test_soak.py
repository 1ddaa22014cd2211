"""Many minutes at a thousand events a second with one of ten endpoints failing: nothing grows.

`CALLPOST_SOAK_MINUTES=5 pytest -m slow -s tests/faults/test_soak.py`; without it it takes 30. Dead
letters and delivered events are kept for a minute, so that the spool has its size soon.
"""

import os
import signal
from functools import partial
from pathlib import Path
from typing import Final

import pytest
import trio
from msgspec import Struct

from callpost.edge.listen import bind_http
from faults.steady_traffic import SteadyProducer, SteadyReceivers
from household import Daemon

MINUTES: Final = float(os.environ.get("CALLPOST_SOAK_MINUTES", "30"))
PACE_PER_S: Final = 1_000.0
SUBSCRIBERS: Final = 10
FAILING: Final = frozenset({"s0"})
SAMPLES: Final = 60
# What is given up is given up after this, and everything else is kept for as long.
AGE_S: Final = 20
SETTINGS: Final = """[log]
attempts = "failures"
[spool]
retain = "20s"
retain_dead = "1m"
max_bytes = "512MiB"
"""
# Beyond the most of the first third. An allocator has its ups and downs; the spool gets what its
# write-ahead log holds, up to 64 MiB, only at a checkpoint.
MARGINS: Final = {
    "rss_kib": 16 * 1024,
    "descriptors": 16,
    "threads": 4,
    "spool_bytes": 32 * 1024 * 1024,
    "wal_bytes": 16 * 1024 * 1024,
}


class Sample(Struct, frozen=True):
    """What a daemon has, at one moment."""

    rss_kib: int
    descriptors: int
    threads: int
    spool_bytes: int
    wal_bytes: int


def sample(pid: int, state: Path) -> Sample:
    """Look at it."""
    status = dict(
        line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines()
    )
    return Sample(
        rss_kib=int(status["VmRSS"].split()[0]),
        descriptors=len(list(Path(f"/proc/{pid}/fd").iterdir())),
        threads=int(status["Threads"]),
        spool_bytes=(state / "spool.db").stat().st_size,
        wal_bytes=(state / "spool.db-wal").stat().st_size,
    )


def grown(samples: list[Sample]) -> list[str]:
    """What was larger in the last two thirds than the first third allows."""
    third = len(samples) // 3
    found: list[str] = []
    for name, margin in MARGINS.items():
        before, after = (
            max(int(getattr(one, name)) for one in part)
            for part in (samples[:third], samples[third:])
        )
        if after > before + margin:
            found.append(f"{name} grew from {before:,} to {after:,}")
    return found


def subscriptions(port: int) -> str:
    """One for each customer."""
    return "\n".join(
        f'[[subscription]]\nname = "s{n}"\ncustomer = "c{n}"\n'
        f'url = "http://127.0.0.1:{port}/s{n}"\n'
        f"retry = {{ pauses_s = [0.5, 1, 2], max_age_s = {AGE_S} }}\n"
        for n in range(SUBSCRIBERS)
    )


@pytest.mark.slow
async def test_nothing_grows_for_as_long_as_it_works(tmp_path: Path) -> None:
    """Memory, descriptors, threads, spool and its log stay as they are; nothing is lost."""
    receivers = SteadyReceivers(FAILING)
    listener = await bind_http("127.0.0.1", 0)
    daemon = Daemon(tmp_path, subscriptions(listener.socket.getsockname()[1]), SETTINGS)
    producer = SteadyProducer(daemon.door, SUBSCRIBERS, pace_per_s=PACE_PER_S)
    samples: list[Sample] = []
    troubles: list[dict[str, object]] = []
    lasts_s = MINUTES * 60
    async with trio.open_nursery() as nursery:
        await nursery.start(partial(trio.serve_listeners, receivers.serve, [listener]))
        async with daemon.running():
            assert daemon.process is not None
            async with trio.open_nursery() as work:
                work.start_soon(producer.feed, lasts_s)
                for _ in range(SAMPLES):
                    await trio.sleep(lasts_s / SAMPLES)
                    samples.append(sample(daemon.process.pid, tmp_path / "state"))
                    # The test itself must not grow either.
                    troubles += [line for line in daemon.log if "exception" in line]
                    daemon.log.clear()
            await receivers.until(sum(producer.acknowledged[len(FAILING) :]), within_s=60)
            status = await daemon.end(signal.SIGTERM)
        nursery.cancel_scope.cancel()
    figures = f"{receivers.arrived} arrived, {receivers.refused} refused"
    print(*samples, figures, producer.longest_lag, sep="\n")  # noqa: T201 - the figures, with -s
    assert (grown(samples), troubles, producer.faults[:3]) == ([], [], [])
    assert (status, receivers.faults[:3], receivers.under_way()) == (0, [], 0)
