"""The log as it leaves the process: JSON lines, nothing unsafe, and never in the way."""

import json
import os
from collections.abc import Iterator
from typing import BinaryIO

import pytest

from callpost.edge.logs import open_log
from callpost.model.limits import Log

Pipe = tuple[int, BinaryIO]


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    """A pipe: the reading descriptor and the file to write into."""
    reading, writing = os.pipe()
    with os.fdopen(writing, "wb") as file:
        yield reading, file
    os.close(reading)


def lines(pipe: Pipe) -> list[dict[str, object]]:
    """What has been written so far."""
    return [json.loads(line) for line in os.read(pipe[0], 1 << 20).splitlines()]


def test_a_line_begins_with_what_leads(pipe: Pipe) -> None:
    """Timestamp, level, event, and then the fields."""
    open_log(Log(), pipe[1]).info("daemon.started", pid=7)
    [line] = lines(pipe)
    assert list(line) == ["timestamp", "level", "event", "pid"]


def test_what_is_below_the_level_is_not_written(pipe: Pipe) -> None:
    """`level = "warning"` is quiet about deliveries."""
    log = open_log(Log(level="warning"), pipe[1])
    log.info("a.b")
    log.warning("c.d")
    assert [line["event"] for line in lines(pipe)] == ["c.d"]


def test_only_failures_are_written_where_that_is_asked_for(pipe: Pipe) -> None:
    """`attempts = "failures"` leaves out what was delivered."""
    log = open_log(Log(attempts="failures"), pipe[1])
    for outcome in ("delivered", "retry"):
        log.info("delivery.attempted", outcome=outcome)
    assert [line["outcome"] for line in lines(pipe)] == ["retry"]


def test_an_exception_is_one_line_too(pipe: Pipe) -> None:
    """Its traceback is a field."""
    log = open_log(Log(), pipe[1])
    try:
        int("a bug")
    except ValueError:
        log.exception("sender.failed")
    [line] = lines(pipe)
    assert "ValueError" in str(line["exception"])


def test_a_terminal_sees_no_control_characters(pipe: Pipe) -> None:
    """A caller's name cannot colour the screen."""
    open_log(Log(format="console"), pipe[1]).info("a.b", name="x\x1b[31my")
    assert b"\x1b[31my" not in os.read(pipe[0], 1 << 16)


def test_a_reader_that_stops_does_not_stop_the_daemon(pipe: Pipe) -> None:
    """Far more than a pipe holds is logged without waiting."""
    log = open_log(Log(), pipe[1])
    for number in range(50_000):
        log.info("a.b", number=number)
    first = lines(pipe)[0]
    assert first["number"] == 0


def test_what_a_stopped_reader_missed_is_counted(pipe: Pipe) -> None:
    """When it reads again it is told how many lines there were."""
    log = open_log(Log(), pipe[1])
    count = 50_000
    for number in range(count):
        log.info("a.b", number=number)
    seen = b""
    while b"log.dropped" not in seen:
        seen += os.read(pipe[0], 1 << 16)
        log.info("a.b", number=-1)
    told = [json.loads(line) for line in seen.split(b"\n") if b"log.dropped" in line]
    kept = sum(b'"number":-1' not in line for line in seen.split(b"\n") if b"a.b" in line)
    assert told[0]["lines"] >= count - kept


def test_a_reader_that_is_gone_does_not_stop_the_daemon() -> None:
    """A broken pipe is nobody's business."""
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as file:
        log = open_log(Log(), file)
        log.info("a.b")
        log.info("c.d")
    assert file.closed
