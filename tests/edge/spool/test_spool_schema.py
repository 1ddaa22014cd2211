"""Opening the state directory: who may, what is made, and what is said when it cannot be used."""

import fcntl
import os
import re
import sqlite3
import stat
from pathlib import Path

import pytest

from callpost.edge.logs import collecting_log
from callpost.edge.spool import SpoolUnusable, SqliteSpool, open_spool, schema
from callpost.model.limits import SpoolLimits
from edge.spool.spool_on_disk import OpenSqlite, Query
from spool_nouns import arrival, pending

FILES = ("ballast", "lock", "spool.db", "spool.db-wal", "spool.db-shm")


def opened(directory: Path, limits: SpoolLimits | None = None) -> SqliteSpool:
    """Open without a writer, as far as that goes."""
    return open_spool(directory, limits=limits or SpoolLimits(), log=collecting_log(lambda _: None))


def refusal(directory: Path) -> str:
    """Open in vain and return the sentence."""
    with pytest.raises(SpoolUnusable) as raised:
        opened(directory)
    return str(raised.value)


@pytest.mark.parametrize("there", [False, True])
def test_the_directory_is_private(directory: Path, *, there: bool) -> None:
    """It is made, or made to be, 0700."""
    if there:
        directory.mkdir(mode=0o755)
    opened(directory).close()
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700


def test_all_files_are_private(directory: Path) -> None:
    """Nobody but the daemon's user reads what the customers' calls were."""
    spool = opened(directory)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in directory.iterdir()}
    assert modes == dict.fromkeys(FILES, 0o600)
    spool.close()


def test_files_of_an_open_mode_are_made_private(directory: Path) -> None:
    """A database that was restored from a backup, say."""
    opened(directory).close()
    (directory / "spool.db").chmod(0o644)
    opened(directory).close()
    assert stat.S_IMODE((directory / "spool.db").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("pragma", "value"),
    [("page_size", 4096), ("auto_vacuum", 2), ("journal_mode", "wal")],
)
def test_the_database_is_laid_out_as_it_should_be(
    directory: Path, query: Query, pragma: str, value: object
) -> None:
    """What can be set before the first table only was set before it."""
    opened(directory).close()
    assert query(f"pragma {pragma}") == [(value,)]


@pytest.mark.parametrize(("durability", "synchronous"), [("power", 2), ("process", 1)])
def test_durability_decides_how_commits_are_flushed(
    tmp_path: Path, durability: str, synchronous: int
) -> None:
    """`power` waits for the disk at every commit, `process` at checkpoints only."""
    connection = sqlite3.connect(tmp_path / "x.db", isolation_level=None)
    chosen = SpoolLimits(durability="power" if durability == "power" else "process")
    schema.prepare(connection, tmp_path, durability=chosen.durability, max_bytes=2**30)
    [found] = connection.execute("pragma synchronous").fetchall()
    connection.close()
    assert found == (synchronous,)


def test_a_second_daemon_is_refused_by_the_first_ones_name(directory: Path) -> None:
    """The sentence says which process holds the directory."""
    first = opened(directory)
    sentence = refusal(directory)
    first.close()
    assert sentence == f"{directory}: is in use by another callpost (process {os.getpid()})"


def test_the_directory_is_free_again_after_closing(directory: Path) -> None:
    """A daemon may follow at once."""
    opened(directory).close()
    opened(directory).close()


def test_a_refused_daemon_leaves_the_first_ones_claim_alone(directory: Path) -> None:
    """The lock is still held after the attempt."""
    first = opened(directory)
    refusal(directory)
    with (directory / "lock").open("r+") as lock, pytest.raises(BlockingIOError):
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    first.close()


def test_a_newer_schema_is_refused(directory: Path, query: Query) -> None:
    """An older callpost does not touch what it does not understand."""
    opened(directory).close()
    query("update meta set value = 7 where key = 'schema'")
    assert refusal(directory) == (
        f"{directory}/spool.db: was written by a newer callpost (schema 7, this one knows 3)"
    )


async def test_an_older_schema_is_brought_up_to_date(
    open_sqlite: OpenSqlite, query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the steps after it are run, and what is in the tables stays."""
    async with open_sqlite() as spool:
        await spool.append([arrival("a", 1)])
    step = ("create table newer (n integer)", "insert into newer values (1)")
    monkeypatch.setattr(schema, "STEPS", (*schema.STEPS, step))
    async with open_sqlite() as spool:
        assert len(pending(spool, 1)) == 1
    assert query("select (select value from meta where key = 'schema'), n from newer") == [(4, 1)]


def test_a_step_that_fails_leaves_the_schema_as_it_was(
    directory: Path, query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All steps are one transaction."""
    opened(directory).close()
    with monkeypatch.context() as patched:
        step = ("create table newer (n integer)", "insert into nowhere values (1)")
        patched.setattr(schema, "STEPS", (*schema.STEPS, step))
        assert "no such table: nowhere" in refusal(directory)
    assert query("select name from sqlite_master where name = 'newer'") == []
    opened(directory).close()


def test_a_file_that_is_no_database_is_put_aside(directory: Path) -> None:
    """Nobody has to take it away: it is kept under another name, and a new one is made."""
    directory.mkdir(mode=0o700)
    (directory / "spool.db").write_text("a letter to grandmother\n" * 100)
    opened(directory).close()
    [aside] = directory.glob("spool.db.damaged-*Z")
    assert aside.read_text() == "a letter to grandmother\n" * 100


@pytest.mark.parametrize("table", ["recipes (name text)", "meta (key text, value)"])
def test_a_database_of_someone_else_is_refused(directory: Path, query: Query, table: str) -> None:
    """Nothing is added to it."""
    directory.mkdir(mode=0o700)
    query(f"create table {table}")
    assert refusal(directory) == f"{directory}/spool.db: is a database, but not one of callpost's"


def test_a_path_that_is_no_directory_is_refused(directory: Path) -> None:
    """A file stands in its place."""
    directory.write_text("")
    assert refusal(directory) == f"{directory}: is not a directory"


def test_a_path_below_a_file_is_refused(directory: Path) -> None:
    """A file stands further up."""
    directory.write_text("")
    assert refusal(directory / "below") == f"{directory}/below: is not a directory"


def test_a_directory_in_place_of_the_database_is_refused(directory: Path) -> None:
    """It is no failing disk."""
    (directory / "spool.db").mkdir(parents=True)
    assert refusal(directory) == f"{directory}/spool.db: is a directory, not a file"


def test_a_pipe_in_place_of_the_database_is_refused(directory: Path) -> None:
    """Nobody waits for its other end."""
    directory.mkdir()
    os.mkfifo(directory / "spool.db")
    assert refusal(directory) == f"{directory}/spool.db: is not a regular file"


@pytest.mark.skipif(not Path("/sys/kernel").is_dir(), reason="needs a file system without writing")
def test_a_directory_that_cannot_be_made_is_refused() -> None:
    """Even root makes no directory in /sys."""
    assert re.fullmatch(
        r"/sys/kernel/callpost: cannot be written: [\w -]+", refusal(Path("/sys/kernel/callpost"))
    )


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes where it may not")
def test_a_directory_that_may_not_be_written_is_refused(directory: Path) -> None:
    """Its mode says so."""
    directory.mkdir(mode=0o500)
    assert refusal(directory) == f"{directory}: cannot be written: Permission denied"
