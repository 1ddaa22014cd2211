"""Pending deliveries as an operator reads them."""

import pytest

from callpost.edge.spool import SqliteSpool
from callpost.model.replay import Selection, Sight
from callpost.model.story import PendingDelivery, PendingPage
from callpost.model.unknown import BadCursor
from edge.spool.replaying import deliver_all, enrolled, kill_all, replay
from spool_nouns import arrival, deferred, pending, settled


async def read(
    spool: SqliteSpool,
    subscription: str = "",
    *,
    customer: str = "",
    among: Sight | None = None,
    limit: int = 99,
    cursor: str = "",
) -> PendingPage:
    """A page of what is pending."""
    selection = Selection(subscription=subscription, customer=customer, among=among)
    return await spool.records.pending(selection, limit=limit, cursor=cursor)


def told(*pages: PendingPage) -> list[tuple[str, str]]:
    """Event and subscription of each."""
    return [(one.event_id, one.subscription) for page in pages for one in page.deliveries]


async def test_a_pending_delivery_tells_all_that_is_known(spool: SqliteSpool) -> None:
    """By the names that the operator knows, with the time that it waits for on disk."""
    [owner] = await enrolled(spool, "crm")
    event = arrival("a", owner, call="x", customer="acme", at=10.0, expires_at=70.0)
    await spool.append([event])
    await settled(spool, deferred(owner, pending(spool, owner)[0], due_at=20.0))
    page = await read(spool)
    assert page == PendingPage(
        deliveries=(
            PendingDelivery(
                subscription="crm",
                event_id="a",
                call_id="x",
                customer="acme",
                kind="newCall",
                seq=1,
                replay=False,
                rounds=1,
                attempts=1,
                accepted_at="1970-01-01T00:00:10.000Z",
                due_at="1970-01-01T00:00:20.000Z",
                expires_at="1970-01-01T00:01:10.000Z",
            ),
        ),
        total=1,
        next="",
    )


async def test_the_oldest_come_first_whosever_they_are(spool: SqliteSpool) -> None:
    """By their events, and of one event by their subscriptions; a replay stands at the tail."""
    crm, popup = await enrolled(spool, "crm", "popup")
    await spool.append([arrival("a", crm), arrival("b", crm, popup), arrival("c", popup)])
    assert told(await read(spool)) == [("a", "crm"), ("b", "crm"), ("b", "popup"), ("c", "popup")]


async def test_a_replay_is_told_as_one_at_its_place(spool: SqliteSpool) -> None:
    """Behind what waited already."""
    [crm] = await enrolled(spool, "crm")
    await spool.append([arrival("a", crm)])
    await kill_all(spool, crm)
    await spool.append([arrival("b", crm)])
    await replay(spool)
    page = await read(spool)
    assert [(one.event_id, one.replay) for one in page.deliveries] == [("b", False), ("a", True)]


@pytest.mark.parametrize("size", [1, 2, 3, 5])
@pytest.mark.parametrize("name", ["", "crm"])
async def test_pages_joined_by_their_cursors_give_each_delivery_once(
    spool: SqliteSpool, size: int, name: str
) -> None:
    """In the order of the whole; every page tells how many there are."""
    owners = await enrolled(spool, "crm", "popup", "audit")
    events = [arrival(str(n), *owners[n % 3 :], call=str(n)) for n in range(9)]
    await spool.append(events)
    whole = await read(spool, name)
    pages = [await read(spool, name, limit=size)]
    while pages[-1].next:
        pages.append(await read(spool, name, limit=size, cursor=pages[-1].next))
    assert told(*pages) == told(whole)
    assert {page.total for page in pages} == {len(whole.deliveries)}


async def test_what_is_delivered_between_two_pages_is_passed_over(spool: SqliteSpool) -> None:
    """The cursor stands between deliveries, not on one."""
    [crm] = await enrolled(spool, "crm")
    await spool.append([arrival("a", crm), arrival("b", crm)])
    first = await read(spool, limit=1)
    await deliver_all(spool, crm)
    await spool.append([arrival("c", crm)])
    second = await read(spool, cursor=first.next)
    assert (told(first), told(second)) == ([("a", "crm")], [("c", "crm")])


@pytest.mark.parametrize("name", ["", "crm", "nobody"])
async def test_where_nothing_is_pending_the_page_is_empty(spool: SqliteSpool, name: str) -> None:
    """Also of a name that was never heard."""
    await enrolled(spool, "crm")
    assert await read(spool, name) == PendingPage(deliveries=(), total=0, next="")


@pytest.mark.parametrize("cursor", ["x", "WyJkZWFkIiwxLjAsMSwxLDFd"])
async def test_a_cursor_of_nobody_is_refused(spool: SqliteSpool, cursor: str) -> None:
    """Or of the dead letters."""
    with pytest.raises(BadCursor):
        await read(spool, cursor=cursor)


async def test_what_is_dead_is_not_pending(spool: SqliteSpool) -> None:
    """It is on the other list."""
    [crm] = await enrolled(spool, "crm")
    await spool.append([arrival("a", crm)])
    await kill_all(spool, crm)
    dead = await spool.records.dead(Selection(), limit=9, cursor="")
    assert ((await read(spool)).total, dead.total) == (0, 1)
