"""Calls that nobody has ended, as the spool finds them."""

from contextlib import closing
from pathlib import Path

import pytest

from callpost.edge.spool.read import Reader
from callpost.edge.spool.spool import SqliteSpool
from callpost.model.limits import SpoolLimits
from callpost.model.silence import SilentCall
from edge.spool.spool_on_disk import OpenSqlite
from spool_nouns import arrival

NEW = b'{"event":"newCall","callId":"c"}'
ANSWER = b'{"event":"answer","callId":"c"}'
HANGUP = b'{"event":"hangup","callId":"c"}'
CDR = b'{"event":"cdr","callId":"c"}'
REPORT = b'{"id":"rpt_1","report":{}}'


async def silent(directory: Path, spool: SqliteSpool, *bodies: bytes) -> tuple[SilentCall, ...]:
    """What is found of a call with these events, one a second from 1,000 on, at 1,003."""
    await spool.append(
        [arrival(f"e{n}", body=body, at=1_000.0 + n) for n, body in enumerate(bodies)]
    )
    with closing(Reader.of(directory)) as reader:
        return reader.silent(after=0, before=1_003.0).calls


@pytest.mark.parametrize(
    "bodies", [(NEW, ANSWER, HANGUP), (NEW, HANGUP, ANSWER), (NEW, CDR), (HANGUP,), ()]
)
async def test_a_call_with_an_end_is_not_silent(
    directory: Path, spool: SqliteSpool, bodies: tuple[bytes, ...]
) -> None:
    """A hangup or a cdr ends a call, also where something came after it."""
    assert await silent(directory, spool, *bodies) == ()


@pytest.mark.parametrize("bodies", [(NEW, ANSWER), (NEW, ANSWER, REPORT)])
async def test_a_call_without_one_is_found_by_its_last_event(
    directory: Path, spool: SqliteSpool, bodies: tuple[bytes, ...]
) -> None:
    """With its first and its last event; a delivery report is no event of the call."""
    [call] = await silent(directory, spool, *bodies)
    assert (call.number, call.first, call.last) == (2, NEW, ANSWER)


async def test_a_call_that_went_on_is_not_silent(directory: Path, spool: SqliteSpool) -> None:
    """An event younger than the bound is a sign of life."""
    assert await silent(directory, spool, NEW, ANSWER, ANSWER, ANSWER, ANSWER) == ()


async def test_calls_of_two_customers_are_two(directory: Path, spool: SqliteSpool) -> None:
    """The end of one customer's call says nothing of another's with the same callId."""
    await spool.append(
        [
            arrival("a", customer="acme", body=NEW),
            arrival("b", customer="other", body=NEW),
            arrival("c", customer="acme", body=HANGUP),
        ]
    )
    with closing(Reader.of(directory)) as reader:
        calls = reader.silent(after=0, before=2_000.0).calls
    assert [call.customer for call in calls] == ["other"]


async def test_the_walk_goes_on_where_it_ended(directory: Path, spool: SqliteSpool) -> None:
    """Each turn looks at a bounded part, and the turns together at everything once."""
    await spool.append([arrival(f"e{n}", call=f"c{n}", body=NEW) for n in range(2_500)])
    found, after, turns = 0, 0, 0
    with closing(Reader.of(directory)) as reader:
        ended = False
        while not ended:
            silence = reader.silent(after=after, before=2_000.0)
            found, after, turns = found + len(silence.calls), silence.last, turns + 1
            ended = silence.ended
    assert (found, turns) == (2_500, 3)


async def test_retention_spares_what_shows_that_a_call_has_no_end(open_sqlite: OpenSqlite) -> None:
    """Its last event stays for as long as the call may be silent, and then goes like any other."""
    async with open_sqlite() as spool:
        spool.obey(SpoolLimits(retain_s=10.0, unended_s=100.0))
        await spool.append(
            [
                arrival("a", call="silent", body=NEW, at=1.0),
                arrival("b", call="silent", body=ANSWER, at=2.0),
                arrival("c", call="over", body=NEW, at=3.0),
                arrival("d", call="over", body=HANGUP, at=4.0),
            ]
        )
        young, old = await spool.trim(50.0), await spool.trim(150.0)
    assert (young.events, old.events) == (3, 1)
