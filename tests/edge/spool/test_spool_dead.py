"""Dead letters as an operator reads them."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from callpost.edge.spool import SqliteSpool
from callpost.edge.spool.read_only import StoppedSpool
from callpost.model.replay import Selection
from callpost.model.story import DeadDelivery, DeadPage
from callpost.model.unknown import BadCursor
from callpost.model.vocabulary import Kind
from edge.spool.spool_on_disk import OpenSqlite
from spool_nouns import arrival, deferred, died, pending, settled

ALL = Selection()


async def fill(spool: SqliteSpool) -> None:
    """Three events for two subscriptions, all dead, the second event last."""
    known = await spool.enroll(["crm", "popup"], now=1.0)
    owners = [known[name].number for name in ("crm", "popup")]
    await spool.append(
        [
            arrival("a", *owners, at=10.0),
            arrival("b", *owners, call="x", customer="acme", at=20.0),
            arrival("c", *owners, at=30.0, body=b'{"event":"hangup"}'),
        ]
    )
    for owner in owners:
        for delivery, died_at in zip(pending(spool, owner), (40.0, 60.0, 50.0), strict=True):
            await settled(spool, died(owner, delivery, died_at=died_at))


def told(*pages: DeadPage) -> list[tuple[str, str]]:
    """Event and subscription of each."""
    return [(one.event_id, one.subscription) for page in pages for one in page.deliveries]


async def read(
    spool: SqliteSpool, selection: Selection = ALL, *, limit: int = 9, cursor: str = ""
) -> DeadPage:
    """A page of dead letters."""
    return await spool.records.dead(selection, limit=limit, cursor=cursor)


async def test_a_dead_letter_tells_all_about_the_delivery(spool: SqliteSpool) -> None:
    """By the names that the operator knows."""
    await fill(spool)
    page = await read(spool, Selection(event_id="b", subscription="popup"))
    [letter] = page.deliveries
    assert letter == DeadDelivery(
        subscription="popup",
        event_id="b",
        call_id="x",
        customer="acme",
        kind="newCall",
        seq=1,
        reason="rejected",
        last="http:400",
        attempts=1,
        accepted_at="1970-01-01T00:00:20.000Z",
        died_at="1970-01-01T00:01:00.000Z",
    )


async def test_the_newest_dead_letters_come_first(spool: SqliteSpool) -> None:
    """By when they died."""
    await fill(spool)
    assert told(await read(spool)) == [
        (name, owner) for name in "bca" for owner in ("popup", "crm")
    ]


@pytest.mark.parametrize(
    "selection",
    [
        ALL,
        Selection(call_id="call-1"),
        Selection(subscription="crm"),
        Selection(since=0.0),
        Selection(kinds=frozenset[Kind]({"newCall"})),
    ],
)
@pytest.mark.parametrize("size", [1, 2, 3])
async def test_pages_joined_by_their_cursors_give_each_once(
    spool: SqliteSpool, selection: Selection, size: int
) -> None:
    """Also between two letters of one moment; the last page has no cursor."""
    await fill(spool)
    whole = await read(spool, selection)
    pages = [await read(spool, selection, limit=size)]
    while pages[-1].next:
        pages.append(await read(spool, selection, limit=size, cursor=pages[-1].next))
    assert (told(*pages), whole.next) == (told(whole), "")
    assert all(page.deliveries for page in pages)


@pytest.mark.parametrize(
    ("selection", "total"),
    [
        (ALL, 6),
        (Selection(subscription="crm"), 3),
        (Selection(call_id="call-1"), 4),
        (Selection(customer="acme"), 2),
        (Selection(since=20.0, subscription="popup"), 2),
    ],
)
async def test_every_page_tells_how_many_there_are(
    spool: SqliteSpool, selection: Selection, total: int
) -> None:
    """The first one counts, the others know it from their cursor."""
    await fill(spool)
    first = await read(spool, selection, limit=1)
    second = await read(spool, selection, limit=1, cursor=first.next)
    assert (first.total, second.total) == (total, total)


async def test_few_letters_among_many_are_met(spool: SqliteSpool) -> None:
    """However many slices lie between them."""
    known = await spool.enroll(["crm"], now=1.0)
    owner = known["crm"].number
    bodies = [
        b'{"event":"hangup"}' if n % 9_000 == 0 else b'{"event":"cdr"}' for n in range(27_001)
    ]
    for start in range(0, len(bodies), 1_000):
        some = enumerate(bodies[start : start + 1_000], start)
        await spool.append([arrival(str(n), owner, body=body) for n, body in some])
        for delivery in pending(spool, owner):
            spool.settle(died(owner, delivery, died_at=float(delivery.number)))
        await settled(spool, died(owner, pending(spool, owner)[0]))
    page = await read(spool, Selection(kinds=frozenset[Kind]({"hangup"})), limit=3)
    assert ([one.event_id for one in page.deliveries], page.total) == (
        ["27000", "18000", "9000"],
        4,
    )


@pytest.mark.parametrize("cursor", ["x", "WyJwZW5kaW5nIiwxMywxLDE5MF0", "\x00", "é"])
async def test_a_cursor_that_no_listing_gave_out_is_refused(
    spool: SqliteSpool, cursor: str
) -> None:
    """Nor one of another listing."""
    with pytest.raises(BadCursor):
        await read(spool, cursor=cursor)


@pytest.mark.parametrize(
    ("selection", "ids"),
    [
        (Selection(subscription="crm"), "bca"),
        (Selection(subscription="nobody"), ""),
        (Selection(customer="acme"), "bb"),
        (Selection(call_id="x"), "bb"),
        (Selection(event_id="a"), "aa"),
        (Selection(kinds=frozenset[Kind]({"hangup"})), "cc"),
        (Selection(since=20.0, until=30.0), "bb"),
    ],
)
async def test_a_selection_names_what_is_read(
    spool: SqliteSpool, selection: Selection, ids: str
) -> None:
    """As it does for a replay."""
    await fill(spool)
    assert "".join(event_id for event_id, _ in told(await read(spool, selection))) == ids


async def test_a_stopped_daemons_dead_letters_can_be_read(
    directory: Path, open_sqlite: OpenSqlite
) -> None:
    """The same page."""
    async with open_sqlite() as spool:
        await fill(spool)
        expected = await read(spool)
    assert StoppedSpool(directory).dead(ALL, limit=9, cursor="") == expected


async def test_one_that_expired_tells_its_last_outcome(spool: SqliteSpool) -> None:
    """Without a further attempt the reason is that of the last one there was."""
    known = await spool.enroll(["crm"], now=1.0)
    owner = known["crm"].number
    await spool.append([arrival("a", owner)])
    [delivery] = pending(spool, owner)
    waiting = deferred(owner, delivery)
    tried = replace(waiting.attempts[0], reason="connect:refused")
    await settled(spool, replace(waiting, attempts=(tried,)))
    [delivery] = pending(spool, owner)
    expired = replace(died(owner, delivery, reason="expired"), last="", attempts=())
    await settled(spool, expired)
    [letter] = (await read(spool)).deliveries
    assert (letter.reason, letter.last, letter.attempts) == ("expired", "connect:refused", 1)
