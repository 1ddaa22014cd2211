"""The producers' sockets: made safely, answered in order, never blocked by who does not read."""

import errno
import os
import resource
import socket
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path

import pytest
import structlog
import trio
import trio.testing
from structlog.typing import EventDict, FilteringBoundLogger

from callpost.edge.logs import collecting_log
from callpost.edge.receive_unix import listen_stream, serve_stream
from callpost.model.limits import REPLIES_MAX_BYTES, Intake

LIMITS = Intake(max_event_bytes=64, max_connections=8)
STALL_S = 0.2


class Engine:
    """Accepts lines and answers each with itself; without `go_on` it is as slow as a dead disk."""

    def __init__(self) -> None:
        self.lines: list[bytes | None] = []
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
        self._grown.unpark_all()
        return [b"refused\n" if line is None else b"ok " + line + b"\n" for line in lines]


class Journal:
    """Keeps what is logged."""

    def __init__(self) -> None:
        self._lines: list[EventDict] = []
        self._grown = trio.lowlevel.ParkingLot()
        self.log: FilteringBoundLogger = structlog.wrap_logger(
            None, processors=[self._keep], wrapper_class=structlog.make_filtering_bound_logger(0)
        )

    def lines(self, name: str) -> list[EventDict]:
        """The lines of that name."""
        return [line for line in self._lines if line["event"] == name]

    async def told(self, name: str) -> None:
        """Wait for a line of that name."""
        while not self.lines(name):
            await self._grown.park()

    def _keep(self, _: object, level: str, line: EventDict) -> EventDict:
        self._lines.append({"level": level, **line})
        self._grown.unpark_all()
        raise structlog.DropEvent


@dataclass(frozen=True)
class Door:
    """A stream socket that is served, and what stands behind it."""

    path: Path
    engine: Engine
    journal: Journal
    stopping: trio.Event

    async def producer(self) -> trio.SocketStream:
        """Connect as a producer does."""
        return await trio.open_unix_socket(self.path)


@asynccontextmanager
async def opened(path: Path, limits: Intake = LIMITS) -> AsyncIterator[Door]:
    """Serve a stream socket at `path` for the time of the block."""
    engine, journal, stopping = Engine(), Journal(), trio.Event()
    listener = listen_stream(path, mode=0o660, group="")

    async def serve(task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        await serve_stream(
            listener,
            accept=engine.accept,
            limits=limits,
            stopping=stopping,
            log=journal.log,
            replies_stall_s=STALL_S,
            task_status=task_status,
        )

    with trio.fail_after(10):
        async with trio.open_nursery() as nursery:
            await nursery.start(serve)
            yield Door(path, engine, journal, stopping)
            nursery.cancel_scope.cancel()


async def everything(stream: trio.SocketStream) -> bytes:
    """All that comes until the other side closes."""
    received = b""
    async for data in stream:
        received += data
    return received


async def lines(stream: trio.SocketStream, count: int) -> list[bytes]:
    """The next `count` lines."""
    received = b""
    while received.count(b"\n") < count:
        data = await stream.receive_some()
        assert data, received
        received += data
    return received.splitlines()


async def test_each_line_is_answered_in_order(tmp_path: Path) -> None:
    """Replies come in the order of the lines, whatever they were."""
    async with opened(tmp_path / "x.sock") as door, await door.producer() as producer:
        await producer.send_all(b"one\n\n" + b"x" * 65 + b"\nthree\n")
        assert await lines(producer, 3) == [b"ok one", b"refused", b"ok three"]


async def test_a_reply_waits_for_its_event_to_be_stored(tmp_path: Path) -> None:
    """Nothing is acknowledged before `accept` has returned."""
    async with opened(tmp_path / "x.sock") as door, await door.producer() as producer:
        door.engine.go_on = trio.Event()
        await producer.send_all(b"one\n")
        await door.engine.asked.wait()
        with trio.move_on_after(0.05) as waiting:
            await producer.receive_some()
        assert waiting.cancelled_caught


async def test_a_last_line_without_newline_counts_at_half_close(tmp_path: Path) -> None:
    """`printf '{…}' | nc -U -N` is a producer like any other, and is closed when answered."""
    async with opened(tmp_path / "x.sock") as door, await door.producer() as producer:
        await producer.send_all(b"one\ntwo")
        await producer.send_eof()
        assert await everything(producer) == b"ok one\nok two\n"


async def test_a_last_line_of_a_broken_connection_is_dropped(tmp_path: Path) -> None:
    """A producer that breaks off in a line, its replies unread, may have meant to write more."""
    async with opened(tmp_path / "x.sock") as door:
        producer = await door.producer()
        await producer.send_all(b"one\n")
        with trio.fail_after(5):
            await trio.lowlevel.wait_readable(producer.socket)
        await producer.send_all(b"tw")
        await producer.aclose()
        async with await door.producer() as another:
            await another.send_all(b"three\n")
            await lines(another, 1)
        assert door.engine.lines == [b"one", b"three"]


async def test_whole_lines_of_a_producer_that_left_are_kept(tmp_path: Path) -> None:
    """A script that writes and goes, without reading a reply, has delivered its events."""
    async with opened(tmp_path / "x.sock") as door:
        producer = await door.producer()
        await producer.send_all(b"one\ntwo\n")
        await producer.aclose()
        assert await door.engine.heard(2) == [b"one", b"two"]


async def test_a_producer_that_never_reads_is_heard_to_the_end(tmp_path: Path) -> None:
    """More replies than all buffers hold do not block a producer that ignores them."""
    async with opened(tmp_path / "x.sock") as door, await door.producer() as producer:
        count = 3 * REPLIES_MAX_BYTES // 64
        await producer.send_all(b"".join(b"%061d\n" % n for n in range(count)))
        await door.engine.heard(count)
        assert door.engine.lines[-1] == b"%061d" % (count - 1)


async def test_abandoned_replies_end_at_the_end_of_a_line(tmp_path: Path) -> None:
    """Who reads late gets whole replies only, the first ones, then the end."""
    async with opened(tmp_path / "x.sock") as door, await door.producer() as producer:
        count = 3 * REPLIES_MAX_BYTES // 64
        await producer.send_all(b"".join(b"%061d\n" % n for n in range(count)))
        await door.engine.heard(count)
        replies = await everything(producer)
        expected = b"".join(b"ok %061d\n" % n for n in range(replies.count(b"\n")))
        assert replies == expected


async def test_a_reply_begun_is_finished(tmp_path: Path) -> None:
    """A producer that reads for a while and then stops is not left with half a reply either."""
    async with opened(tmp_path / "x.sock") as door, await door.producer() as producer:
        half, count = REPLIES_MAX_BYTES // 128, 3 * REPLIES_MAX_BYTES // 64
        await producer.send_all(b"".join(b"%061d\n" % n for n in range(half)))
        await door.engine.heard(half)
        # The kernel now takes from the middle of the buffer, wherever its own memory ends.
        early = b""
        while len(early) < half * 32:
            early += await producer.receive_some()
        await producer.send_all(b"".join(b"%061d\n" % n for n in range(half, count)))
        await door.engine.heard(count)
        replies = early + await everything(producer)
        assert replies == b"".join(b"ok %061d\n" % n for n in range(replies.count(b"\n")))


async def test_abandoning_is_said_once(tmp_path: Path) -> None:
    """One warning tells which producer does not read."""
    async with opened(tmp_path / "x.sock") as door, await door.producer() as producer:
        count = 4 * REPLIES_MAX_BYTES // 64
        await producer.send_all(b"%061d\n" % 0 * count)
        await door.engine.heard(count)
        assert door.journal.lines("intake.replies_abandoned") == [
            {
                "event": "intake.replies_abandoned",
                "level": "warning",
                "pid": os.getpid(),
                "uid": os.getuid(),
            }
        ]


async def test_a_producer_that_reads_late_but_in_time_loses_nothing(tmp_path: Path) -> None:
    """Within the time allowed, replies wait for their reader."""
    async with opened(tmp_path / "x.sock") as door, await door.producer() as producer:
        count = REPLIES_MAX_BYTES // 64 // 2
        await producer.send_all(b"%061d\n" % 0 * count)
        await door.engine.heard(count)
        await producer.send_eof()
        assert (await everything(producer)).count(b"\n") == count


async def test_a_connection_whose_replies_nobody_reads_ends(tmp_path: Path) -> None:
    """After half-close nobody can hold a connection open by not reading."""
    async with (
        opened(tmp_path / "x.sock", Intake(max_connections=1)) as door,
        await door.producer() as silent,
    ):
        await silent.send_all(b"%061d\n" % 0 * (REPLIES_MAX_BYTES // 64))
        await silent.send_eof()
        async with await door.producer() as another:
            await another.send_all(b"one\n")
            assert await lines(another, 1) == [b"ok one"]


async def test_one_connection_too_many_waits_its_turn(tmp_path: Path) -> None:
    """Beyond `max_connections` a producer waits; it is not turned away."""
    async with opened(tmp_path / "x.sock", Intake(max_connections=1)) as door:
        first, second = await door.producer(), await door.producer()
        await second.send_all(b"two\n")
        await first.send_all(b"one\n")
        await lines(first, 1)
        await first.aclose()
        async with second:
            await lines(second, 1)
        assert door.engine.lines == [b"one", b"two"]


async def test_a_crowd_is_told_once(tmp_path: Path) -> None:
    """However many producers wait, one warning says so while it lasts."""
    async with opened(tmp_path / "x.sock", Intake(max_connections=1)) as door:
        producers = [await door.producer() for _ in range(4)]
        for producer in producers:
            async with producer:
                await producer.send_all(b"one\n")
                await lines(producer, 1)
        assert len(door.journal.lines("intake.connections_exhausted")) == 1


async def test_a_broken_producer_does_not_disturb_the_others(tmp_path: Path) -> None:
    """A connection's end is its own."""
    async with opened(tmp_path / "x.sock") as door, await door.producer() as steady:
        broken = await door.producer()
        await broken.send_all(b"one\n" * 1000)
        await broken.aclose()
        await steady.send_all(b"two\n")
        assert await lines(steady, 1) == [b"ok two"]


async def test_who_connected_is_told_at_debug(tmp_path: Path) -> None:
    """The kernel's own word on who the producer is."""
    async with opened(tmp_path / "x.sock") as door, await door.producer() as producer:
        await producer.send_all(b"one\n")
        await lines(producer, 1)
        (line,) = door.journal.lines("intake.connected")
        assert (line["pid"], line["uid"]) == (os.getpid(), os.getuid())


async def test_a_stop_answers_what_was_sent(tmp_path: Path) -> None:
    """What a producer had sent by the time of the stop is stored and answered."""
    async with opened(tmp_path / "x.sock") as door, await door.producer() as producer:
        door.engine.go_on = trio.Event()
        await producer.send_all(b"one\n")
        await door.engine.asked.wait()
        await producer.send_all(b"two\n")
        door.stopping.set()
        door.engine.go_on.set()
        assert await everything(producer) == b"ok one\nok two\n"


async def test_a_line_that_a_stop_cuts_in_two_is_no_event(tmp_path: Path) -> None:
    """The producer had not finished it, and gets no answer to it."""
    async with opened(tmp_path / "x.sock") as door, await door.producer() as producer:
        await producer.send_all(b"one\ntw")
        await lines(producer, 1)
        door.stopping.set()
        await everything(producer)
        assert door.engine.lines == [b"one"]


async def test_after_a_stop_the_door_is_closed(tmp_path: Path) -> None:
    """A producer that comes too late is told at once by the kernel."""
    async with opened(tmp_path / "x.sock") as door:
        door.stopping.set()
        await trio.testing.wait_all_tasks_blocked()
        with pytest.raises(ConnectionRefusedError):
            await door.producer()


async def test_a_stop_does_not_wait_for_ever(tmp_path: Path) -> None:
    """A spool that no longer answers keeps nobody from stopping."""
    async with opened(tmp_path / "x.sock") as door, await door.producer() as producer:
        door.engine.go_on = trio.Event()
        await producer.send_all(b"one\n")
        await door.engine.asked.wait()
        door.stopping.set()
        assert await everything(producer) == b""


@pytest.fixture
def few_descriptors() -> Iterator[Callable[[], None]]:
    """Call it, and the process has no descriptor left to give."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)

    def exhaust() -> None:
        with closing(socket.socket()) as probe:
            lowest_free = probe.fileno()
        resource.setrlimit(resource.RLIMIT_NOFILE, (lowest_free, hard))

    yield exhaust
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def test_a_lack_of_descriptors_is_survived(
    tmp_path: Path, few_descriptors: Callable[[], None]
) -> None:
    """The producer waits until a descriptor is free, and the log says why."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    async with opened(tmp_path / "x.sock") as door:
        with trio.socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as caller:
            few_descriptors()
            await caller.connect(str(door.path))
            await door.journal.told("intake.accept_failed")
            resource.setrlimit(resource.RLIMIT_NOFILE, limit)
            await caller.send(b"one\n")
            await door.engine.heard(1)
        (line,) = door.journal.lines("intake.accept_failed")
        assert line["reason"] == errno.errorcode[errno.EMFILE]


async def test_a_stop_right_after_the_start_is_a_stop(tmp_path: Path) -> None:
    """The door may be closed before it was first looked at."""
    stopping = trio.Event()
    stopping.set()
    listener = listen_stream(tmp_path / "events.sock", mode=0o600, group="")

    async def accept(_: Sequence[bytes | None]) -> list[bytes]:
        raise NotImplementedError

    with trio.fail_after(5):
        await serve_stream(
            listener,
            accept=accept,
            limits=LIMITS,
            stopping=stopping,
            log=collecting_log(lambda _: None),
        )
