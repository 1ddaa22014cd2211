"""A spool in a temporary directory: real files, real commits, its writer at work."""

import resource
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest
import trio

from callpost.edge.logs import collecting_log
from callpost.edge.spool import SqliteSpool, open_spool
from callpost.model.limits import SpoolLimits
from edge.spool.spool_on_disk import OpenSqlite, Query


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """The state directory, not made yet."""
    return tmp_path / "state"


@pytest.fixture
def limits() -> SpoolLimits:
    """The limits of the spool; a test file may override this."""
    return SpoolLimits()


@pytest.fixture
def log_lines() -> list[dict[str, object]]:
    """What the spool has logged."""
    return []


@pytest.fixture
def open_sqlite(
    directory: Path, limits: SpoolLimits, log_lines: list[dict[str, object]]
) -> OpenSqlite:
    """Open the spool of `directory`, again and again; leaving the context finishes it."""

    @asynccontextmanager
    async def opened() -> AsyncIterator[SqliteSpool]:
        log = collecting_log(lambda fields: log_lines.append(dict(fields)))
        spool = open_spool(directory, limits=limits, log=log)
        with trio.fail_after(10):
            async with trio.open_nursery() as nursery:
                await nursery.start(spool.run)
                try:
                    yield spool
                finally:
                    spool.finish()

    return opened


@pytest.fixture
async def spool(open_sqlite: OpenSqlite) -> AsyncIterator[SqliteSpool]:
    """An empty spool."""
    async with open_sqlite() as spool:
        yield spool


@pytest.fixture
def query(directory: Path) -> Query:
    """Ask the database itself, over a connection of one's own."""

    def ask(sql: str, *values: object) -> list[tuple[object, ...]]:
        with _connected(directory / "spool.db") as connection:
            return connection.execute(sql, values).fetchall()

    return ask


@pytest.fixture
def let_files_grow_to() -> Iterator[Callable[[int], None]]:
    """Set how large a file of this process may become: writing beyond it fails (EFBIG)."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    def limit(size_bytes: int) -> None:
        bound = soft if size_bytes == 0 else size_bytes
        resource.setrlimit(resource.RLIMIT_FSIZE, (bound, hard))

    yield limit
    limit(0)


@contextmanager
def _connected(path: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        yield connection
    finally:
        connection.close()
