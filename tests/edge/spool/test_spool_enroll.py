"""Subscriptions in the spool: numbers that stay, and the end of those that are gone."""

from callpost.edge.spool import SqliteSpool
from edge.spool.spool_on_disk import OpenSqlite, Query
from spool_nouns import NEVER, arrival, deferred, pending, settled


async def test_each_name_gets_a_number_of_its_own(spool: SqliteSpool) -> None:
    """And only the names that were asked for are answered."""
    numbers = await spool.enroll(["crm", "popup"], now=1.0)
    assert sorted(numbers) == ["crm", "popup"]
    assert len(set(numbers.values())) == 2


async def test_a_name_keeps_its_number_over_restarts(open_sqlite: OpenSqlite) -> None:
    """Whatever order the names come in."""
    async with open_sqlite() as spool:
        before = await spool.enroll(["crm", "popup"], now=1.0)
    async with open_sqlite() as spool:
        assert await spool.enroll(["popup", "crm"], now=1.0) == before


async def test_a_number_is_never_given_to_another_name(spool: SqliteSpool) -> None:
    """Not even when its subscription has gone."""
    first = await spool.enroll(["crm"], now=1.0)
    second = await spool.enroll(["popup"], now=1.0)
    assert first["crm"] != second["popup"]


async def test_what_is_pending_for_a_removed_subscription_dies(
    spool: SqliteSpool, query: Query
) -> None:
    """All of it becomes dead letters, however much it is."""
    owner = (await spool.enroll(["crm"], now=1.0))["crm"]
    await spool.append([arrival(str(n), owner) for n in range(4_500)])
    await spool.enroll([], now=7.0)
    assert spool.pending() == {}
    assert query("select reason, died_at, count(*) from dead group by 1, 2") == [
        ("subscription_removed", 7.0, 4_500)
    ]


async def test_a_removed_subscription_leaves_no_deferred_lane(spool: SqliteSpool) -> None:
    """If its name comes back, nothing is held."""
    owner = (await spool.enroll(["crm"], now=1.0))["crm"]
    await spool.append([arrival("a", owner)])
    await settled(spool, deferred(owner, pending(spool, owner)[0]))
    await spool.enroll([], now=1.0)
    assert spool.due(owner, now=NEVER, limit=9, order="call") == []


async def test_the_others_keep_what_is_pending(spool: SqliteSpool) -> None:
    """A removal touches nobody else."""
    numbers = await spool.enroll(["crm", "popup"], now=1.0)
    await spool.append([arrival("a", *numbers.values())])
    await spool.enroll(["popup"], now=1.0)
    assert spool.pending() == {numbers["popup"]: 1}


async def test_what_was_routed_before_the_removal_dies_at_once(
    spool: SqliteSpool, query: Query
) -> None:
    """An event on its way to a subscription that has gone is not lost without a word."""
    owner = (await spool.enroll(["crm"], now=1.0))["crm"]
    await spool.enroll([], now=1.0)
    await spool.append([arrival("late", owner)])
    assert spool.pending() == {}
    assert query("select seq, reason from dead") == [(1, "subscription_removed")]


async def test_a_subscription_that_comes_back_is_delivered_to(spool: SqliteSpool) -> None:
    """Its counters go on where they were."""
    owner = (await spool.enroll(["crm"], now=1.0))["crm"]
    await spool.append([arrival("a", owner)])
    await spool.enroll([], now=1.0)
    await spool.enroll(["crm"], now=1.0)
    await spool.append([arrival("b", owner)])
    assert [(one.seq, one.previous_id) for one in pending(spool, owner)] == [(2, "a")]
