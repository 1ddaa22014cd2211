"""The log in systemd's journal: its native protocol, read back by another reader."""

import array
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from callpost.edge.logs import Logs, open_logs
from callpost.edge.logs.entries import entry, field_name
from callpost.edge.logs.journal import Journal
from callpost.edge.logs.journal_attempts import _entry, _plain_entry
from callpost.model.delivery import Attempted
from callpost.model.limits import Log

TEXTS = st.text(max_size=30)


class JournalDouble:
    """A journal: a real datagram socket, and a reader of the protocol as its page tells it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._socket.settimeout(5)

    def entry(self) -> dict[str, bytes]:
        """The next entry."""
        content, file = self.datagram()
        if file is not None:
            with os.fdopen(file, "rb") as sealed:
                content = os.pread(sealed.fileno(), 1 << 26, 0)
        return parsed(content)

    def datagram(self) -> tuple[bytes, int | None]:
        """The next datagram: its payload, and the file that came with it."""
        content, ancillary, _, _ = self._socket.recvmsg(1 << 20, socket.CMSG_SPACE(4))
        return content, array.array("i", ancillary[0][2])[0] if ancillary else None

    def read_all(self) -> list[dict[str, bytes]]:
        """What has been sent so far."""
        self._socket.setblocking(False)
        entries = []
        try:
            while True:
                entries.append(self.entry())
        except BlockingIOError:
            self._socket.settimeout(5)
        return entries

    def close(self) -> None:
        """Gone; its socket stays as a file, as when a machine lost its journal."""
        self._socket.close()


def parsed(content: bytes) -> dict[str, bytes]:
    """The fields, by the page: a line `NAME=value`, or a name, a length and so many bytes."""
    found: dict[str, bytes] = {}
    while content:
        line, _, rest = content.partition(b"\n")
        name, equals, value = line.partition(b"=")
        if not equals:
            size = int.from_bytes(rest[:8], "little")
            value, end, rest = rest[8 : 8 + size], rest[8 + size : 9 + size], rest[9 + size :]
            assert (len(value), end) == (size, b"\n")
        assert name.decode() not in found
        found[name.decode()] = value
        content = rest
    return found


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[JournalDouble]:
    """A journal that listens."""
    double = JournalDouble(tmp_path / "journal")
    yield double
    double.close()


@pytest.fixture
def out() -> Iterator[BinaryIO]:
    """Standard output, which nobody reads here."""
    with Path(os.devnull).open("wb") as file:
        yield file


@pytest.fixture
def logs(journal: JournalDouble, out: BinaryIO) -> Iterator[Logs]:
    """A log that goes to the journal."""
    opened = open_logs(Log(format="journal"), out, journal=str(journal.path))
    assert isinstance(opened.lines, Journal)
    yield opened
    opened.lines.close()


def an_attempt(*, call_id: str = "c1", reason: str = "http_503") -> Attempted:
    """An attempt that is over."""
    return Attempted(
        subscription="crm",
        event_id="evt_1",
        call_id=call_id,
        seq=1,
        kind="newCall",
        attempt=2,
        endpoint="https://crm.example:443",
        place="primary",
        outcome="retry",
        reason=reason,
        http_status=503,
        connect_ms=None,
        total_ms=1.25,
        reused=True,
        next_attempt_at="2026-11-21T10:00:00.000Z",
    )


ATTEMPTS = st.builds(
    Attempted,
    subscription=st.just("crm"),
    event_id=st.just("evt_1"),
    call_id=TEXTS,
    seq=st.integers(1, 9),
    kind=st.just("newCall"),
    attempt=st.integers(1, 9),
    endpoint=TEXTS,
    place=st.just("primary"),
    outcome=st.sampled_from(("delivered", "retry")),
    reason=TEXTS,
    http_status=st.none() | st.integers(100, 599),
    connect_ms=st.none() | st.integers(0, 10**6).map(lambda thousandths: thousandths / 1000),
    total_ms=st.integers(0, 10**6).map(lambda thousandths: thousandths / 1000),
    reused=st.booleans(),
    next_attempt_at=st.none() | st.just("2026-11-21T10:00:00.000Z"),
)


def test_a_line_becomes_an_entry_with_fields(journal: JournalDouble, logs: Logs) -> None:
    """`journalctl CALL_ID=c1` finds it."""
    logs.log.warning("intake.refused", callId="c1", lineNumber=3, absent=None)
    assert journal.entry() == {
        "MESSAGE": b"intake.refused callId=c1 lineNumber=3",
        "PRIORITY": b"4",
        "SYSLOG_IDENTIFIER": b"callpost",
        "CALLPOST_EVENT": b"intake.refused",
        "CALL_ID": b"c1",
        "LINE_NUMBER": b"3",
    }


def test_an_attempt_has_its_fields(journal: JournalDouble, logs: Logs) -> None:
    """Each field of CONTRACT 8's line that there is, and a text for people."""
    logs.attempts.attempted(an_attempt())
    assert journal.entry() == {
        "MESSAGE": b"delivery.attempted outcome=retry reason=http_503 subscription=crm"
        b" kind=newCall callId=c1 seq=1 attempt=2 eventId=evt_1 endpoint=https://crm.example:443"
        b" place=primary httpStatus=503 totalMs=1.25 reused=true"
        b" nextAttemptAt=2026-11-21T10:00:00.000Z",
        "PRIORITY": b"6",
        "SYSLOG_IDENTIFIER": b"callpost",
        "CALLPOST_EVENT": b"delivery.attempted",
        "SUBSCRIPTION": b"crm",
        "EVENT_ID": b"evt_1",
        "CALL_ID": b"c1",
        "SEQ": b"1",
        "KIND": b"newCall",
        "ATTEMPT": b"2",
        "ENDPOINT": b"https://crm.example:443",
        "PLACE": b"primary",
        "OUTCOME": b"retry",
        "REASON": b"http_503",
        "HTTP_STATUS": b"503",
        "TOTAL_MS": b"1.25",
        "REUSED": b"true",
        "NEXT_ATTEMPT_AT": b"2026-11-21T10:00:00.000Z",
    }


@given(ATTEMPTS)
def test_an_attempt_is_told_as_by_the_log(attempt: Attempted) -> None:
    """Its shorter way, where it can be taken, makes no difference to who reads it."""
    assert _plain_entry(attempt) in {b"", _entry(attempt)}


def test_an_ordinary_attempt_takes_the_shorter_way() -> None:
    """It is what makes an attempt cheap to log."""
    assert (_plain_entry(an_attempt()) != b"", _plain_entry(an_attempt(reason="\n"))) == (True, b"")


def test_an_attempt_with_odd_values_is_told_too(journal: JournalDouble, logs: Logs) -> None:
    """A line end in a call's id changes no other field."""
    logs.attempts.attempted(an_attempt(call_id="a\nSEQ=9"))
    told = journal.entry()
    assert (told["CALL_ID"], told["SEQ"]) == (b"a\nSEQ=9", b"1")


@given(TEXTS | st.text(alphabet="\n=\0a", max_size=9))
def test_any_value_survives(value: str) -> None:
    """Line ends, equals signs, NUL: what goes in comes out."""
    found = parsed(entry({"level": "info", "event": "a.b", "callId": value}))
    assert found["CALL_ID"] == value.encode("utf-8", "backslashreplace")


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("callId", "CALL_ID"),
        ("httpStatus", "HTTP_STATUS"),
        ("pid", "PID"),
        ("drainS", "DRAIN_S"),
        ("message", "CALLPOST_MESSAGE"),
        ("priority", "CALLPOST_PRIORITY"),
        ("unit", "CALLPOST_UNIT"),
        ("_pid", "PID"),
        ("4xx", "CALLPOST_4XX"),
        ("a-b", "A_B"),
    ],
)
def test_a_field_gets_a_name_that_the_journal_takes(name: str, field: str) -> None:
    """Upper case, words apart, and none of the names that mean something to systemd."""
    assert field_name(name) == field


def test_what_is_shown_holds_no_control_characters() -> None:
    """A text with any is hidden by journalctl; the field keeps the value as it is."""
    found = parsed(entry({"level": "info", "event": "a.b", "name": "x\x1b[31my"}))
    assert (found["MESSAGE"], found["NAME"]) == (rb"a.b name=x\x1b[31my", b"x\x1b[31my")


def test_a_traceback_stands_below_the_text(journal: JournalDouble, logs: Logs) -> None:
    """A bug is read in the journal as it is read on a terminal."""
    try:
        int("a bug")
    except ValueError:
        logs.log.exception("sender.failed")
    first, second, *_ = journal.entry()["MESSAGE"].split(b"\n")
    assert (first, second) == (b"sender.failed", b"Traceback (most recent call last):")


def test_a_large_entry_goes_as_a_file(journal: JournalDouble, logs: Logs) -> None:
    """More than a datagram may hold arrives whole."""
    value = "x" * 9_000_000
    logs.log.info("a.b", value=value)
    assert journal.entry()["VALUE"] == value.encode()


def test_the_file_of_a_large_entry_is_sealed(journal: JournalDouble, logs: Logs) -> None:
    """The journal takes no file that can still be changed."""
    logs.log.info("a.b", value="x" * 9_000_000)
    _, file = journal.datagram()
    assert file is not None
    with os.fdopen(file, "r+b", buffering=0) as sealed, pytest.raises(PermissionError):
        sealed.write(b"y")


def test_a_full_journal_does_not_stop_the_daemon(journal: JournalDouble, logs: Logs) -> None:
    """Far more than its queue holds is logged without waiting, and none of it is lost."""
    for number in range(2_000):
        logs.log.info("a.b", number=number)
    found: list[bytes] = []
    while len(found) < 2_000:
        found += [one["NUMBER"] for one in journal.read_all() if "NUMBER" in one]
        assert isinstance(logs.lines, Journal)
        logs.lines.before_io_wait(0)
    assert found == [str(number).encode() for number in range(2_000)]


def test_what_a_journal_missed_is_counted(journal: JournalDouble, logs: Logs) -> None:
    """When it takes entries again it is told how many there were."""
    count = 30_000
    for number in range(count):
        logs.log.info("a.b", number=number)
    entries: list[dict[str, bytes]] = []
    while not entries or entries[-1]["CALLPOST_EVENT"] != b"log.dropped":
        entries += journal.read_all()
        logs.log.debug("never.sent")
        assert isinstance(logs.lines, Journal)
        logs.lines.before_io_wait(0)
    kept = sum("NUMBER" in one for one in entries)
    assert (kept < count, int(entries[-1]["LINES"])) == (True, count - kept)


def test_a_journal_that_comes_back_gets_what_waited(journal: JournalDouble, logs: Logs) -> None:
    """Its restart costs no line."""
    journal.close()
    logs.log.info("a.b")
    journal.path.unlink()
    again = JournalDouble(journal.path)
    logs.log.info("c.d")
    told = [one["CALLPOST_EVENT"] for one in again.read_all()]
    again.close()
    assert told == [b"a.b", b"c.d"]


async def test_what_waits_goes_in_a_later_turn(journal: JournalDouble, logs: Logs) -> None:
    """No further line is needed for that."""
    with logs.gathered():
        for number in range(2_000):
            logs.log.info("a.b", number=number)
        found: list[bytes] = []
        while len(found) < 2_000:
            found += [one["NUMBER"] for one in journal.read_all()]
            await trio.lowlevel.checkpoint()
    assert len(found) == 2_000


def told_by_auto(journal: JournalDouble, stream: str) -> bool:
    """Whether `auto` chose the journal, with that in $JOURNAL_STREAM for a pipe."""
    reading, writing = os.pipe()
    status = os.fstat(writing)
    told = stream.format(device=status.st_dev, inode=status.st_ino)
    with os.fdopen(writing, "wb") as file:
        logs = open_logs(
            Log(), file, environment={"JOURNAL_STREAM": told}, journal=str(journal.path)
        )
        if isinstance(logs.lines, Journal):
            logs.lines.close()
    os.close(reading)
    return isinstance(logs.lines, Journal)


@pytest.mark.parametrize(
    ("stream", "chosen"),
    [("{device}:{inode}", True), ("{device}:1", False), ("", False), ("nonsense", False)],
)
def test_auto_is_the_journal_where_standard_output_is(
    journal: JournalDouble, stream: str, *, chosen: bool
) -> None:
    """A service whose output goes elsewhere, and a program it starts, write lines."""
    assert told_by_auto(journal, stream) == chosen


def test_without_a_journal_there_are_lines_and_a_warning(tmp_path: Path) -> None:
    """`format = "journal"` on a machine that has none."""
    path = tmp_path / "out"
    with path.open("wb") as file:
        log = open_logs(Log(format="journal"), file, journal=str(tmp_path / "none")).log
        log.info("a.b")
    assert [line.split('"')[11] for line in path.read_text().splitlines()] == [
        "log.journal_missing",
        "a.b",
    ]
