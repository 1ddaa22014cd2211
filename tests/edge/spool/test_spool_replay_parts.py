"""A replay in parts: so many at a time, on from where the part before it ended."""

import pytest

from callpost.edge.spool import SqliteSpool
from callpost.model.replay import Replayed, Selection
from callpost.model.unknown import BadCursor
from edge.spool.replaying import ALL, NOW, ages, deliver_all, enrolled, kill_all
from spool_nouns import arrival, died, pending, settled


async def part(
    spool: SqliteSpool,
    selection: Selection = ALL,
    *,
    limit: int,
    cursor: str = "",
    dry_run: bool = False,
) -> Replayed:
    """Replay at most `limit`."""
    return await spool.replay(
        selection, now=NOW, max_age_s=ages, limit=limit, cursor=cursor, dry_run=dry_run
    )


async def in_parts(
    spool: SqliteSpool, selection: Selection = ALL, *, limit: int, dry_run: bool = False
) -> list[Replayed]:
    """Every part, until there is none left."""
    parts = [await part(spool, selection, limit=limit, dry_run=dry_run)]
    while parts[-1].next:
        following = await part(
            spool, selection, limit=limit, cursor=parts[-1].next, dry_run=dry_run
        )
        parts.append(following)
    return parts


async def fill(spool: SqliteSpool, events: int = 7) -> list[int]:
    """Dead letters of several calls for two subscriptions."""
    owners = await enrolled(spool, "crm", "popup")
    for start in range(0, events, 1_000):
        names = range(start, min(events, start + 1_000))
        await spool.append([arrival(str(n), *owners, call=str(n % 3)) for n in names])
        for owner in owners:
            await kill_all(spool, owner)
    return owners


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 14, 15])
@pytest.mark.parametrize("selection", [ALL, Selection(subscription="crm"), Selection(call_id="1")])
async def test_parts_together_are_the_whole(
    spool: SqliteSpool, limit: int, selection: Selection
) -> None:
    """Each part is full but for the last one, and that has something too."""
    await fill(spool)
    [whole] = await in_parts(spool, selection, limit=0, dry_run=True)
    parts = await in_parts(spool, selection, limit=limit)
    counts = [one.deliveries for one in parts]
    assert sum(counts) == whole.deliveries
    assert counts[:-1] == [limit] * (len(counts) - 1)
    assert 0 < counts[-1] <= limit


async def test_parts_keep_the_order_of_every_call(spool: SqliteSpool) -> None:
    """Over chunks of either size, whatever ended between them."""
    owners = await fill(spool, 2_500)
    await in_parts(spool, limit=700)
    assert [[int(one.seq) for one in pending(spool, owner)] for owner in owners] == [
        [n // 3 + 1 for n in range(2_500)]
    ] * 2


async def test_a_dry_run_in_parts_counts_the_same_and_queues_nothing(spool: SqliteSpool) -> None:
    """Part for part."""
    owners = await fill(spool)
    counted = [one.deliveries for one in await in_parts(spool, limit=3, dry_run=True)]
    assert [spool.pending_of(owner) for owner in owners] == [0, 0]
    assert [one.deliveries for one in await in_parts(spool, limit=3)] == counted


async def test_what_ends_between_two_parts_is_not_met_again(spool: SqliteSpool) -> None:
    """Neither what was delivered nor what died anew: else a replay would never end."""
    crm, popup = await fill(spool)
    first = await part(spool, Selection(delivered=True), limit=6)
    await deliver_all(spool, crm)
    await kill_all(spool, popup)
    rest = await part(spool, Selection(delivered=True), limit=0, cursor=first.next)
    assert (first.deliveries, rest.deliveries) == (6, 8)


async def test_what_is_accepted_between_two_parts_is_not_meant(spool: SqliteSpool) -> None:
    """On a busy system the end would never come."""
    [crm, _] = await fill(spool)
    selection = Selection(subscription="crm", delivered=True)
    first = await part(spool, selection, limit=5)
    await spool.append([arrival("new", crm, call="new")])
    await settled(spool, died(crm, pending(spool, crm)[-1]))
    rest = await part(spool, selection, limit=0, cursor=first.next)
    assert (first.deliveries, rest.deliveries, rest.next) == (5, 2, "")


@pytest.mark.parametrize("cursor", ["x", "WyJwZW5kaW5nIiwxMywxLDE5MF0"])
async def test_a_cursor_of_no_replay_is_refused(spool: SqliteSpool, cursor: str) -> None:
    """And nothing is queued."""
    owners = await fill(spool)
    with pytest.raises(BadCursor):
        await part(spool, limit=1, cursor=cursor)
    assert [spool.pending_of(owner) for owner in owners] == [0, 0]
