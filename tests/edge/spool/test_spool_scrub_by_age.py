"""Retention to the last byte: of what it takes no copy is left in the files, within one pass."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest
import trio

from callpost.edge.spool import SqliteSpool, scrub, scrubbing
from callpost.edge.spool.files import connect_reading
from callpost.model.limits import SpoolLimits
from edge.spool.purges import NUMBER, call_arrival, found_in
from edge.spool.replaying import enrolled
from edge.spool.spool_on_disk import OpenSqlite, Query
from spool_nouns import arrival, done, pending

RETAIN_S = 100.0
OLD_AT = 1_000.0
THEN = OLD_AT + RETAIN_S + 1.0
CALLS = 500
# With these, rows have moved and left copies of the number behind.
SEED = 1

SetChunks = Callable[[int], None]


@pytest.fixture
def limits() -> SpoolLimits:
    """Events stay for a hundred seconds."""
    return SpoolLimits(retain_s=RETAIN_S)


@pytest.fixture
def chunks(monkeypatch: pytest.MonkeyPatch) -> SetChunks:
    """How many chunks of 64 pages a pass blanks."""
    monkeypatch.setattr(scrub, "SCRUBBED_AT_ONCE", 64)
    monkeypatch.setattr(scrubbing, "SCRUBBED_AT_ONCE", 64)
    return lambda count: monkeypatch.setattr(scrubbing, "_CHUNKS_A_PASS", count)


async def fill(spool: SqliteSpool) -> list[str]:
    """Old calls with ids in no order: a third has been delivered, the rest waits for somebody.

    Returns what the third bears; the id of its second event stays, for `callpost-previous`.
    """
    dice = random.Random(SEED)
    [owner, down] = await enrolled(spool, "crm", "down")
    old: list[str] = []
    for _ in range(CALLS // 50):
        arrivals = []
        for _ in range(50):
            call, *ids = (f"{dice.getrandbits(128):032x}" for _ in range(3))
            is_private = dice.random() < 1 / 3
            old += ids[:1] if is_private else []
            name = "n" * dice.randint(1, 900)
            arrivals += [
                call_arrival(
                    event_id,
                    *([owner] if is_private else [owner, down]),
                    call=call,
                    caller=NUMBER if is_private else "+4533334444",
                    name=name,
                    at=OLD_AT,
                    kind=kind,
                )
                for event_id, kind in zip(ids, ("newCall", "hangup"), strict=True)
            ]
        await spool.append(arrivals)
        for one in pending(spool, owner)[: dice.randint(0, 100)]:
            spool.settle(done(owner, one))
    while rows := pending(spool, owner):
        for one in rows:
            spool.settle(done(owner, one))
        await spool.append([arrival(f"{dice.getrandbits(64):x}", at=THEN)])
    return [NUMBER[1:], *old]


async def test_nothing_is_left_of_what_retention_has_taken(
    spool: SqliteSpool, directory: Path, query: Query
) -> None:
    """Neither in pages in use, nor in free ones, nor in the log; the database is sound."""
    old = await fill(spool)
    await spool.trim(THEN)
    assert (found_in(directory, *old), query("pragma integrity_check")) == ([], [("ok",)])


async def test_what_the_process_before_has_left_goes_too(
    open_sqlite: OpenSqlite, directory: Path, chunks: SetChunks
) -> None:
    """The first passes after a start take nothing, and yet blank every page."""
    chunks(0)
    async with open_sqlite() as spool:
        old = await fill(spool)
        await spool.trim(THEN)
    left = found_in(directory, *old)
    chunks(100)
    async with open_sqlite() as spool:
        await spool.trim(THEN)
    assert (left != [], found_in(directory, *old)) == (True, [])


async def test_a_large_spool_is_gone_round_in_several_passes(
    spool: SqliteSpool, directory: Path, chunks: SetChunks
) -> None:
    """Each goes on where the one before has stopped, until all has been passed."""
    chunks(0)
    old = await fill(spool)
    await spool.trim(THEN)
    left = found_in(directory, *old)
    chunks(1)
    for _ in range((directory / "spool.db").stat().st_size // (64 * 4096) + 1):
        await spool.trim(THEN)
    assert (left != [], found_in(directory, *old)) == (True, [])


async def test_a_pass_that_somebody_reads_in_the_way_of_is_made_up_for(
    spool: SqliteSpool, directory: Path
) -> None:
    """The log cannot be emptied while he reads; the next pass blanks what is left."""
    old = await fill(spool)
    reading = connect_reading(directory)
    try:
        reading.execute("begin")
        reading.execute("select count(*) from events").fetchall()
        await spool.trim(THEN)
        left = found_in(directory, *old)
    finally:
        reading.close()
    await spool.trim(THEN)
    assert (left != [], found_in(directory, *old)) == (True, [])


async def test_the_keeper_blanks_by_itself(spool: SqliteSpool, directory: Path) -> None:
    """Within an interval of the moment at which `retain` ends, and no longer."""
    old = await fill(spool)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(lambda: spool.keep(now=lambda: THEN, interval_s=0.02))
        with trio.move_on_after(5):
            while found_in(directory, *old):  # noqa: ASYNC110 - files tell nobody
                await trio.sleep(0.02)
        nursery.cancel_scope.cancel()
    assert found_in(directory, *old) == []
