"""The log as it leaves the process: JSON lines, nothing unsafe, and never in the way."""

import json
import os
import re
from collections.abc import Iterator
from typing import BinaryIO

import pytest
import trio

from callpost.edge.logs import open_logs
from callpost.model.delivery import Attempted
from callpost.model.limits import Log

Pipe = tuple[int, BinaryIO]

# CONTRACT 8's line of an attempt.
FIELDS = [
    *("subscription", "eventId", "callId", "seq", "kind", "attempt", "endpoint", "place"),
    *("outcome", "reason", "httpStatus", "connectMs", "totalMs", "reused", "nextAttemptAt"),
]


def an_attempt(*, outcome: str = "delivered", reason: str = "http_204") -> Attempted:
    """An attempt that is over."""
    return Attempted(
        subscription="crm",
        event_id="evt_1",
        call_id="c1",
        seq=1,
        kind="newCall",
        attempt=1,
        endpoint="https://crm.example:443",
        place="primary",
        outcome=outcome,
        reason=reason,
        http_status=204,
        connect_ms=None,
        total_ms=1.2,
        reused=True,
        next_attempt_at=None,
    )


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
    open_logs(Log(), pipe[1]).log.info("daemon.started", pid=7)
    [line] = lines(pipe)
    assert list(line) == ["timestamp", "level", "event", "pid"]


def test_what_is_below_the_level_is_not_written(pipe: Pipe) -> None:
    """`level = "warning"` is quiet about deliveries."""
    log = open_logs(Log(level="warning"), pipe[1]).log
    log.info("a.b")
    log.warning("c.d")
    assert [line["event"] for line in lines(pipe)] == ["c.d"]


def test_only_failures_are_written_where_that_is_asked_for(pipe: Pipe) -> None:
    """`attempts = "failures"` leaves out what was delivered."""
    attempts = open_logs(Log(attempts="failures"), pipe[1]).attempts
    for outcome in ("delivered", "retry"):
        attempts.attempted(an_attempt(outcome=outcome))
    assert [line["outcome"] for line in lines(pipe)] == ["retry"]


def test_an_attempt_has_its_fields_in_order(pipe: Pipe) -> None:
    """What leads, then exactly what CONTRACT 8 names."""
    open_logs(Log(), pipe[1]).attempts.attempted(an_attempt())
    [line] = lines(pipe)
    assert list(line) == ["timestamp", "level", "event", *FIELDS]


def test_an_attempt_reads_like_every_other_line(pipe: Pipe) -> None:
    """Its shorter way through the process makes no difference to who reads it."""
    logs = open_logs(Log(), pipe[1])
    logs.attempts.attempted(an_attempt(reason='"\x7f\u202e'))
    logs.log.info("a.b")
    attempt, other = lines(pipe)
    same_second = str(attempt["timestamp"])[:-8] <= str(other["timestamp"])[:-8]
    form = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"
    assert (
        same_second,
        bool(re.fullmatch(form, str(attempt["timestamp"]))),
        bool(re.fullmatch(form, str(other["timestamp"]))),
        attempt["reason"],
        attempt["level"],
    ) == (True, True, True, '"\x7f\u202e', "info")


def test_a_line_has_nothing_that_speaks_to_a_terminal(pipe: Pipe) -> None:
    """Neither an attempt's nor another one: people read a log with `tail`."""
    logs = open_logs(Log(), pipe[1])
    logs.attempts.attempted(an_attempt(reason="\x9b31m\u202e"))
    logs.log.info("a.b", path="\x9b31m\u202e")
    assert os.read(pipe[0], 1 << 20).count(b"\\u009b31m\\u202e") == 2


def test_a_level_above_info_leaves_attempts_out(pipe: Pipe) -> None:
    """An attempt is told at `info`."""
    logs = open_logs(Log(level="warning"), pipe[1])
    logs.attempts.attempted(an_attempt(outcome="retry"))
    logs.log.warning("a.b")
    assert [line["event"] for line in lines(pipe)] == ["a.b"]


def test_a_terminal_sees_attempts_too(pipe: Pipe) -> None:
    """On the console an attempt begins with how it ended."""
    open_logs(Log(format="console"), pipe[1]).attempts.attempted(an_attempt())
    assert b"outcome=delivered reason=http_204 subscription=crm" in os.read(pipe[0], 1 << 16)


async def test_the_lines_of_a_turn_are_written_together(pipe: Pipe) -> None:
    """Within `gathered` nothing is written before the loop would wait, and then all of it."""
    logs = open_logs(Log(), pipe[1])
    os.set_blocking(pipe[0], False)
    with logs.gathered():
        logs.log.info("a.b")
        logs.log.info("c.d")
        with pytest.raises(BlockingIOError):
            os.read(pipe[0], 1)
        await trio.lowlevel.checkpoint()
        assert [line["event"] for line in lines(pipe)] == ["a.b", "c.d"]


async def test_what_was_gathered_is_written_at_the_end(pipe: Pipe) -> None:
    """The last words of the daemon are not lost."""
    logs = open_logs(Log(), pipe[1])
    with logs.gathered():
        logs.log.info("daemon.stopped")
    assert [line["event"] for line in lines(pipe)] == ["daemon.stopped"]


def test_an_exception_is_one_line_too(pipe: Pipe) -> None:
    """Its traceback is a field."""
    log = open_logs(Log(), pipe[1]).log
    try:
        int("a bug")
    except ValueError:
        log.exception("sender.failed")
    [line] = lines(pipe)
    assert "ValueError" in str(line["exception"])


def test_a_terminal_sees_no_control_characters(pipe: Pipe) -> None:
    """A caller's name cannot colour the screen."""
    open_logs(Log(format="console"), pipe[1]).log.info("a.b", name="x\x1b[31my")
    assert b"\x1b[31my" not in os.read(pipe[0], 1 << 16)


def test_a_reader_that_stops_does_not_stop_the_daemon(pipe: Pipe) -> None:
    """Far more than a pipe holds is logged without waiting."""
    log = open_logs(Log(), pipe[1]).log
    for number in range(50_000):
        log.info("a.b", number=number)
    first = lines(pipe)[0]
    assert first["number"] == 0


def test_what_a_stopped_reader_missed_is_counted(pipe: Pipe) -> None:
    """When it reads again it is told how many lines there were."""
    log = open_logs(Log(), pipe[1]).log
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
        log = open_logs(Log(), file).log
        log.info("a.b")
        log.info("c.d")
    assert file.closed
