"""Appending to the spool on SQLite: the contract, receipts, group commit, cancellation."""

import itertools
import random
from collections.abc import Iterator

import pytest
import trio
import trio.testing

from callpost.edge.spool import SqliteSpool
from callpost.model.delivery import Accepted, Arrival, NotAccepted
from contracts import SpoolContract
from edge.spool.spool_on_disk import OpenSqlite, Query
from spool_nouns import OpenSpool, arrival, pending


class TestSqliteSpool(SpoolContract):
    """The contract, on real files."""

    @pytest.fixture
    def open_spool(self, open_sqlite: OpenSpool) -> OpenSpool:
        """Return the factory of spools in a temporary directory."""
        return open_sqlite


async def test_a_receipt_comes_only_after_the_commit(spool: SqliteSpool, query: Query) -> None:
    """Whoever has a receipt finds the event in the database over any other connection."""
    [receipt] = await spool.append([arrival("a", 1)])
    assert isinstance(receipt, Accepted)
    assert query("select id from events where number = ?", receipt.number) == [("a",)]


async def test_concurrent_appends_share_commits(spool: SqliteSpool) -> None:
    """What comes while a commit is out goes with the next one: two for a hundred producers."""
    before = spool.counts.commits
    async with trio.open_nursery() as nursery:
        for n in range(100):
            nursery.start_soon(spool.append, [arrival(str(n), 1)])
    assert spool.counts.commits - before <= 3


async def test_an_append_is_never_divided(spool: SqliteSpool) -> None:
    """Even more rows than a batch has are written in one transaction."""
    before = spool.counts.commits
    await spool.append([arrival(str(n), 1, 2, 3) for n in range(1_000)])
    assert spool.counts.commits - before == 1


async def test_appends_beyond_a_batch_all_get_their_receipts(spool: SqliteSpool) -> None:
    """What does not fit into one commit goes with the next."""
    async with trio.open_nursery() as nursery:
        for n in range(20):
            nursery.start_soon(spool.append, [arrival(f"{n}-{m}", 1) for m in range(100)])
    assert spool.pending() == {1: 2_000}


async def test_an_append_of_nothing_returns_at_once(spool: SqliteSpool) -> None:
    """No arrivals, no receipts, no commit."""
    assert (await spool.append([]), spool.counts.commits) == ([], 0)


async def test_an_abandoned_append_is_stored_whole_or_not_at_all(spool: SqliteSpool) -> None:
    """A producer that leaves while its append waits leaves no half of it behind."""
    with trio.CancelScope() as scope:
        scope.cancel()
        await spool.append([arrival(str(n), 1) for n in range(3)])
    await spool.append([arrival("after", 1)])
    assert len(pending(spool, 1)) in {1, 4}


async def test_an_append_after_the_end_is_refused(open_sqlite: OpenSqlite) -> None:
    """A closed spool says so and does not let anyone wait."""
    async with open_sqlite() as spool:
        pass
    assert await spool.append([arrival("a")]) == [
        NotAccepted("spool_error", "The spool is closed.")
    ]


async def test_what_waits_at_the_end_is_still_written(open_sqlite: OpenSqlite) -> None:
    """`finish` comes after everything that was queued before it."""
    async with trio.open_nursery() as nursery, open_sqlite() as spool:
        nursery.start_soon(spool.append, [arrival("a", 1)])
        await trio.testing.wait_all_tasks_blocked()
    async with open_sqlite() as spool:
        assert len(pending(spool, 1)) == 1


async def test_seq_goes_on_after_a_restart(open_sqlite: OpenSqlite) -> None:
    """The counters are read back from the disk, and the previous id with them."""
    async with open_sqlite() as spool:
        await spool.append([arrival("a", 1), arrival("b", 1)])
    async with open_sqlite() as spool:
        await spool.append([arrival("c", 1)])
        last = pending(spool, 1)[-1]
        assert (last.seq, last.previous_id) == (3, "b")


async def test_numbers_are_not_used_again_after_a_restart(open_sqlite: OpenSqlite) -> None:
    """An event's number is higher than every one before it."""
    async with open_sqlite() as spool:
        [first] = await spool.append([arrival("a")])
    async with open_sqlite() as spool:
        [second] = await spool.append([arrival("b")])
    assert isinstance(first, Accepted)
    assert isinstance(second, Accepted)
    assert second.number > first.number


async def test_a_duplicate_is_known_after_a_restart(open_sqlite: OpenSqlite) -> None:
    """The first receipt's number and matches are given again."""
    async with open_sqlite() as spool:
        [first] = await spool.append([arrival("a", 1, 2)])
    async with open_sqlite() as spool:
        [second] = await spool.append([arrival("a", 1, 2)])
    assert isinstance(first, Accepted)
    assert second == Accepted(number=first.number, matched=2, duplicate=True)


async def test_a_duplicate_in_another_batch_of_the_same_moment_is_known(
    spool: SqliteSpool,
) -> None:
    """Two producers that send one event at once store it once."""
    async with trio.open_nursery() as nursery:
        for _ in range(2):
            nursery.start_soon(spool.append, [arrival("a", 1)])
    assert len(pending(spool, 1)) == 1


async def test_more_calls_than_are_remembered_keep_their_counters(
    spool: SqliteSpool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A counter that left the memory is read from its table."""
    monkeypatch.setattr("callpost.edge.spool.ledger._REMEMBERED", 2)
    for prefix in "ab":
        await spool.append([arrival(f"{prefix}{n}", 1, call=str(n)) for n in range(9)])
    assert [one.seq for one in pending(spool, 1)] == [1] * 9 + [2] * 9


async def test_known_and_new_calls_come_together(open_sqlite: OpenSqlite) -> None:
    """After a restart a call keeps its number beside calls that were never heard of."""
    async with open_sqlite() as spool:
        await spool.append([arrival("a1", 1, call="a")])
    async with open_sqlite() as spool:
        await spool.append([arrival(name, 1, call=name[0]) for name in ("b1", "a2", "c1", "a3")])
        told = [(one.call, one.seq, one.previous_id) for one in pending(spool, 1)]
    a, b, c = told[0][0], told[1][0], told[3][0]
    assert told == [(a, 1, ""), (b, 1, ""), (a, 2, "a1"), (c, 1, ""), (a, 3, "a2")]


@pytest.mark.parametrize("seed", range(3))
async def test_seq_is_told_as_a_plain_count_would(
    open_sqlite: OpenSqlite, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Over batches, restarts, repeated ids, two customers, and with next to no memory."""
    monkeypatch.setattr("callpost.edge.spool.ledger._REMEMBERED", 2)
    dice = random.Random(f"seq-{seed}")
    told: dict[tuple[str, str, int], list[tuple[int, str, str]]] = {}
    ids = (f"e{n}" for n in itertools.count())
    for _ in range(4):
        async with open_sqlite() as spool:
            for _ in range(8):
                await spool.append(_batch(dice, ids, told))
            bodies = {owner: pending(spool, owner) for owner in (1, 2, 3)}
    wanted = {(owner, body) for (_, _, owner), deliveries in told.items() for body in deliveries}
    assert wanted == {
        (owner, (one.seq, one.previous_id, one.body.decode()))
        for owner, deliveries in bodies.items()
        for one in deliveries
    }


def _batch(
    dice: random.Random,
    ids: Iterator[str],
    told: dict[tuple[str, str, int], list[tuple[int, str, str]]],
) -> list[Arrival]:
    """Some arrivals, the last one twice; `told` learns what each delivery is to bear."""
    arrivals = []
    for _ in range(dice.randint(1, 6)):
        name, call, customer = next(ids), dice.choice("abcd"), dice.choice(["", "acme"])
        owners = dice.sample([1, 2, 3], dice.randint(0, 3))
        one = arrival(name, *owners, call=call, customer=customer, body=name.encode())
        arrivals.append(one)
        for owner in owners:
            before = told.setdefault((customer, call, owner), [])
            before.append((len(before) + 1, before[-1][2] if before else "", name))
    return [*arrivals, arrivals[-1]]
