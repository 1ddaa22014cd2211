"""Subscriptions in the spool: numbers that stay, and the end of those that are gone."""

import sqlite3
from contextlib import closing
from pathlib import Path

from msgspec.structs import replace

from callpost.edge.spool import SqliteSpool
from callpost.edge.spool.enroll import admit
from callpost.model.delivery import NotAccepted, Standing, StandingChanged
from callpost.model.limits import SpoolLimits
from edge.spool.spool_on_disk import OpenSqlite, Query
from spool_nouns import NEVER, arrival, deferred, pending, settled


async def test_each_name_gets_a_number_of_its_own(spool: SqliteSpool) -> None:
    """And only the names that were asked for are answered."""
    enrolled = await spool.enroll(["crm", "popup"], now=1.0)
    assert sorted(enrolled) == ["crm", "popup"]
    assert len({one.number for one in enrolled.values()}) == 2


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
    assert first["crm"].number != second["popup"].number


async def test_what_is_pending_for_a_removed_subscription_dies(
    spool: SqliteSpool, query: Query
) -> None:
    """All of it becomes dead letters, however much it is."""
    owner = (await spool.enroll(["crm"], now=1.0))["crm"].number
    await spool.append([arrival(str(n), owner) for n in range(4_500)])
    await spool.enroll([], now=7.0)
    assert spool.pending() == {}
    assert query("select reason, died_at, count(*) from dead group by 1, 2") == [
        ("subscription_removed", 7.0, 4_500)
    ]


async def test_the_last_outcome_of_what_was_tried_is_kept(spool: SqliteSpool, query: Query) -> None:
    """Of what was never tried there is none."""
    owner = (await spool.enroll(["crm"], now=1.0))["crm"].number
    await spool.append([arrival("a", owner), arrival("b", owner)])
    first, _ = pending(spool, owner)
    retry = deferred(owner, first)
    await settled(spool, replace(retry, attempts=(replace(retry.attempts[0], reason="http_503"),)))
    await spool.enroll([], now=7.0)
    assert query("select attempts, last from dead order by number") == [(1, "http_503"), (0, "")]


async def test_a_removed_subscription_leaves_no_deferred_lane(spool: SqliteSpool) -> None:
    """If its name comes back, nothing is held."""
    owner = (await spool.enroll(["crm"], now=1.0))["crm"].number
    await spool.append([arrival("a", owner)])
    await settled(spool, deferred(owner, pending(spool, owner)[0]))
    await spool.enroll([], now=1.0)
    assert spool.due(owner, now=NEVER, limit=9, order="call") == []


async def test_the_others_keep_what_is_pending(spool: SqliteSpool) -> None:
    """A removal touches nobody else."""
    enrolled = await spool.enroll(["crm", "popup"], now=1.0)
    await spool.append([arrival("a", *(one.number for one in enrolled.values()))])
    await spool.enroll(["popup"], now=1.0)
    assert spool.pending() == {enrolled["popup"].number: 1}


async def test_what_was_routed_before_the_removal_dies_at_once(
    spool: SqliteSpool, query: Query
) -> None:
    """An event on its way to a subscription that has gone is not lost without a word."""
    owner = (await spool.enroll(["crm"], now=1.0))["crm"].number
    await spool.enroll([], now=1.0)
    await spool.append([arrival("late", owner)])
    assert spool.pending() == {}
    assert query("select seq, reason from dead") == [(1, "subscription_removed")]


async def test_a_subscription_that_comes_back_is_delivered_to(spool: SqliteSpool) -> None:
    """Its counters go on where they were."""
    owner = (await spool.enroll(["crm"], now=1.0))["crm"].number
    await spool.append([arrival("a", owner)])
    await spool.enroll([], now=1.0)
    await spool.enroll(["crm"], now=1.0)
    await spool.append([arrival("b", owner)])
    assert [(one.seq, one.previous_id) for one in pending(spool, owner)] == [(2, "a")]


PAUSED = Standing(paused="operator", failing_since=900.5, gone=("one", "two"))


async def test_a_new_subscription_is_in_good_standing(spool: SqliteSpool) -> None:
    """Nobody has paused it."""
    assert (await spool.enroll(["crm"], now=1.0))["crm"].standing == Standing()


async def test_a_standing_survives_restarts(open_sqlite: OpenSqlite) -> None:
    """All of it, until it changes again."""
    async with open_sqlite() as spool:
        await spool.enroll(["popup"], now=1.0)
        owner = (await spool.enroll(["popup", "crm"], now=1.0))["crm"].number
        await settled(spool, StandingChanged(subscription=owner, standing=PAUSED))
    async with open_sqlite() as spool:
        enrolled = await spool.enroll(["popup", "crm"], now=1.0)
    assert [enrolled[name].standing for name in ("popup", "crm")] == [Standing(), PAUSED]


async def test_a_subscription_that_comes_back_begins_in_good_standing(spool: SqliteSpool) -> None:
    """Who removed it has seen to what was wrong."""
    owner = (await spool.enroll(["crm"], now=1.0))["crm"].number
    await settled(spool, StandingChanged(subscription=owner, standing=PAUSED))
    await spool.enroll([], now=1.0)
    assert (await spool.enroll(["crm"], now=1.0))["crm"].standing == Standing()


async def test_a_standing_that_comes_after_the_removal_is_not_kept(spool: SqliteSpool) -> None:
    """A courier on its way out may still have something to say."""
    owner = (await spool.enroll(["crm"], now=1.0))["crm"].number
    await spool.enroll([], now=1.0)
    await settled(spool, StandingChanged(subscription=owner, standing=PAUSED))
    assert (await spool.enroll(["crm"], now=1.0))["crm"].standing == Standing()


async def served(spool: SqliteSpool, *names: str) -> dict[str, int]:
    """Serve these while the spool runs, as a reload does; returns their numbers."""
    numbers = {name: one.number for name, one in (await spool.admit(names)).items()}
    spool.serve({number: name for name, number in numbers.items()})
    return numbers


async def test_who_is_admitted_while_it_runs_keeps_its_number(open_sqlite: OpenSqlite) -> None:
    """For ever, as those of a start."""
    async with open_sqlite() as spool:
        await spool.enroll(["crm"], now=1.0)
        numbers = await served(spool, "popup", "crm")
    async with open_sqlite() as spool:
        enrolled = await spool.enroll(["crm", "popup"], now=1.0)
    assert {name: one.number for name, one in enrolled.items()} == numbers


def test_to_admit_one_costs_nothing_for_those_that_have_gone(tmp_path: Path) -> None:
    """Clients may have made and taken away a million; it holds up the loop."""
    steps: list[None] = []
    with closing(sqlite3.connect(tmp_path / "spool.db")) as connection:
        connection.execute(
            "create table subscriptions (id integer primary key, name text unique, state text)"
        )
        gone = [(f"api.gone.{number:08x}", "") for number in range(10_000)]
        connection.executemany("insert into subscriptions (name, state) values (?, ?)", gone)
        connection.execute("insert into subscriptions (name, state) values ('crm', '')")
        connection.set_progress_handler(lambda: steps.append(None), 10)
        assert sorted(admit(connection, ["crm", "popup"])) == ["crm", "popup"]
    assert len(steps) < 100


async def test_to_admit_some_ends_nobody_else(spool: SqliteSpool) -> None:
    """Who goes is settled by what is served after it."""
    owner = (await spool.enroll(["crm"], now=1.0))["crm"].number
    await spool.admit(["popup"])
    await spool.append([arrival("a", owner)])
    assert len(pending(spool, owner)) == 1


async def test_what_comes_for_one_that_is_not_served_any_more_dies_at_once(
    spool: SqliteSpool, query: Query
) -> None:
    """It was routed just before."""
    owner = (await spool.enroll(["crm"], now=1.0))["crm"].number
    await served(spool)
    await spool.append([arrival("late", owner)])
    assert query("select seq, reason from dead") == [(1, "subscription_removed")]


async def test_books_are_closed_a_chunk_at_a_time(spool: SqliteSpool, query: Query) -> None:
    """So that others are written between them; the last one says that there is no more."""
    owner = (await spool.enroll(["crm"], now=1.0))["crm"].number
    await spool.append([arrival(str(n), owner) for n in range(4_500)])
    await served(spool)
    died = [await spool.bury(owner, now=7.0) for _ in range(4)]
    assert died == [2_000, 2_000, 500, 0]
    assert spool.pending_of(owner) == 0
    assert query("select count(*) from dead where reason = 'subscription_removed'") == [(4_500,)]


async def test_the_books_of_one_that_is_served_stay_open(spool: SqliteSpool) -> None:
    """It has come back before they could be closed."""
    owner = (await spool.enroll(["crm"], now=1.0))["crm"].number
    await spool.append([arrival("a", owner)])
    await served(spool)
    await served(spool, "crm")
    assert (await spool.bury(owner, now=7.0), len(pending(spool, owner))) == (0, 1)


async def test_with_the_books_its_standing_ends(spool: SqliteSpool) -> None:
    """If the name comes back nobody has paused it."""
    owner = (await spool.enroll(["crm"], now=1.0))["crm"].number
    await settled(spool, StandingChanged(subscription=owner, standing=PAUSED))
    await served(spool)
    await spool.bury(owner, now=7.0)
    assert (await spool.admit(["crm"]))["crm"].standing == Standing()


async def test_other_limits_hold_at_once(spool: SqliteSpool) -> None:
    """Less room than is used means that events are refused."""
    owner = (await spool.enroll(["crm"], now=1.0))["crm"].number
    spool.obey(SpoolLimits(max_bytes=1))
    [receipt] = await spool.append([arrival("a", owner)])
    assert isinstance(receipt, NotAccepted)
