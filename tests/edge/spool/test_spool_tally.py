"""The count of what is pending, against the real one."""

import random
from collections.abc import Callable

import pytest

from callpost.edge.spool import SqliteSpool
from callpost.model.replay import Selection
from edge.spool.spool_on_disk import OpenSqlite
from spool_nouns import NEVER, arrival, deferred, died, done, pending, settled

NAMES = ("crm", "popup", "wall")


@pytest.mark.parametrize("seed", range(3))
async def test_the_count_is_the_real_one_after_any_sequence(
    open_sqlite: OpenSqlite, seed: int
) -> None:
    """Appends, endings, repeats, replays, removals and restarts in any order."""
    dice = random.Random(f"tally-{seed}")
    for restart in range(4):
        async with open_sqlite() as spool:
            known = await spool.enroll(NAMES, now=1.0)
            owners = [one.number for one in known.values()]
            for step in range(25):
                await _step(spool, owners, dice, f"{restart}-{step}")
                counted = {owner: spool.pending_of(owner) for owner in owners}
                assert {owner: n for owner, n in counted.items() if n} == spool.pending()


async def _step(spool: SqliteSpool, owners: list[int], dice: random.Random, name: str) -> None:
    owner = dice.choice(owners)
    waiting = pending(spool, owner)
    report = arrival(f"report-{name}", *dice.sample(owners, 2)) if dice.random() < 0.3 else None
    choice = dice.choice(["append", "append", "done", "died", "deferred", "replay", "removal"])
    if choice == "append" or (choice in {"done", "died", "deferred"} and not waiting):
        await spool.append([arrival(name, *dice.sample(owners, 2)), arrival("again", *owners)])
    elif choice == "done":
        for one in (waiting[0], waiting[0], waiting[-1]):
            await settled(spool, done(owner, one, report=report))
    elif choice == "died":
        for one in (waiting[0], waiting[0]):
            await settled(spool, died(owner, one, report=report))
    elif choice == "deferred":
        await settled(spool, deferred(owner, waiting[0]))
    elif choice == "replay":
        selection = Selection(delivered=dice.random() < 0.5)
        await spool.replay(selection, now=2_000.0, max_age_s=lambda _, __: NEVER)
    else:
        await spool.enroll(dice.sample(NAMES, 2), now=3.0)
        await spool.enroll(NAMES, now=3.0)


async def test_what_was_not_written_is_not_counted(
    spool: SqliteSpool, let_files_grow_to: Callable[[int], None]
) -> None:
    """A refused event, and a settlement that had to wait."""
    await spool.append([arrival("a", 1)])
    let_files_grow_to(1)
    spool.settle(done(1, pending(spool, 1)[0]))
    await spool.append([arrival("b", 1), arrival("c", 1)])
    before = spool.pending_of(1)
    let_files_grow_to(0)
    await spool.append([arrival("d", 1)])
    assert (before, spool.pending_of(1)) == (1, 1)
