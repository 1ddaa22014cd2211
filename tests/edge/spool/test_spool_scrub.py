"""Scrubbing: no byte of what was purged is left within pages in use, and every row is sound."""

import random
from pathlib import Path

import pytest

from callpost.edge.spool import SqliteSpool
from edge.spool.purges import NUMBER, call_arrival, found_in, purge
from edge.spool.replaying import enrolled
from edge.spool.spool_on_disk import Query
from spool_nouns import done, pending


async def fill(spool: SqliteSpool, dice: random.Random) -> list[str]:
    """Calls with ids in no order, a third of them private: their rows move from page to page."""
    [owner] = await enrolled(spool, "crm")
    private: list[str] = []
    for _ in range(40):
        arrivals = []
        for _ in range(50):
            call, is_private = f"{dice.getrandbits(128):032x}", dice.random() < 1 / 3
            private += [call] if is_private else []
            caller = NUMBER if is_private else "+4533334444"
            arrivals += [
                call_arrival(
                    f"{dice.getrandbits(128):032x}",
                    owner,
                    call=call,
                    caller=caller,
                    name="n" * dice.randint(1, 900),
                )
                for _ in range(2)
            ]
        await spool.append(arrivals)
        for one in pending(spool, owner)[: dice.randint(0, 100)]:
            spool.settle(done(owner, one))
    return private


@pytest.mark.parametrize("seed", [1, 5])
async def test_no_copy_is_left_where_rows_have_moved(
    spool: SqliteSpool, directory: Path, query: Query, seed: int
) -> None:
    """Of a number and of its calls' ids, in all files; the database is sound."""
    private = await fill(spool, random.Random(seed))
    await purge(spool, number=NUMBER)
    assert (found_in(directory, NUMBER[1:], *private), query("pragma integrity_check")) == (
        [],
        [("ok",)],
    )
