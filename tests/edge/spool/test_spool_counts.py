"""What the spool says of its queues in figures, and for how long a commit has been out."""

import threading

import pytest
import trio

from callpost.edge.spool import SqliteSpool
from callpost.edge.spool.commit import CommitThread
from spool_nouns import arrival, died, done, pending, settled


@pytest.fixture
async def owners(spool: SqliteSpool) -> list[int]:
    """The numbers of two subscriptions."""
    enrolled = await spool.enroll(["crm", "popup"], now=1.0)
    return [one.number for one in enrolled.values()]


async def test_the_oldest_is_the_first_in_the_queue(spool: SqliteSpool, owners: list[int]) -> None:
    """Each subscription has its own."""
    crm, popup = owners
    await spool.append([arrival("a", crm, at=10.0), arrival("b", crm, popup, at=20.0)])
    assert [spool.counts.oldest_at(one) for one in owners] == [10.0, 20.0]


async def test_what_was_delivered_is_not_the_oldest(spool: SqliteSpool, owners: list[int]) -> None:
    """The next one is."""
    crm, _ = owners
    await spool.append([arrival("a", crm, at=10.0), arrival("b", crm, at=20.0)])
    await settled(spool, done(crm, pending(spool, crm)[0]))
    assert spool.counts.oldest_at(crm) == 20.0


async def test_an_empty_queue_has_no_oldest(spool: SqliteSpool, owners: list[int]) -> None:
    """None is not 0."""
    assert spool.counts.oldest_at(owners[0]) is None


async def test_dead_letters_are_counted_by_subscription(
    spool: SqliteSpool, owners: list[int]
) -> None:
    """Those that have none are left out."""
    crm, _ = owners
    await spool.append([arrival("a", crm), arrival("b", crm)])
    for delivery in pending(spool, crm):
        await settled(spool, died(crm, delivery))
    assert await spool.counts.dead_by_subscription() == {crm: 2}


async def test_a_commit_that_has_come_back_is_not_out(
    spool: SqliteSpool, owners: list[int]
) -> None:
    """Nothing waits for the disk."""
    await spool.append([arrival("a", owners[0])])
    assert spool.counts.commit_out_s == 0.0


async def test_a_commit_that_hangs_is_out_longer_and_longer() -> None:
    """It is seen from the loop, which is free meanwhile."""
    hanging, over = trio.Event(), threading.Event()
    token = trio.lowlevel.current_trio_token()

    def hang() -> None:
        token.run_sync_soon(hanging.set)
        over.wait(timeout=10)

    with CommitThread() as thread:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(thread.run, hang)
            await hanging.wait()
            first = thread.out_s
            await trio.sleep(0.01)
            second = thread.out_s
            over.set()
    assert 0 <= first < second
