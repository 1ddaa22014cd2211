"""Retention to the last byte: what was trimmed is in no file any more, once the pass is over."""

from pathlib import Path

import pytest

from callpost.edge.spool import SqliteSpool
from callpost.model.limits import SpoolLimits
from edge.spool.purges import NOW, call_arrival, found_in
from edge.spool.replaying import deliver_all, enrolled
from edge.spool.spool_on_disk import OpenSqlite


@pytest.fixture
def limits() -> SpoolLimits:
    """Delivered events stay for a minute."""
    return SpoolLimits(retain_s=60.0)


@pytest.mark.parametrize("size", [0, 2_000])
async def test_no_byte_of_a_trimmed_event_is_left(
    spool: SqliteSpool, directory: Path, size: int
) -> None:
    """Neither on pages that became free, nor in the write-ahead log, of large events neither."""
    [owner] = await enrolled(spool, "crm")
    await spool.append(
        [
            call_arrival(str(n), owner, call=str(n), at=NOW - 100.0, name="person" * (1 + size))
            for n in range(300)
        ]
    )
    await deliver_all(spool, owner)
    trimmed = await spool.trim(NOW)
    assert (trimmed.events, found_in(directory, "person")) == (300, [])


async def test_what_a_killed_daemon_left_in_its_log_goes_with_the_next_pass(
    open_sqlite: OpenSqlite, directory: Path
) -> None:
    """Though that pass finds nothing to take: it was taken by the one before."""
    async with open_sqlite() as spool:
        log = directory / "spool.db-wal"
        await spool.append([call_arrival("a", call="a", at=NOW)])
        assert log.stat().st_size > 0
        await spool.trim(NOW)
        assert log.stat().st_size == 0


async def test_a_pass_that_takes_nothing_leaves_the_log_as_it_is(
    spool: SqliteSpool, directory: Path
) -> None:
    """To cut it off means to write it anew."""
    await spool.trim(NOW)
    await spool.append([call_arrival("a", call="a", at=NOW)])
    await spool.trim(NOW)
    assert (directory / "spool.db-wal").stat().st_size > 0
