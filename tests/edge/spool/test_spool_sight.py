"""What somebody may see of the spool: of some subscriptions, of some customers' events."""

from collections.abc import Sequence

import pytest

from callpost.edge.spool import SqliteSpool, dead
from callpost.model.replay import Selection, Sight
from callpost.model.story import DeadPage, EventStory, PendingPage
from edge.spool.replaying import enrolled, kill_all, replay
from edge.spool.spool_on_disk import Query
from spool_nouns import arrival

SIGHT = Sight(subscriptions=frozenset({"crm", "crm2", "gone"}), customers=frozenset({"acme"}))
NOTHING = Sight(subscriptions=frozenset(), customers=frozenset())


async def fill(spool: SqliteSpool) -> Sequence[int]:
    """Events of acme and of others, for two subscriptions that may be seen and one that may not."""
    owners = await enrolled(spool, "crm", "crm2", "operators")
    crm, crm2, operators = owners
    await spool.append(
        [
            arrival("a", crm, operators, call="x", customer="acme"),
            arrival("b", crm, operators, call="x", customer="bravo"),
            arrival("c", crm2, operators, call="y", customer="acme"),
            arrival("d", operators, call="y"),
            arrival("e", crm, crm2, call="z", customer="acme"),
        ]
    )
    return owners


def told(*pages: PendingPage | DeadPage) -> list[tuple[str, str]]:
    """Event and subscription of each."""
    return [(one.event_id, one.subscription) for page in pages for one in page.deliveries]


SEEN = [("a", "crm"), ("c", "crm2"), ("e", "crm"), ("e", "crm2")]


async def test_pending_deliveries_are_those_that_may_be_seen(spool: SqliteSpool) -> None:
    """Counted too."""
    await fill(spool)
    page = await spool.records.pending(Selection(among=SIGHT), limit=9, cursor="")
    assert (told(page), page.total) == (SEEN, 4)


async def test_a_page_of_them_leads_to_the_next(spool: SqliteSpool) -> None:
    """Nothing is missed and nothing comes twice."""
    await fill(spool)
    pages = [await spool.records.pending(Selection(among=SIGHT), limit=1, cursor="")]
    while pages[-1].next:
        cursor = pages[-1].next
        pages.append(await spool.records.pending(Selection(among=SIGHT), limit=1, cursor=cursor))
    assert (told(*pages), {page.total for page in pages}) == (SEEN, {4})


@pytest.mark.parametrize("letters_sorted", [20_000, 0])
async def test_dead_letters_are_those_that_may_be_seen(
    spool: SqliteSpool, monkeypatch: pytest.MonkeyPatch, letters_sorted: int
) -> None:
    """Counted too, whichever way they are looked for."""
    monkeypatch.setattr(dead, "_SORTED_MAX", letters_sorted)
    for owner in await fill(spool):
        await kill_all(spool, owner)
    page = await spool.records.dead(Selection(among=SIGHT), limit=9, cursor="")
    assert (sorted(told(page)), page.total) == (SEEN, 4)


@pytest.mark.parametrize("letters_sorted", [20_000, 0])
async def test_pages_of_dead_letters_are_in_one_order(
    spool: SqliteSpool, monkeypatch: pytest.MonkeyPatch, letters_sorted: int
) -> None:
    """The newest first, over all subscriptions that may be seen."""
    monkeypatch.setattr(dead, "_SORTED_MAX", letters_sorted)
    for owner in await fill(spool):
        await kill_all(spool, owner)
    whole = await spool.records.dead(Selection(among=SIGHT), limit=9, cursor="")
    pages = [await spool.records.dead(Selection(among=SIGHT), limit=1, cursor="")]
    while pages[-1].next:
        cursor = pages[-1].next
        pages.append(await spool.records.dead(Selection(among=SIGHT), limit=1, cursor=cursor))
    assert told(*pages) == told(whole)


async def test_only_what_may_be_seen_is_replayed(spool: SqliteSpool, query: Query) -> None:
    """The rest stays dead, though it be of the same event or of the same subscription."""
    for owner in await fill(spool):
        await kill_all(spool, owner)
    replayed = await replay(spool, Selection(among=SIGHT))
    found = query(
        """select e.id, n.name from deliveries d join events e on e.number = d.number
            join subscriptions n on n.id = d.subscription order by 1, 2"""
    )
    assert (found, replayed.by_subscription) == (SEEN, {"crm": 2, "crm2": 2})


@pytest.mark.parametrize(
    ("subscription", "customer"), [("operators", ""), ("crm", "bravo"), ("nobody", "")]
)
async def test_what_is_asked_for_and_may_not_be_seen_is_not_there(
    spool: SqliteSpool, subscription: str, customer: str
) -> None:
    """By name, as by customer: an empty page."""
    for owner in await fill(spool):
        await kill_all(spool, owner)
    selection = Selection(subscription=subscription, customer=customer, among=SIGHT)
    page = await spool.records.dead(selection, limit=9, cursor="")
    pending = await spool.records.pending(selection, limit=9, cursor="")
    replayed = await replay(spool, selection)
    assert (page.total, page.deliveries, pending.total, replayed.deliveries) == (0, (), 0, 0)


def in_short(events: Sequence[EventStory]) -> list[tuple[str, list[str]]]:
    """Each event with those whose deliveries are told."""
    return [(one.event_id, [each.subscription for each in one.deliveries]) for one in events]


async def test_the_story_of_a_call_is_of_what_may_be_seen(spool: SqliteSpool) -> None:
    """Of other customers' calls with this id there is none."""
    await fill(spool)
    story = await spool.records.call("x", customer="", limit=9, among=SIGHT)
    assert story is not None
    assert in_short(story.events) == [("a", ["crm"])]


async def test_a_call_of_somebody_else_has_no_story(spool: SqliteSpool) -> None:
    """As one that never was."""
    await fill(spool)
    assert await spool.records.call("x", customer="", limit=9, among=NOTHING) is None
    assert await spool.records.call("x", customer="bravo", limit=9, among=SIGHT) is None


async def test_the_story_of_an_event_is_of_what_may_be_seen(spool: SqliteSpool) -> None:
    """However many others have used its id before."""
    crm, *_ = await fill(spool)
    others = [arrival("e", crm, customer="bravo", source=f"pbx-{n}") for n in range(1_001)]
    await spool.append([*others, arrival("f", crm, customer="acme")])
    await spool.append([arrival("f", crm, customer="bravo")])
    found = [await spool.records.events(name, customer="", among=SIGHT) for name in "efb"]
    assert [in_short(one) for one in found] == [
        [("e", ["crm", "crm2"])],
        [("f", ["crm"])],
        [],
    ]


async def test_who_may_see_nothing_sees_nothing(spool: SqliteSpool) -> None:
    """Pending or dead, nothing is counted."""
    for owner in (await fill(spool))[:1]:
        await kill_all(spool, owner)
    dead_page = await spool.records.dead(Selection(among=NOTHING), limit=9, cursor="")
    pending = await spool.records.pending(Selection(among=NOTHING), limit=9, cursor="")
    assert (dead_page.total, pending.total) == (0, 0)
