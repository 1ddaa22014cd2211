"""Retention: what goes, what stays, and what makes room when the spool is nearly full."""

from pathlib import Path

import pytest
import trio
import trio.testing

from callpost.edge.spool import SqliteSpool
from callpost.model.delivery import Accepted
from callpost.model.limits import CALL_KEPT_S, MIB, SpoolLimits
from edge.spool.spool_on_disk import OpenSqlite, Query
from spool_nouns import NEVER, arrival, died, done, pending, settled

RETAIN_S = 100.0
RETAIN_DEAD_S = 1_000.0


@pytest.fixture
def limits() -> SpoolLimits:
    """Short ages; all times in these tests are arguments."""
    return SpoolLimits(retain_s=RETAIN_S, retain_dead_s=RETAIN_DEAD_S)


def ids(query: Query) -> str:
    """The ids of the events that are there."""
    return "".join(str(name) for (name,) in query("select id from events order by number"))


async def test_delivered_events_go_when_they_are_old(spool: SqliteSpool, query: Query) -> None:
    """Those that are younger than `retain` stay."""
    await spool.append([arrival("a", at=10.0), arrival("b", at=20.0), arrival("c", at=30.0)])
    trimmed = await spool.trim(RETAIN_S + 20.0)
    assert (trimmed.events, ids(query)) == (1, "bc")


async def test_a_gap_in_the_numbers_is_not_counted_through(
    spool: SqliteSpool, query: Query
) -> None:
    """A salvage leaves one, or a replay of very many: nothing lies there."""
    await spool.append([arrival("a", at=10.0)])
    query("update events set number = number + 1000000000000")
    query("insert into events select 1, 'b', scope, call, 0, accepted_at, body from events")
    trimmed = await spool.trim(RETAIN_S + 20.0)
    assert (trimmed.events, ids(query)) == (2, "")


async def test_a_pending_event_stays_however_old(spool: SqliteSpool, query: Query) -> None:
    """It is the only copy of what is still to be delivered."""
    await spool.append(
        [arrival(name, *owners) for name, owners in zip("abc", ([], [7], []), strict=True)]
    )
    await spool.trim(NEVER)
    assert ids(query) == "b"


async def test_an_event_of_a_dead_letter_stays_as_long_as_that(
    spool: SqliteSpool, query: Query
) -> None:
    """It goes with its dead letter, after `retain_dead`."""
    await spool.append([arrival("a", 1)])
    await settled(spool, died(1, pending(spool, 1)[0]))
    await spool.trim(1_001.0 + RETAIN_DEAD_S)
    before = ids(query)
    await spool.trim(1_002.0 + RETAIN_DEAD_S)
    assert (before, ids(query), spool.dead_count()) == ("a", "", 0)


async def test_a_replayed_event_stays(spool: SqliteSpool, query: Query) -> None:
    """Though its position is not its number."""
    await spool.append([arrival("a", 1), arrival("b")])
    [delivery] = pending(spool, 1)
    await settled(spool, done(1, delivery))
    query(
        "insert into deliveries values (1, 1000, ?, ?, 1, '', 0, 1, ?, 5000.0)",
        delivery.number,
        delivery.call,
        NEVER,
    )
    await spool.trim(NEVER)
    assert ids(query) == "a"


async def test_attempts_go_with_their_event(spool: SqliteSpool, query: Query) -> None:
    """Those of the events that stay, stay."""
    await spool.append([arrival("a", 1, at=10.0), arrival("b", 1, at=2_000.0)])
    for delivery in pending(spool, 1):
        await settled(spool, done(1, delivery))
    await spool.trim(1_000.0)
    assert query("select e.id from attempts a join events e on e.number = a.number") == [("b",)]
    assert query("select count(*) from attempts") == [(1,)]


async def test_more_than_one_turn_holds_goes_in_one_pass(spool: SqliteSpool, query: Query) -> None:
    """Pending events in between are passed over."""
    for start in range(0, 5_000, 500):
        await spool.append(
            [arrival(str(n), *([1] if n % 7 == 0 else [])) for n in range(start, start + 500)]
        )
    trimmed = await spool.trim(NEVER)
    assert trimmed.events == 5_000 - len(range(0, 5_000, 7))
    assert query("select count(*) from events") == [(len(range(0, 5_000, 7)),)]


async def test_events_of_many_subscriptions_go_too(spool: SqliteSpool, query: Query) -> None:
    """Their attempts are more rows than a turn deletes."""
    owners = range(1, 101)
    await spool.append([arrival(str(n), *owners, call=str(n)) for n in range(100)])
    deliveries = [(owner, one) for owner in owners for one in pending(spool, owner)]
    for owner, delivery in deliveries[:-1]:
        spool.settle(done(owner, delivery))
    await settled(spool, done(*deliveries[-1]))
    await spool.trim(NEVER)
    counts = "select (select count(*) from attempts), (select count(*) from counters)"
    assert query(counts) == [(0, 0)]


async def test_a_call_keeps_its_counters_for_a_week(spool: SqliteSpool) -> None:
    """An event that comes late goes on counting."""
    await spool.append([arrival("a", 1, at=10.0)])
    await settled(spool, done(1, pending(spool, 1)[0]))
    await spool.trim(CALL_KEPT_S + 10.0)
    await spool.append([arrival("b", 1)])
    assert [(one.seq, one.previous_id) for one in pending(spool, 1)] == [(2, "a")]


async def test_a_call_is_forgotten_after_a_week(spool: SqliteSpool, query: Query) -> None:
    """Call and counters go, and an event of the same name begins a call anew."""
    await spool.append([arrival("a", 1, at=10.0)])
    await settled(spool, done(1, pending(spool, 1)[0]))
    trimmed = await spool.trim(CALL_KEPT_S + 11.0)
    assert (trimmed.calls, query("select count(*) from counters")) == (1, [(0,)])
    await spool.append([arrival("b", 1)])
    assert [one.seq for one in pending(spool, 1)] == [1]


async def test_the_week_counts_from_the_last_event(spool: SqliteSpool) -> None:
    """A call that began long ago is alive as long as it speaks."""
    await spool.append([arrival("a", at=10.0), arrival("b", at=5_000.0)])
    trimmed = await spool.trim(CALL_KEPT_S + 1_000.0)
    assert (trimmed.events, trimmed.calls) == (2, 0)


async def test_a_call_with_events_stays(spool: SqliteSpool) -> None:
    """However old they are."""
    await spool.append([arrival("a", 1, at=10.0)])
    assert (await spool.trim(NEVER)).calls == 0


async def test_a_pass_is_told_in_the_log(
    spool: SqliteSpool, log_lines: list[dict[str, object]]
) -> None:
    """With counts; a pass that took nothing is not."""
    await spool.append([arrival("a")])
    await spool.trim(NEVER / 2)
    await spool.trim(NEVER / 2)
    assert log_lines == [
        {"level": "debug", "event": "spool.trimmed", "events": 1, "dead": 0, "calls": 1}
    ]


async def test_space_is_given_back(spool: SqliteSpool, directory: Path) -> None:
    """After a flood the file shrinks to what is kept for the next."""
    body = b"x" * 60_000
    for n in range(20):
        await spool.append([arrival(f"{n}-{m}", body=body) for m in range(25)])
    before = spool.used_bytes()
    await spool.trim(NEVER)
    after = await trio.Path(directory / "spool.db").stat()
    assert before > 30 * MIB
    assert after.st_size < 20 * MIB


class TestNearlyFull:
    """A spool of 2 MiB."""

    @pytest.fixture
    def limits(self) -> SpoolLimits:
        """Ages that nothing here reaches."""
        return SpoolLimits(max_bytes=2 * MIB)

    async def test_delivered_events_go_before_their_time(self, spool: SqliteSpool) -> None:
        """The oldest first, and no more than needed."""
        count = await _fill(spool)
        trimmed = await spool.trim(1_000.0)
        assert not trimmed.tight
        assert 0 < trimmed.events <= count

    async def test_dead_letters_go_next(self, spool: SqliteSpool) -> None:
        """When no delivered event is left, the oldest dead letters and their events do."""
        await _fill(spool, 1)
        for delivery in pending(spool, 1):
            await settled(spool, died(1, delivery))
        await spool.trim(1_000.0)
        assert spool.dead_count() == 0

    async def test_nothing_pending_goes(self, spool: SqliteSpool) -> None:
        """Then the spool stays tight, and says so."""
        count = await _fill(spool, 1)
        trimmed = await spool.trim(1_000.0)
        assert (trimmed.tight, trimmed.events, len(pending(spool, 1))) == (True, 0, count)

    async def test_a_keeper_lets_events_in_for_ever(self, open_sqlite: OpenSqlite) -> None:
        """Though its interval is an hour: a tight spool calls it at once."""
        async with open_sqlite() as spool, trio.open_nursery() as nursery:
            nursery.start_soon(lambda: spool.keep(now=lambda: 1_000.0, interval_s=3_600.0))
            accepted = 0
            while accepted < 100:
                [receipt] = await spool.append([arrival(f"{accepted}", body=b"x" * 60_000)])
                accepted += isinstance(receipt, Accepted)
            spool.finish()


async def test_keeping_ends_with_the_spool(spool: SqliteSpool) -> None:
    """`finish` ends the rounds too."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(lambda: spool.keep(now=lambda: 1_000.0))
        await trio.testing.wait_all_tasks_blocked()
        spool.finish()


async def test_keeping_goes_round_again_and_again(
    spool: SqliteSpool, log_lines: list[dict[str, object]]
) -> None:
    """A pass after each interval, with the time it then is."""
    times = iter([5_000.0, 1e9])
    ended = trio.Event()

    def now() -> float:
        at = next(times, None)
        if at is None:
            ended.set()
        return at or 0.0

    await spool.append([arrival("a", at=4_950.0)])
    async with trio.open_nursery() as nursery:
        nursery.start_soon(lambda: spool.keep(now=now, interval_s=0.01))
        await ended.wait()
        nursery.cancel_scope.cancel()
    assert [line["events"] for line in log_lines if line["event"] == "spool.trimmed"] == [1]


async def _fill(spool: SqliteSpool, *owners: int) -> int:
    """Append events of 60,000 bytes, of calls of their own, until little room is left."""
    count = 0
    while spool.used_bytes() < 1.9 * MIB:
        await spool.append([arrival(str(count), *owners, call=str(count), body=b"x" * 60_000)])
        count += 1
    return count
