"""Settling: what stays of a delivery, when it is written, and who is gone for good."""

import random

import pytest

from callpost.edge.spool import SqliteSpool
from callpost.model.delivery import Delivery, Released
from callpost.model.subscription import Order
from edge.spool.spool_on_disk import OpenSqlite, Query
from spool_nouns import (
    NEVER,
    arrival,
    attempt,
    blocked,
    deferred,
    died,
    done,
    key_of,
    pending,
    settled,
)


async def test_an_attempt_is_kept_with_the_settlement(spool: SqliteSpool, query: Query) -> None:
    """Its subscription is the settlement's."""
    await spool.append([arrival("a", 7)])
    [delivery] = pending(spool, 7)
    await settled(spool, done(7, delivery))
    assert query("select * from attempts") == [
        (delivery.number, 7, 1, 1_001.0, "primary", "delivered", "", 200, 1.5, 1, "")
    ]


async def test_a_dead_letter_is_all_that_the_delivery_was(spool: SqliteSpool, query: Query) -> None:
    """Number, call, seq, the one before it, why, when, and how often it was tried."""
    await spool.append([arrival("a", 1), arrival("b", 1)])
    _, second = pending(spool, 1)
    await settled(spool, died(1, second))
    assert query("select * from dead") == [
        (second.number, 1, second.call, 2, "a", "rejected", 0, 1, 1_001.0, "http:400")
    ]


async def test_dead_letters_are_counted(spool: SqliteSpool) -> None:
    """One for each subscription that did not get the event."""
    await spool.append([arrival("a", 1, 2)])
    for owner in (1, 2):
        await settled(spool, died(owner, pending(spool, owner)[0]))
    assert spool.dead_count() == 2


async def test_what_was_delivered_does_not_die_afterwards(spool: SqliteSpool) -> None:
    """A second settlement of another mind changes nothing."""
    await spool.append([arrival("a", 1)])
    [delivery] = pending(spool, 1)
    await settled(spool, done(1, delivery))
    await settled(spool, died(1, delivery))
    assert spool.dead_count() == 0


async def test_a_delivered_replay_takes_its_dead_letter_with_it(
    spool: SqliteSpool, query: Query
) -> None:
    """The dead letter goes in the transaction that settles the replay."""
    await spool.append([arrival("a", 1)])
    [delivery] = pending(spool, 1)
    await settled(spool, died(1, delivery))
    query(
        "insert into deliveries values (1, 1000, ?, ?, 1, '', 0, 1, ?, 5000.0)",
        delivery.number,
        delivery.call,
        NEVER,
    )
    await settled(spool, done(1, pending(spool, 1)[0]))
    assert spool.dead_count() == 0


async def test_a_bare_done_rides_with_the_next_append(spool: SqliteSpool) -> None:
    """Outcome and append share one commit."""
    await spool.append([arrival("a", 1)])
    commits = spool.counts.commits
    spool.settle(done(1, pending(spool, 1)[0]))
    await spool.append([arrival("b")])
    assert (spool.counts.commits - commits, spool.pending()) == (1, {})


async def test_many_outcomes_share_few_commits(spool: SqliteSpool) -> None:
    """A thousand deliveries do not cost a thousand commits."""
    await spool.append([arrival(str(n), 1) for n in range(1_000)])
    commits = spool.counts.commits
    deliveries = pending(spool, 1)
    for delivery in deliveries[1:]:
        spool.settle(done(1, delivery))
    await settled(spool, done(1, deliveries[0]))
    assert spool.counts.commits - commits <= 3


async def test_what_is_settled_at_the_end_is_written(open_sqlite: OpenSqlite) -> None:
    """A bare `Done` does not wait for its 20 ms once the spool finishes."""
    async with open_sqlite() as spool:
        await spool.append([arrival("a", 1)])
        spool.settle(done(1, pending(spool, 1)[0]))
    async with open_sqlite() as spool:
        assert spool.pending() == {}


class Expected:
    """What one subscription should find, kept in dicts."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self.rows: dict[int, Delivery] = {}
        # A lane's key: the position of its head and when it is due.
        self.lanes: dict[int, float] = {}

    def lane(self, key: int) -> list[Delivery]:
        """The lane's deliveries in order."""
        return [one for _, one in sorted(self.rows.items()) if key_of(one, self.order) == key]

    def blocked(self) -> list[bool]:
        """Which deliveries a deferred lane holds back, in order."""
        return [key_of(one, self.order) in self.lanes for _, one in sorted(self.rows.items())]


@pytest.mark.parametrize("order", ["call", "none", "subscription"])
async def test_any_sequence_of_settlements_and_restarts_leaves_what_it_should(
    open_sqlite: OpenSqlite, order: Order
) -> None:
    """A hundred random steps, now and then a restart, against a model of dicts."""
    dice = random.Random(f"spool-{order}")
    expected = Expected(order)
    for restart in range(4):
        async with open_sqlite() as spool:
            for step in range(25):
                await _step(spool, expected, dice, f"{restart}-{step}")
                assert [one.body for one in pending(spool, 1, order=order)] == [
                    one.body for _, one in sorted(expected.rows.items())
                ]
                assert blocked(spool, 1, order=order) == expected.blocked()
                due = [key for _, key in sorted((at, key) for key, at in expected.lanes.items())]
                assert spool.due(1, now=NEVER, limit=99, order=order) == due
                for key in due:
                    assert spool.lane(1, key, after=0, limit=99, order=order) == pending_of(
                        spool, expected, key
                    )


def pending_of(spool: SqliteSpool, expected: Expected, key: int) -> list[Delivery]:
    """The lane as the page has it."""
    everything = pending(spool, 1, order=expected.order)
    positions = {one.position for one in expected.lane(key)}
    return [one for one in everything if one.position in positions]


async def _step(spool: SqliteSpool, expected: Expected, dice: random.Random, name: str) -> None:
    choice = dice.choice(["append", "append", "done", "died", "deferred", "released"])
    heads = [lane[0] for key in _keys(expected) if (lane := expected.lane(key))]
    if choice == "append" or not heads:
        call = dice.choice("xyz")
        await spool.append([arrival(name, 1, call=call, body=name.encode())])
        newest = pending(spool, 1, order=expected.order)[-1]
        expected.rows[newest.position] = newest
        return
    head = dice.choice(heads)
    key = key_of(head, expected.order)
    if choice == "done":
        await settled(spool, done(1, head))
        del expected.rows[head.position]
    elif choice == "died":
        await settled(spool, died(1, head))
        del expected.rows[head.position]
    elif choice == "deferred":
        due_at = dice.random() * 1_000
        await settled(spool, deferred(1, head, due_at=due_at, order=expected.order))
        expected.lanes[key] = due_at
    else:
        key = dice.choice([*expected.lanes, key])
        empty = not expected.lane(key)
        settlement = Released(subscription=1, order=expected.order, key=key)
        assert await settled(spool, settlement) == empty
        if empty:
            expected.lanes.pop(key, None)


def _keys(expected: Expected) -> list[int]:
    return sorted({key_of(one, expected.order) for one in expected.rows.values()})


async def test_attempts_of_a_deferred_delivery_are_all_kept(
    spool: SqliteSpool, query: Query
) -> None:
    """Each settlement adds those it brings."""
    await spool.append([arrival("a", 1)])
    for _ in range(3):
        await settled(spool, deferred(1, pending(spool, 1)[0]))
    [delivery] = pending(spool, 1)
    assert query("select attempt from attempts order by attempt") == [(1,), (2,), (3,)]
    assert attempt(delivery).number == delivery.number
