"""The producers' datagram socket: one event a datagram, read whenever there is one."""

import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import structlog
import trio

from callpost.edge.receive_unix import Accept, bind_datagram, serve_datagrams
from callpost.model.limits import Intake

LIMITS = Intake(max_event_bytes=64)


class Engine:
    """Accepts lines and answers each with itself; without `go_on` it is as slow as a dead disk."""

    def __init__(self) -> None:
        self.lines: list[bytes | None] = []
        self.batches: list[list[bytes | None]] = []
        self.go_on = trio.Event()
        self.go_on.set()
        self.asked = trio.Event()
        self._grown = trio.lowlevel.ParkingLot()

    async def heard(self, count: int) -> list[bytes | None]:
        """Wait for `count` lines in all, and return what there is."""
        while len(self.lines) < count:
            await self._grown.park()
        return self.lines

    async def accept(self, lines: Sequence[bytes | None]) -> list[bytes]:
        """Stand in for the intake."""
        self.asked.set()
        await self.go_on.wait()
        self.lines += lines
        self.batches.append(list(lines))
        self._grown.unpark_all()
        return [b"refused\n" if line is None else b"ok " + line + b"\n" for line in lines]


@asynccontextmanager
async def datagrams(path: Path) -> AsyncIterator[tuple[Engine, socket.socket, trio.Event]]:
    """Serve a datagram socket at `path`; hands out a producer's socket, connected to it."""
    engine, stopping = Engine(), trio.Event()
    doorway = bind_datagram(path, mode=0o600, group="")
    with trio.fail_after(10), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as producer:
        producer.connect(str(path))
        async with trio.open_nursery() as nursery:
            await nursery.start(_serve, doorway, engine.accept, stopping)
            yield engine, producer, stopping
            nursery.cancel_scope.cancel()


async def _serve(
    doorway: socket.socket,
    accept: Accept,
    stopping: trio.Event,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    log = structlog.wrap_logger(
        None, processors=[], wrapper_class=structlog.make_filtering_bound_logger(50)
    )
    await serve_datagrams(
        doorway,
        accept=accept,
        limits=LIMITS,
        stopping=stopping,
        log=log,
        task_status=task_status,
    )


@pytest.mark.parametrize(
    ("sent", "accepted"),
    [
        (b"one", b"one"),
        (b"one\n", b"one"),
        (b"one\r\n", b"one"),
        (b"x" * 64, b"x" * 64),
        (b"x" * 64 + b"\r\n", b"x" * 64),
        (b"x" * 65, None),
        (b"x" * 64 + b"\r\n" * 9, None),
        (b"x" * 5000, None),
    ],
)
async def test_a_datagram_is_an_event(tmp_path: Path, sent: bytes, accepted: bytes | None) -> None:
    """A line's end may follow it; one that is too long is told as such, never cut."""
    async with datagrams(tmp_path / "x.sock") as (engine, producer, _):
        producer.send(sent)
        assert await engine.heard(1) == [accepted]


async def test_datagrams_are_read_while_events_are_stored(tmp_path: Path) -> None:
    """What arrives during a commit goes into the next one, all of it, in order."""
    async with datagrams(tmp_path / "x.sock") as (engine, producer, _):
        engine.go_on = trio.Event()
        producer.send(b"0")
        await engine.asked.wait()
        for n in range(1, 5):
            producer.send(b"%d" % n)
        engine.go_on.set()
        await engine.heard(5)
        assert engine.batches == [[b"0"], [b"1", b"2", b"3", b"4"]]


async def test_an_empty_datagram_is_ignored(tmp_path: Path) -> None:
    """Like a blank line."""
    async with datagrams(tmp_path / "x.sock") as (engine, producer, _):
        producer.send(b"")
        producer.send(b"one")
        assert await engine.heard(1) == [b"one"]


async def test_a_stop_takes_what_the_kernel_still_holds(tmp_path: Path) -> None:
    """Datagrams sent before the stop are not lost with the socket."""
    async with datagrams(tmp_path / "x.sock") as (engine, producer, stopping):
        producer.send(b"one")
        stopping.set()
        assert await engine.heard(1) == [b"one"]
