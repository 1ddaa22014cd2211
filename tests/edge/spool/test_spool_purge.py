"""Purge: what is meant goes everywhere, byte for byte; the rest stays, and goes on in order."""

from pathlib import Path

import pytest

from callpost.edge.spool import SqliteSpool
from callpost.model.purge import Purged
from edge.spool.purges import NOW, NUMBER, call_arrival, fill, found_in, marks, purge, report_about
from edge.spool.replaying import enrolled
from edge.spool.spool_on_disk import OpenSqlite, Query
from spool_nouns import blocked, deferred, done, pending, settled


async def test_a_number_is_purged_with_its_calls(spool: SqliteSpool) -> None:
    """Events, reports, pending deliveries, dead letters and attempts of all of its calls."""
    await fill(spool)
    assert await purge(spool, number=NUMBER) == Purged(
        events=8, reports=2, calls=4, pending=10, dead=4, attempts=10
    )


@pytest.mark.parametrize(
    "criteria",
    [
        {"number": NUMBER},
        {"number": "26 11 02 03", "country": "DK"},
        {"number": "sip:+4526110203@pbx.example"},
    ],
)
async def test_no_byte_of_a_purged_person_is_left_in_any_file(
    spool: SqliteSpool, directory: Path, criteria: dict[str, str]
) -> None:
    """Neither in the database, nor in its free pages, nor in the write-ahead log."""
    await fill(spool)
    await purge(spool, country=criteria.get("country", ""), number=criteria["number"])
    assert found_in(directory, NUMBER[1:], *marks("private")) == []


async def test_what_is_not_meant_stays(spool: SqliteSpool) -> None:
    """The same calls of somebody else can be purged afterwards, all of them."""
    await fill(spool)
    await purge(spool, number=NUMBER)
    assert await purge(spool, number="+4533334444") == Purged(
        events=8, reports=2, calls=4, pending=10, dead=4, attempts=10
    )


@pytest.mark.parametrize("state", ["delivered", "dead", "waiting", "pending"])
async def test_no_byte_of_a_purged_call_is_left(
    spool: SqliteSpool, directory: Path, state: str
) -> None:
    """Its id is nowhere, whatever had become of its deliveries."""
    await fill(spool)
    await purge(spool, call_id=f"private-{state}")
    assert found_in(directory, f"private-{state}") == []


async def test_no_byte_of_a_purged_customer_is_left(spool: SqliteSpool, directory: Path) -> None:
    """His name neither, and another customer's call with the same id stays."""
    [owner] = await enrolled(spool, "crm")
    await spool.append(
        [
            call_arrival("a1", owner, call="same", customer="acme", name="Person of acme"),
            call_arrival("a1", owner, call="same", customer="other"),
        ]
    )
    await purge(spool, customer="acme")
    assert (found_in(directory, "acme"), len(pending(spool, owner))) == ([], 1)


async def test_what_is_older_is_purged_with_the_reports_about_it(
    spool: SqliteSpool, directory: Path
) -> None:
    """A report that came later tells of an event that is to be forgotten."""
    crm, reports = await enrolled(spool, "crm", "crm!report")
    await spool.append(
        [
            call_arrival("old", crm, call="c", at=NOW - 100.0),
            call_arrival("new", crm, call="c", at=NOW - 10.0),
            report_about("old", reports, call="c", at=NOW - 5.0),
            report_about("new", reports, call="c", at=NOW - 5.0),
        ]
    )
    purged = await purge(spool, before=NOW - 50.0)
    assert (purged, found_in(directory, '"event_id":"old"')) == (
        Purged(events=1, reports=1, pending=2),
        [],
    )


async def test_criteria_hold_together(spool: SqliteSpool) -> None:
    """Only what meets all of them goes."""
    await fill(spool)
    counts = [
        (await purge(spool, dry_run=True, number=NUMBER, **more)).events
        for more in ({"call_id": "private-dead"}, {"call_id": "others-dead"}, {"before": 1.0})
    ]
    assert counts == [2, 0, 0]


async def test_a_dry_run_counts_what_a_purge_takes(spool: SqliteSpool) -> None:
    """And takes nothing."""
    await fill(spool)
    counted = await purge(spool, dry_run=True, number=NUMBER)
    assert counted == await purge(spool, number=NUMBER)


async def test_a_purge_counts_the_same_by_time_as_by_a_dry_run(spool: SqliteSpool) -> None:
    """All of it, in walks through events and calls."""
    await fill(spool)
    counted = await purge(spool, dry_run=True, before=NOW)
    assert counted == await purge(spool, before=NOW)


async def test_a_purge_over_many_events_goes_through_all_of_them(spool: SqliteSpool) -> None:
    """In many transactions, for many subscriptions."""
    owners = await enrolled(spool, *(f"s{n}" for n in range(20)))
    for part in range(30):
        await spool.append(
            [
                call_arrival(f"{part}-{n}", *owners, call=f"{part}-{n // 2}", caller=NUMBER)
                for n in range(100)
            ]
        )
    purged = await purge(spool, number=NUMBER)
    assert (purged.events, purged.calls, purged.pending, spool.pending()) == (
        3_000,
        1_500,
        60_000,
        dict.fromkeys(owners, 0) and {},
    )


async def test_seq_goes_on_behind_a_purged_call(spool: SqliteSpool) -> None:
    """A receiver sees a hole, not a beginning; what was before has no name any more."""
    [owner] = await enrolled(spool, "crm")
    await spool.append([call_arrival("a", owner, call="c"), call_arrival("b", owner, call="c")])
    await purge(spool, call_id="c")
    await spool.append([call_arrival("x", owner, call="c"), call_arrival("y", owner, call="c")])
    assert [(one.seq, one.previous_id) for one in pending(spool, owner)] == [(3, ""), (4, "x")]


async def test_seq_goes_on_behind_a_purged_call_after_a_restart(open_sqlite: OpenSqlite) -> None:
    """What was kept of the call is on disk."""
    async with open_sqlite() as spool:
        [owner] = await enrolled(spool, "crm")
        await spool.append([call_arrival("a", owner, call="c", customer="acme")])
        await purge(spool, customer="acme")
    async with open_sqlite() as spool:
        await enrolled(spool, "crm")
        await spool.append([call_arrival("b", owner, call="c", customer="acme")])
        assert [one.seq for one in pending(spool, owner)] == [2]


async def test_a_call_that_was_purged_and_goes_on_can_be_purged_again(
    spool: SqliteSpool, directory: Path
) -> None:
    """Its id came back with the event."""
    [owner] = await enrolled(spool, "crm")
    for event_id in ("a", "b"):
        await spool.append([call_arrival(event_id, owner, call="private-call")])
        await purge(spool, call_id="private-call")
    assert found_in(directory, "private-call") == []


async def test_what_is_kept_of_a_purged_call_goes_after_a_week(
    spool: SqliteSpool, query: Query
) -> None:
    """Like every call of which nothing is heard any more."""
    [owner] = await enrolled(spool, "crm")
    await spool.append([call_arrival("a", owner, call="c")])
    await purge(spool, call_id="c")
    await spool.trim(NOW + 8 * 86_400.0)
    assert query("select * from calls") + query("select * from counters") == []


async def test_an_attempt_that_was_out_writes_nothing(spool: SqliteSpool, query: Query) -> None:
    """However it ends: delivered, dead or to be tried again."""
    [owner] = await enrolled(spool, "crm")
    await spool.append([call_arrival(name, owner, call=name) for name in "abc"])
    made, rejected, failed = pending(spool, owner)
    await purge(spool, before=NOW)
    await settled(spool, done(owner, made))
    await settled(spool, deferred(owner, failed))
    from spool_nouns import died  # noqa: PLC0415

    await settled(spool, died(owner, rejected))
    tables = ("attempts", "dead", "deliveries", "deferred", "events")
    assert [row for table in tables for row in query(f"select * from {table}")] == []  # noqa: S608 - constants
    assert spool.pending_of(owner) == 0


async def test_the_rest_of_a_lane_comes_back_when_its_head_was_purged(spool: SqliteSpool) -> None:
    """While it waited on disk: it is due at once."""
    [owner] = await enrolled(spool, "crm")
    await spool.append(
        [
            call_arrival("old", owner, call="c", at=NOW - 100.0),
            call_arrival("new", owner, call="c", at=NOW - 10.0),
        ]
    )
    await settled(spool, deferred(owner, pending(spool, owner)[0], due_at=NOW + 600.0))
    await purge(spool, before=NOW - 50.0)
    due = spool.due(owner, now=NOW, limit=9, order="call")
    assert (len(due), [one.seq for one in pending(spool, owner)]) == (1, [2])


async def test_the_rest_of_a_lane_comes_back_when_its_head_was_out(spool: SqliteSpool) -> None:
    """The row that brings it back is made although the head is gone."""
    [owner] = await enrolled(spool, "crm")
    await spool.append(
        [
            call_arrival("old", owner, call="c", at=NOW - 100.0),
            call_arrival("new", owner, call="c", at=NOW - 10.0),
        ]
    )
    head = pending(spool, owner)[0]
    await purge(spool, before=NOW - 50.0)
    await settled(spool, deferred(owner, head, due_at=NOW + 1.0))
    assert (blocked(spool, owner), spool.next_due(owner, now=NOW)) == ([True], NOW + 1.0)


async def test_no_lane_is_held_back_when_all_that_waited_is_gone(
    spool: SqliteSpool, query: Query
) -> None:
    """No row is left for a subscription for which nothing is pending."""
    await fill(spool)
    await purge(spool, before=NOW)
    assert query("select * from deferred") == []


async def test_a_purge_is_known_to_whoever_has_a_delivery_in_hand(spool: SqliteSpool) -> None:
    """Of what is still there it is not said."""
    [owner] = await enrolled(spool, "crm")
    await spool.append([call_arrival("a", owner, call="a"), call_arrival("b", owner, call="b")])
    gone, there = pending(spool, owner)
    await purge(spool, call_id="a")
    assert [spool.is_purged(one.number) for one in (gone, there)] == [True, False]


async def test_copies_of_a_damaged_spool_are_removed(spool: SqliteSpool, directory: Path) -> None:
    """Nobody can say what is in them; they are named."""
    await fill(spool)
    copy = directory / "spool.db.damaged-20261121T164000Z"
    copy.write_bytes(NUMBER.encode())
    purged = await purge(spool, number="+4512345678")
    assert (purged.files, copy.exists()) == (("spool.db.damaged-20261121T164000Z",), False)


async def test_a_configuration_that_names_the_number_is_told_of(
    spool: SqliteSpool, directory: Path
) -> None:
    """It is the operator's own text, of which the state directory has a copy."""
    (directory / "config.last-good").write_text('caller = ["+45 2611 0203"]')
    [told] = (await purge(spool, number=NUMBER)).remains
    assert "config.last-good: the configuration seems to name" in told


async def test_a_call_without_events_is_purged_too(
    open_sqlite: OpenSqlite, directory: Path
) -> None:
    """Retention has taken its events; its id was kept for the sake of seq."""
    async with open_sqlite() as spool:
        await spool.append([call_arrival("a", call="private-call", customer="acme")])
        await spool.trim(NOW + 86_400.0)
        purged = await purge(spool, customer="acme")
    assert (purged.calls, found_in(directory, "private-call", "acme")) == (1, [])
