"""Reading the spool: pages and lanes over restarts, changes of order and replays."""

from callpost.edge.spool import SqliteSpool
from callpost.model.delivery import Delivery
from edge.spool.spool_on_disk import OpenSqlite, Query
from spool_nouns import NEVER, arrival, blocked, deferred, done, pending, released, settled


async def test_what_was_pending_is_there_after_a_restart(open_sqlite: OpenSqlite) -> None:
    """From the cursor 0 all of it comes, in order, with the counts it had."""
    async with open_sqlite() as spool:
        await spool.append([arrival(name, 1, call=name) for name in "abc"])
        first, second, _ = pending(spool, 1)
        await settled(spool, done(1, first))
        await settled(spool, deferred(1, second))
        before = pending(spool, 1)
    async with open_sqlite() as spool:
        assert pending(spool, 1) == before


async def test_what_was_blocked_is_blocked_after_a_restart(open_sqlite: OpenSqlite) -> None:
    """The row of a deferred lane is all the state there is."""
    async with open_sqlite() as spool:
        await spool.append([arrival(name, 1, call=name) for name in "ab"])
        await settled(spool, deferred(1, pending(spool, 1)[0]))
    async with open_sqlite() as spool:
        assert blocked(spool, 1) == [True, False]


async def test_a_page_counts_blocked_rows_too(spool: SqliteSpool) -> None:
    """Its limit bounds the rows read, so that ten thousand blocked ones cost no more."""
    await spool.append([arrival(str(n), 1) for n in range(9)])
    await settled(spool, deferred(1, pending(spool, 1)[0]))
    page = spool.page(1, after=0, limit=4, order="call")
    assert (len(page.rows), page.full) == (4, True)


async def test_lanes_deferred_one_by_one_come_due_as_calls(spool: SqliteSpool) -> None:
    """After a change from `none` to `call` a call with several rows is named once."""
    await spool.append([arrival("a", 1), arrival("b", 1)])
    for delivery in pending(spool, 1):
        await settled(spool, deferred(1, delivery, order="none"))
    call = pending(spool, 1)[0].call
    assert spool.due(1, now=NEVER, limit=9, order="call") == [call]


async def test_a_lane_has_what_lies_before_its_deferred_row(spool: SqliteSpool) -> None:
    """After a change from `none` to `call` the lane begins with its first pending delivery."""
    await spool.append([arrival("a", 1), arrival("b", 1)])
    first, second = pending(spool, 1)
    await settled(spool, deferred(1, second, order="none"))
    assert spool.lane(1, first.call, after=0, limit=9, order="call") == pending(spool, 1)


async def test_deferring_a_call_replaces_the_rows_of_another_order(
    spool: SqliteSpool, query: Query
) -> None:
    """One row is left of those that `none` had made."""
    await spool.append([arrival("a", 1), arrival("b", 1)])
    for delivery in pending(spool, 1):
        await settled(spool, deferred(1, delivery, order="none"))
    await settled(spool, deferred(1, pending(spool, 1)[0], order="call"))
    assert query("select count(*) from deferred") == [(1,)]


async def test_rows_of_another_order_hide_no_other_call(spool: SqliteSpool) -> None:
    """Of three rows two are of one call: two calls are due, and two are asked for."""
    await spool.append([arrival(name, 1, call=call) for name, call in ("1a", "2a", "3b")])
    pages = pending(spool, 1)
    for delivery in pages:
        await settled(spool, deferred(1, delivery, order="none"))
    calls = [pages[0].call, pages[2].call]
    assert spool.due(1, now=NEVER, limit=2, order="call") == calls


async def test_calls_deferred_one_by_one_block_a_subscription_in_order(spool: SqliteSpool) -> None:
    """After a change from `call` to `subscription` any row holds everything back."""
    await spool.append([arrival(name, 1, call=name) for name in "ab"])
    await settled(spool, deferred(1, pending(spool, 1)[0], order="call"))
    assert blocked(spool, 1, order="subscription") == [True, True]
    assert spool.due(1, now=NEVER, limit=9, order="subscription") == [0]


async def test_a_replay_goes_after_what_is_pending_of_its_call(
    spool: SqliteSpool, query: Query
) -> None:
    """It stands at the tail of the page and of its lane, and its age counts from the replay."""
    head = await _replayed(spool, query)
    assert [one.seq for one in pending(spool, 1)] == [2, 1]
    lane = spool.lane(1, head.call, after=0, limit=9, order="call")
    assert [(one.seq, one.accepted_at) for one in lane] == [(2, 1_000.0), (1, 5_000.0)]


async def test_a_pending_replay_keeps_its_lane_closed(spool: SqliteSpool, query: Query) -> None:
    """A release finds replays too, though their events are long past."""
    await _replayed(spool, query)
    second, _ = pending(spool, 1)
    await settled(spool, done(1, second))
    assert not await settled(spool, released(1, second))


async def test_the_newest_stamp_is_the_largest(spool: SqliteSpool) -> None:
    """It does not matter in which order events came, and an empty spool has 0."""
    empty = spool.newest_stamp()
    await spool.append([arrival("a", at=3_000.0), arrival("b", at=2_999.0)])
    assert (empty, spool.newest_stamp()) == (0.0, 3_000.0)


async def test_pending_counts_by_subscription(spool: SqliteSpool) -> None:
    """A subscription without pending deliveries is not there."""
    await spool.append([arrival("a", 1, 3), arrival("b", 3)])
    assert spool.pending() == {1: 1, 3: 2}


async def test_reads_leave_no_snapshot_open(spool: SqliteSpool, query: Query) -> None:
    """After reading, the whole write-ahead log can be brought into the database."""
    await spool.append([arrival(str(n), 1) for n in range(9)])
    spool.page(1, after=0, limit=3, order="call")
    spool.lane(1, 1, after=0, limit=1, order="call")
    spool.due(1, now=NEVER, limit=1, order="call")
    [(busy, *_)] = query("pragma wal_checkpoint(truncate)")
    assert busy == 0


async def _replayed(spool: SqliteSpool, query: Query) -> Delivery:
    """Two events of one call are pending; the first is delivered, then replayed."""
    await spool.append([arrival("a", 1), arrival("b", 1)])
    head = pending(spool, 1)[0]
    await settled(spool, done(1, head))
    query(
        "insert into deliveries values (1, 1000, ?, ?, 1, '', 0, 1, ?, 5000.0)",
        head.number,
        head.call,
        NEVER,
    )
    return head


async def test_one_look_for_the_expired_holds_so_many_bodies_only(spool: SqliteSpool) -> None:
    """Where more have expired it ends early, and the next one goes on there."""
    await spool.append([arrival(str(n), 1, expires_at=50.0) for n in range(1_100)])
    first, after = spool.expired(1, after=0, scan=5_000, now=60.0)
    rest, end = spool.expired(1, after=after, scan=5_000, now=60.0)
    assert (len(first), [*first, *rest], end) == (1_000, pending(spool, 1), 0)
