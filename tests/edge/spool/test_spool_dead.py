"""Dead letters as an operator reads them."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from callpost.edge.spool import DeadLetter, SqliteSpool
from callpost.edge.spool.read import Reader
from callpost.model.replay import Selection
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


def told(letters: list[DeadLetter]) -> list[tuple[str, str]]:
    """Event and subscription of each."""
    return [(letter.event_id, letter.subscription) for letter in letters]


async def test_a_dead_letter_tells_all_about_the_delivery(spool: SqliteSpool) -> None:
    """By the names that the operator knows."""
    await fill(spool)
    [letter] = await spool.dead(Selection(event_id="b", subscription="popup"), limit=9)
    assert letter == DeadLetter(
        subscription="popup",
        event_id="b",
        call_id="x",
        customer="acme",
        kind="newCall",
        seq=1,
        reason="rejected",
        last="http:400",
        attempts=1,
        died_at=60.0,
        number=2,
        owner=2,
    )


async def test_the_newest_dead_letters_come_first(spool: SqliteSpool) -> None:
    """By when they died."""
    await fill(spool)
    letters = await spool.dead(ALL, limit=9)
    assert told(letters) == [(name, owner) for name in "bca" for owner in ("popup", "crm")]


@pytest.mark.parametrize("selection", [ALL, Selection(call_id="call-1")])
async def test_pages_joined_by_their_last_letter_give_each_once(
    spool: SqliteSpool, selection: Selection
) -> None:
    """Also between two letters of one moment."""
    await fill(spool)
    whole = await spool.dead(selection, limit=9)
    first = await spool.dead(selection, limit=3)
    rest = await spool.dead(selection, limit=9, after=first[-1])
    assert ([*first, *rest], len(first)) == (whole, 3)


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
    letters = await spool.dead(selection, limit=9)
    assert "".join(letter.event_id for letter in letters) == ids


async def test_a_stopped_daemons_dead_letters_can_be_read(
    directory: Path, open_sqlite: OpenSqlite
) -> None:
    """Over a reader of one's own."""
    async with open_sqlite() as spool:
        await fill(spool)
        expected = await spool.dead(ALL, limit=9)
    reader = Reader.of(directory)
    letters = reader.dead(ALL, limit=9)
    reader.close()
    assert letters == expected


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
    [letter] = await spool.dead(ALL, limit=9)
    assert (letter.reason, letter.last, letter.attempts) == ("expired", "connect:refused", 1)
