"""The whole daemon on a disk that fails for real, with events coming in and going out.

Events are refused while it fails; the daemon stays up, goes on by itself, and has lost nothing.
"""

import errno
import resource
import signal
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import pytest
import trio

from faults.disks import FaultyDisk, a_faulty_disk, a_small_disk, mounts
from household import Daemon, Producer, Receiver, a_receiver, an_event


@dataclass
class Life:
    """A daemon with a producer that never tires, and what it was told."""

    daemon: Daemon
    receiver: Receiver
    acknowledged: list[str] = field(default_factory=list)
    refused: list[dict[str, object]] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=count)

    async def feed(self, calls: int) -> list[dict[str, object]]:
        """New calls of three events; returns the replies."""
        numbers = [next(self._numbers) for _ in range(calls)]
        producer = Producer(self.daemon.door)
        await producer.feed(
            [
                an_event(f"call-{n}", kind, id=f"{kind}-{n}", data={"filler": "x" * 2_000})
                for kind in ("newCall", "answer", "hangup")
                for n in numbers
            ]
        )
        self.acknowledged += producer.acknowledged()
        self.refused += [reply for reply in producer.replies if not reply["ok"]]
        return producer.replies

    async def feed_until(self, error: str | None) -> None:
        """Feed until an event is answered so: with an error, or accepted."""
        with trio.fail_after(20):
            while True:
                if any(reply.get("error") == error for reply in await self.feed(5)):
                    return
                await trio.sleep(0.05)

    async def feed_until_told(self, name: str) -> None:
        """Feed until the log says it."""
        with trio.fail_after(20):
            while not told(self, name):
                await self.feed(5)
                await trio.sleep(0.2)

    async def everything_arrives(self) -> None:
        """Wait until all that was acknowledged has come."""
        wanted = set(self.acknowledged)
        await self.receiver.until(lambda r: wanted <= set(r.ids()), within_s=30)


@asynccontextmanager
async def a_life(directory: Path, *, more: str = "") -> AsyncIterator[Life]:
    """Fed before, fed after; in the end nothing is lost, doubled or out of order, or pending."""
    async with a_receiver() as receiver:
        subscription = (
            f'[[subscription]]\nname = "crm"\nurl = "http://127.0.0.1:{receiver.port}/"\n'
        )
        daemon = Daemon(directory, subscription + more)
        life = Life(daemon, receiver)
        async with daemon.running():
            await life.feed(20)
            await life.everything_arrives()
            yield life
            await life.feed_until(None)
            await life.everything_arrives()
            status = await daemon.end(signal.SIGTERM)
        async with daemon.running():
            left = await daemon.logged("daemon.started")
    assert (status, left["pending"]) == (0, 0)
    assert len(receiver.ids()) == len(set(receiver.ids()))
    for seqs in seqs_by_call(receiver).values():
        assert seqs == list(range(1, len(seqs) + 1))


def seqs_by_call(receiver: Receiver) -> dict[str, list[int]]:
    """The seqs of each call in the order of their arrival."""
    seqs: dict[str, list[int]] = defaultdict(list)
    for body in receiver.bodies():
        seqs[str(body["callId"])].append(int(str(body["seq"])))
    return seqs


def fill(path: Path) -> None:
    """Write zeros until there is no more room."""
    with path.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4_096))


def told(life: Life, name: str) -> int:
    """How often the log says it."""
    return sum(line["event"] == name for line in life.daemon.log)


@mounts
@pytest.mark.parametrize(
    ("hurt", "error"),
    [
        (lambda disk: disk.obey(write=errno.EIO), "spool_error"),
        (lambda disk: disk.obey(flush=errno.EIO), "spool_error"),
        (lambda disk: disk.obey(write=errno.EROFS, opening=errno.EROFS), "spool_error"),
        # SQLite does not say which error it was, but for a full disk.
        (lambda disk: disk.obey(write=errno.EDQUOT), "spool_error"),
        (lambda disk: disk.obey(write=errno.ENOSPC), "spool_full"),
    ],
    ids=["writing fails", "flushing fails", "read-only", "over quota", "full"],
)
async def test_a_disk_that_takes_nothing_is_outlived(
    tmp_path: Path, hurt: Callable[[FaultyDisk], None], error: str
) -> None:
    """Events are refused while it lasts, and what is out is written down afterwards."""
    async with a_faulty_disk(tmp_path / "state") as disk, a_life(tmp_path) as life:
        hurt(disk)
        await life.feed_until(error)
        await life.daemon.logged("spool.degraded")
        disk.obey()
        await life.feed_until(None)
        await life.daemon.logged("spool.recovered")
        assert (told(life, "spool.degraded"), told(life, "spool.recovered")) == (1, 1)


@mounts
async def test_a_full_disk_is_outlived(tmp_path: Path) -> None:
    """A tmpfs of 8 MiB on which somebody else takes all that is left."""
    with a_small_disk(tmp_path / "state", size_mib=8):
        async with a_life(tmp_path) as life:
            taken = tmp_path / "state" / "taken"
            with pytest.raises(OSError, match="No space"):
                fill(taken)
            await life.feed_until("spool_full")
            taken.unlink()
            await life.feed_until(None)
            await life.daemon.logged("spool.ballast_restored")


async def test_a_limit_on_the_size_of_files_is_outlived(tmp_path: Path) -> None:
    """RLIMIT_FSIZE, lowered and lifted again while the daemon runs."""
    async with a_life(tmp_path) as life:
        assert life.daemon.process is not None
        pid = life.daemon.process.pid
        before = resource.prlimit(pid, resource.RLIMIT_FSIZE, (4_096, resource.RLIM_INFINITY))
        await life.feed_until("spool_error")
        resource.prlimit(pid, resource.RLIMIT_FSIZE, before)
        await life.feed_until(None)
