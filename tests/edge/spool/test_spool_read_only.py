"""The spool of a stopped daemon: read as it was left, whatever that was, and never written."""

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
import trio

from callpost.edge.spool import SpoolUnusable
from callpost.edge.spool.read_only import StoppedSpool
from callpost.model.replay import Selection
from callpost.model.story import PendingPage
from edge.spool.replaying import deliver_all, enrolled, kill_all
from edge.spool.spool_on_disk import OpenSqlite
from spool_nouns import arrival

PRODUCERS = Path(__file__).with_name("producers.py")
Left = list[tuple[str, bytes, int]]


def left(directory: Path) -> Left:
    """Every file with its content and the time at which it was changed."""
    files = sorted(directory.iterdir())
    return [(file.name, file.read_bytes(), file.stat().st_mtime_ns) for file in files]


def pending_in(directory: Path) -> PendingPage:
    """What is pending there."""
    return StoppedSpool(directory).pending(subscription="", limit=9, cursor="")


@pytest.fixture
async def stopped(directory: Path, open_sqlite: OpenSqlite) -> Path:
    """The state directory of a daemon that has ended: one delivered, one dead, one pending."""
    async with open_sqlite() as spool:
        [owner] = await enrolled(spool, "crm")
        await spool.append([arrival("a", owner)])
        await deliver_all(spool, owner)
        await spool.append([arrival("b", owner)])
        await kill_all(spool, owner)
        await spool.append([arrival("c", owner)])
    return directory


@pytest.fixture
async def killed(directory: Path) -> Path:
    """The state directory of one that was killed in the middle of its work."""
    process = await trio.lowlevel.open_process(
        [sys.executable, str(PRODUCERS), str(directory)],
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(PRODUCERS.parent.parent.parent)},
    )
    with trio.fail_after(20):
        assert process.stdout is not None
        said = b""
        while said.count(b"\n") < 100:
            said += await process.stdout.receive_some()
        process.send_signal(signal.SIGKILL)
        await process.wait()
        await process.stdout.aclose()
    assert (directory / "spool.db-wal").stat().st_size
    return directory


async def test_what_a_daemon_has_left_is_read(stopped: Path) -> None:
    """Each list, and the story."""
    spool = StoppedSpool(stopped)
    dead = spool.dead(Selection(), limit=9, cursor="")
    story = spool.call("call-1", customer="", limit=9)
    assert story is not None
    assert [one.deliveries[0].state for one in story.events] == ["delivered", "dead", "pending"]
    assert (dead.total, pending_in(stopped).total) == (1, 1)
    assert len(spool.events("a", customer="")) == 1


async def test_reading_leaves_everything_as_it_was(stopped: Path) -> None:
    """No file is made, none is touched."""
    before = left(stopped)
    pending_in(stopped)
    assert left(stopped) == before


async def test_the_log_of_a_killed_daemon_is_read(killed: Path) -> None:
    """All that it has committed is there: a reader that may mend the log sees the same."""
    found = pending_in(killed).total
    connection = sqlite3.connect(killed / "spool.db")
    [(count,)] = connection.execute("select count(*) from deliveries").fetchall()
    connection.close()
    assert (found, found > 0) == (count, True)


async def test_the_log_of_a_killed_daemon_is_left_as_it_was(killed: Path) -> None:
    """Its index too, however stale it is."""
    before = left(killed)
    pending_in(killed)
    assert left(killed) == before


async def test_a_log_without_its_index_is_not_read(killed: Path) -> None:
    """To read it SQLite would have to write one."""
    (killed / "spool.db-shm").unlink()
    before = left(killed)
    with pytest.raises(SpoolUnusable, match="without its index"):
        pending_in(killed)
    assert left(killed) == before


async def test_beside_a_running_daemon_it_reads_too(open_sqlite: OpenSqlite) -> None:
    """What is committed, without holding it up."""
    async with open_sqlite() as spool:
        [owner] = await enrolled(spool, "crm")
        await spool.append([arrival("a", owner)])
        found = await trio.to_thread.run_sync(pending_in, spool._directory)
        await spool.append([arrival("b", owner)])
    assert found.total == 1


async def test_a_spool_of_an_older_schema_is_read(stopped: Path) -> None:
    """Its attempts do not know what delivery they made, its subscriptions how they stand."""
    connection = sqlite3.connect(stopped / "spool.db", isolation_level=None)
    connection.execute("drop index dead_gaps")
    for column in ("seq", "previous_id"):
        connection.execute(f"alter table attempts drop column {column}")
    connection.execute("alter table subscriptions drop column state")
    connection.execute("update meta set value = 1 where key = 'schema'")
    connection.close()
    spool = StoppedSpool(stopped)
    story = spool.call("call-1", customer="", limit=9)
    assert story is not None
    assert [one.deliveries[0].state for one in story.events] == ["delivered", "dead", "pending"]
    assert spool.paused() == {}


async def test_a_spool_of_a_newer_schema_is_not_guessed_at(stopped: Path) -> None:
    """The sentence says what is wrong."""
    connection = sqlite3.connect(stopped / "spool.db", isolation_level=None)
    connection.execute("update meta set value = 99 where key = 'schema'")
    connection.close()
    with pytest.raises(SpoolUnusable, match=r"written by a newer callpost \(schema 99"):
        StoppedSpool(stopped)


async def test_a_damaged_spool_says_so(stopped: Path) -> None:
    """And what will be done about it."""
    database = stopped / "spool.db"
    database.write_bytes(database.read_bytes()[:4096] + os.urandom(database.stat().st_size - 4096))
    with pytest.raises(SpoolUnusable, match=r"is damaged .*next start puts it aside"):
        pending_in(stopped)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "is not there"),
        (b"", "holds nothing yet"),
        (b"no database at all" * 400, "is damaged"),
    ],
)
def test_what_is_no_spool_is_told_in_one_sentence(
    tmp_path: Path, content: bytes | None, sentence: str
) -> None:
    """Nothing is made in its place."""
    if content is not None:
        (tmp_path / "spool.db").write_bytes(content)
    before = left(tmp_path)
    with pytest.raises(SpoolUnusable, match=sentence):
        StoppedSpool(tmp_path)
    assert left(tmp_path) == before


def test_a_directory_in_place_of_the_database_is_told_as_one(tmp_path: Path) -> None:
    """It is no failing disk."""
    (tmp_path / "spool.db").mkdir()
    with pytest.raises(SpoolUnusable, match=r"/spool\.db: is a directory, not a file\.$"):
        StoppedSpool(tmp_path)


def test_a_database_of_another_program_is_told_as_one(tmp_path: Path) -> None:
    """It has tables, but not these."""
    connection = sqlite3.connect(tmp_path / "spool.db", isolation_level=None)
    connection.execute("create table songs (title text)")
    connection.close()
    with pytest.raises(SpoolUnusable, match="not one of callpost's"):
        StoppedSpool(tmp_path)
