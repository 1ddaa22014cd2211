"""Replay: what is queued again, as what, in which order, and when a dead letter is forgotten."""

import pytest

from callpost.edge.spool import SqliteSpool
from callpost.model.delivery import Delivery, Done
from callpost.model.limits import SpoolLimits
from callpost.model.replay import Replayed, Selection
from callpost.model.subscription import Order
from edge.spool.replaying import ALL, NOW, deliver_all, enrolled, kill_all, replay
from edge.spool.spool_on_disk import OpenSqlite
from spool_nouns import arrival, attempt, deferred, died, done, pending, settled


async def test_a_dead_letter_is_queued_as_it_was(spool: SqliteSpool) -> None:
    """Same event, seq and previous id; rounds and age begin anew, attempts go on counting."""
    [owner] = await enrolled(spool, "crm")
    await spool.append([arrival("a", owner), arrival("b", owner)])
    first, second = pending(spool, owner)
    await settled(spool, done(owner, first))
    await settled(spool, deferred(owner, second))
    await settled(spool, died(owner, pending(spool, owner)[0]))
    assert await replay(spool) == Replayed(deliveries=1, by_subscription={"crm": 1})
    [again] = pending(spool, owner)
    assert again == Delivery(
        position=second.number + 1,
        number=second.number,
        call=second.call,
        seq=2,
        previous_id="a",
        rounds=0,
        attempts=2,
        accepted_at=NOW,
        expires_at=NOW + 60.0,
        body=second.body,
    )
    assert again.is_replay


@pytest.mark.parametrize("order", ["call", "subscription"])
async def test_a_replay_comes_after_what_is_pending(spool: SqliteSpool, order: Order) -> None:
    """On the page and in the lane of its call; what comes later comes after it."""
    [owner] = await enrolled(spool, "crm")
    await spool.append([arrival(name, owner) for name in "abc"])
    first = pending(spool, owner)[0]
    await settled(spool, died(owner, first))
    await replay(spool)
    await spool.append([arrival("d", owner)])
    key = first.call if order == "call" else 0
    lane = spool.lane(owner, key, after=0, limit=9, order=order)
    page = pending(spool, owner, order=order)
    assert [[one.seq for one in rows] for rows in (page, lane)] == [[2, 3, 1, 4]] * 2


async def test_replays_keep_the_order_of_their_events(spool: SqliteSpool) -> None:
    """Over many chunks, for each subscription, in whatever order they died."""
    owners = await enrolled(spool, "crm", "popup")
    await spool.append([arrival(str(n), *owners, call=str(n % 7)) for n in range(1_300)])
    expected = []
    for owner in owners:
        numbers = [one.number for one in pending(spool, owner)]
        for delivery in reversed(pending(spool, owner)):
            spool.settle(died(owner, delivery))
        await settled(spool, died(owner, pending(spool, owner)[0]))
        expected.append(numbers)
    result = await replay(spool)
    assert [[one.number for one in pending(spool, owner)] for owner in owners] == expected
    assert result == Replayed(deliveries=2_600, by_subscription={"crm": 1_300, "popup": 1_300})


async def test_a_replay_that_is_asked_for_twice_is_queued_once(spool: SqliteSpool) -> None:
    """What is pending already is passed over, and so it is not counted."""
    [owner] = await enrolled(spool, "crm")
    await spool.append([arrival("a", owner)])
    await kill_all(spool, owner)
    await replay(spool)
    assert (await replay(spool)).deliveries == 0
    assert spool.pending_of(owner) == 1


async def test_a_dry_run_only_counts(spool: SqliteSpool) -> None:
    """The same figures, and nothing queued."""
    [owner] = await enrolled(spool, "crm")
    await spool.append([arrival("a", owner), arrival("b", owner)])
    await kill_all(spool, owner)
    counted = await replay(spool, dry_run=True)
    assert (counted.by_subscription, pending(spool, owner)) == ({"crm": 2}, [])
    assert await replay(spool) == counted


async def test_a_delivered_replay_takes_its_dead_letter_with_it(spool: SqliteSpool) -> None:
    """Only then, and nobody else's."""
    owners = await enrolled(spool, "crm", "popup")
    await spool.append([arrival("a", *owners)])
    for owner in owners:
        await kill_all(spool, owner)
    await replay(spool, Selection(subscription="crm"))
    before = spool.dead_count()
    await deliver_all(spool, owners[0])
    [left] = (await spool.records.dead(ALL, limit=9, cursor="")).deliveries
    assert (before, left.subscription) == (2, "popup")


async def test_a_replay_that_dies_again_renews_its_dead_letter(spool: SqliteSpool) -> None:
    """One letter, with the last reason and all attempts."""
    [owner] = await enrolled(spool, "crm")
    await spool.append([arrival("a", owner)])
    await kill_all(spool, owner)
    await replay(spool)
    await settled(spool, died(owner, pending(spool, owner)[0], reason="expired", died_at=6_000.0))
    [letter] = (await spool.records.dead(ALL, limit=9, cursor="")).deliveries
    assert (letter.reason, letter.attempts, letter.died_at) == (
        "expired",
        2,
        "1970-01-01T01:40:00.000Z",
    )


async def test_a_replay_that_died_is_not_delivered_afterwards(spool: SqliteSpool) -> None:
    """A late settlement of another mind leaves the dead letter where it is."""
    [owner] = await enrolled(spool, "crm")
    await spool.append([arrival("a", owner)])
    await kill_all(spool, owner)
    await replay(spool)
    [again] = pending(spool, owner)
    await settled(spool, died(owner, again))
    await settled(spool, done(owner, again))
    assert spool.dead_count() == 1


async def test_a_replay_of_what_was_delivered_may_die(spool: SqliteSpool) -> None:
    """Then it has a dead letter like any other, and is replayed from that."""
    [owner] = await enrolled(spool, "crm")
    await spool.append([arrival("a", owner)])
    await deliver_all(spool, owner)
    await replay(spool, Selection(delivered=True))
    await kill_all(spool, owner)
    await replay(spool, Selection(delivered=True))
    assert (spool.dead_count(), [one.attempts for one in pending(spool, owner)]) == (1, [2])


async def test_only_subscriptions_that_are_there_are_replayed(spool: SqliteSpool) -> None:
    """The dead letters of one that has gone stay what they are."""
    owners = await enrolled(spool, "crm", "popup")
    await spool.append([arrival("a", *owners)])
    for owner in owners:
        await kill_all(spool, owner)
    await enrolled(spool, "popup")
    assert (await replay(spool)).by_subscription == {"popup": 1}


async def test_each_kind_has_its_own_age(spool: SqliteSpool) -> None:
    """A report has one too."""
    [owner] = await enrolled(spool, "crm")
    await spool.append(
        [
            arrival("a", owner),
            arrival("b", owner, body=b'{"event":"hangup"}'),
            arrival("c", owner, body=b'{"id":"report"}'),
        ]
    )
    await kill_all(spool, owner)
    await replay(spool)
    assert [one.expires_at - NOW for one in pending(spool, owner)] == [60.0, 600.0, 900.0]


async def test_what_was_delivered_is_replayed_when_it_is_asked_for(spool: SqliteSpool) -> None:
    """With the seq and the previous id that it had, and attempts that go on counting."""
    [owner] = await enrolled(spool, "crm")
    await spool.append([arrival("a", owner), arrival("b", owner)])
    await settled(spool, deferred(owner, pending(spool, owner)[0]))
    await deliver_all(spool, owner)
    without = await replay(spool)
    await replay(spool, Selection(delivered=True))
    again = [(one.seq, one.previous_id, one.attempts) for one in pending(spool, owner)]
    assert (without.deliveries, again) == (0, [(1, "", 2), (2, "a", 1)])


async def test_what_was_delivered_and_what_died_are_replayed_in_one_order(
    spool: SqliteSpool,
) -> None:
    """By their events, over many chunks of either kind, each once."""
    [owner] = await enrolled(spool, "crm")
    for start in range(0, 5_000, 1_000):
        await spool.append([arrival(str(n), owner) for n in range(start, start + 1_000)])
    deliveries = spool.page(owner, after=0, limit=9_999, order="call").rows
    for n, (delivery, _, _) in enumerate(deliveries):
        # Long runs of either; chunks end between the attempts of one delivery.
        attempts = tuple(attempt(delivery, count) for count in (1, 2, 3))
        made = Done(subscription=owner, delivery=delivery, attempts=attempts)
        spool.settle(died(owner, delivery) if n // 700 % 2 else made)
    await settled(spool, done(owner, deliveries[0][0]))
    await replay(spool, Selection(delivered=True))
    assert [one.seq for one in pending(spool, owner)] == list(range(1, 5_001))


async def test_what_was_delivered_twice_is_replayed_once(spool: SqliteSpool) -> None:
    """The record of each attempt is kept, under a number of its own."""
    [owner] = await enrolled(spool, "crm")
    await spool.append([arrival("a", owner)])
    for _ in range(3):
        await deliver_all(spool, owner)
        counted = await replay(spool, Selection(delivered=True), dry_run=True)
        assert await replay(spool, Selection(delivered=True)) == counted
        assert counted.deliveries == 1
    assert [one.attempts for one in pending(spool, owner)] == [3]


async def test_what_is_still_pending_is_not_replayed(spool: SqliteSpool) -> None:
    """Whatever the selection."""
    [owner] = await enrolled(spool, "crm")
    await spool.append([arrival("a", owner)])
    await settled(spool, deferred(owner, pending(spool, owner)[0]))
    assert (await replay(spool, Selection(delivered=True))).deliveries == 0


async def test_a_replay_survives_a_restart(open_sqlite: OpenSqlite) -> None:
    """It is pending like any other."""
    async with open_sqlite() as spool:
        [owner] = await enrolled(spool, "crm")
        await spool.append([arrival("a", owner)])
        await kill_all(spool, owner)
        await replay(spool)
        before = pending(spool, owner)
    async with open_sqlite() as spool:
        assert (pending(spool, owner), spool.pending_of(owner)) == (before, 1)


class TestRetention:
    """Nothing is kept longer than it must."""

    @pytest.fixture
    def limits(self) -> SpoolLimits:
        """Ages that everything here has reached."""
        return SpoolLimits(retain_s=0.0, retain_dead_s=0.0)

    async def test_what_retention_has_taken_is_not_replayed(self, spool: SqliteSpool) -> None:
        """Delivered or dead, its event is gone; what is queued stays."""
        [owner] = await enrolled(spool, "crm")
        await spool.append([arrival(name, owner) for name in "abc"])
        await deliver_all(spool, owner)
        await replay(spool, Selection(event_id="b", delivered=True))
        await spool.trim(NOW)
        assert (await replay(spool, Selection(delivered=True))).deliveries == 0
        assert [one.seq for one in pending(spool, owner)] == [2]
