"""A spool that an older callpost has left, brought to the schema of this one."""

import sqlite3
from pathlib import Path

import pytest

from callpost.edge.spool import schema
from callpost.model.delivery import Standing
from callpost.model.replay import Selection
from edge.spool.spool_on_disk import OpenSqlite, Query
from spool_nouns import NEVER, arrival, pending

ALL = Selection(delivered=True)


@pytest.fixture
def version_1(directory: Path) -> None:
    """A delivery pending, one dead, one made, in the tables of version 1 and left there."""
    directory.mkdir(mode=0o700)
    connection = sqlite3.connect(directory / "spool.db", isolation_level=None)
    connection.execute("pragma journal_mode = wal").fetchall()
    for statement in (
        *schema.STEPS[0],
        "update meta set value = 1 where key = 'schema'",
        "update meta set value = 4 where key = 'next_number'",
        "insert into scopes values (1, '', '')",
        "insert into calls values (1, 1, 'call-1', 10.0)",
        "insert into subscriptions values (1, 'crm')",
        "insert into counters values (1, 1, 3, 'c')",
        "insert into events values (1, 'a', 1, 1, 1, 10.0, x'7b7d')",
        "insert into events values (2, 'b', 1, 1, 1, 11.0, x'7b7d')",
        "insert into events values (3, 'c', 1, 1, 1, 12.0, x'7b7d')",
        "insert into deliveries values (1, 3, 3, 1, 3, 'b', 0, 0, 1e12, null)",
        "insert into dead values (2, 1, 1, 2, 'a', 'rejected', 1, 1, 13.0, 'http:400')",
        "insert into attempts values (1, 1, 1, 10.5, 'primary', 'delivered', '', 200, 1.5)",
    ):
        connection.execute(statement)
    connection.close()


async def test_everything_is_where_it_was(version_1: None, open_sqlite: OpenSqlite) -> None:
    """Pending, dead, counted; and the counters go on."""
    async with open_sqlite() as spool:
        known = await spool.enroll(["crm"], now=1.0)
        await spool.append([arrival("d", 1)])
        assert [(one.seq, one.previous_id) for one in pending(spool, 1)] == [(3, "b"), (4, "c")]
        assert (spool.pending_of(1), spool.dead_count(), spool.has_gap(1, 1)) == (2, 1, True)
        assert known["crm"].standing == Standing()


async def test_its_dead_letters_can_be_replayed(version_1: None, open_sqlite: OpenSqlite) -> None:
    """What it delivered cannot: it did not keep the seq."""
    async with open_sqlite() as spool:
        await spool.enroll(["crm"], now=1.0)
        await spool.replay(ALL, now=2_000.0, max_age_s=lambda _, __: NEVER)
        assert [one.seq for one in pending(spool, 1)] == [3, 2]


async def test_its_tables_become_those_of_a_new_spool(
    version_1: None, directory: Path, open_sqlite: OpenSqlite, query: Query, tmp_path: Path
) -> None:
    """No difference is left."""
    async with open_sqlite():
        brought = query("select name, sql from sqlite_master order by name")
    fresh = sqlite3.connect(tmp_path / "fresh.db", isolation_level=None)
    schema.prepare(fresh, tmp_path, durability="power", max_bytes=2**30)
    made = fresh.execute("select name, sql from sqlite_master order by name").fetchall()
    fresh.close()
    assert brought == made
