"""Stories of calls and events: who wanted them, each attempt, how it ended."""

import pytest
from msgspec.structs import replace

from callpost.edge.spool import SqliteSpool
from callpost.model.event import CallEvent, encode
from callpost.model.replay import Selection
from callpost.model.story import AttemptStory, CallStory, DeliveryStory, EventStory
from edge.spool.replaying import deliver_all, enrolled, kill_all, replay
from spool_nouns import arrival, deferred, died, done, pending, settled

DIGITS = "4711"
BODY = encode(
    CallEvent(
        event="dtmf",
        call_id="x",
        id="a",
        from_="+4526110203",
        to="210",
        direction="in",
        dtmf=DIGITS,
        customer="acme",
    )
)
REPORT = b'{"id":"rpt_1","report":{}}'


async def story(spool: SqliteSpool, call: str = "call-1", *, limit: int = 99) -> CallStory:
    """The story of a call that there is."""
    found = await spool.records.call(call, customer="", limit=limit)
    assert found is not None
    return found


async def fates(spool: SqliteSpool) -> list[DeliveryStory]:
    """The deliveries of the call's only event."""
    [event] = (await story(spool)).events
    return list(event.deliveries)


async def test_an_event_is_told_without_what_must_not_be_shown(spool: SqliteSpool) -> None:
    """Numbers by their last three digits, extensions as they are, pressed digits not at all."""
    await enrolled(spool, "crm")
    await spool.append([arrival("a", call="x", customer="acme", source="pbx", body=BODY)])
    [event] = await spool.records.events("a", customer="")
    assert event == EventStory(
        event_id="a",
        call_id="x",
        customer="acme",
        source="pbx",
        kind="dtmf",
        caller="…203",
        called="210",
        direction="in",
        accepted_at="1970-01-01T00:16:40.000Z",
        deliveries=(),
    )


async def test_a_delivery_report_has_no_kind(spool: SqliteSpool) -> None:
    """And no parties."""
    await spool.append([arrival("a", body=REPORT)])
    [event] = (await story(spool)).events
    assert (event.kind, event.caller, event.called) == ("", "", "")


async def test_an_event_that_cannot_be_read_is_told_as_far_as_it_goes(spool: SqliteSpool) -> None:
    """A failing disk does not hide the rest of the story."""
    await spool.append([arrival("a", body=b"\xff\xfe"), arrival("b")])
    assert [event.kind for event in (await story(spool)).events] == ["", "newCall"]


async def test_a_pending_delivery_tells_when_it_goes_on(spool: SqliteSpool) -> None:
    """With the attempts that it has had."""
    [crm] = await enrolled(spool, "crm")
    await spool.append([arrival("a", crm, expires_at=3_000.0)])
    await settled(spool, deferred(crm, pending(spool, crm)[0], due_at=2_000.0))
    assert await fates(spool) == [
        DeliveryStory(
            subscription="crm",
            seq=1,
            state="pending",
            reason="",
            replay=False,
            rounds=1,
            next_attempt_at="1970-01-01T00:33:20.000Z",
            expires_at="1970-01-01T00:50:00.000Z",
            ended_at=None,
            attempts=(
                AttemptStory(
                    attempt=1,
                    at="1970-01-01T00:16:41.000Z",
                    place="primary",
                    outcome="retry",
                    reason="",
                    http_status=200,
                    total_ms=1.5,
                ),
            ),
        )
    ]


async def test_a_delivery_that_was_made_tells_when(spool: SqliteSpool) -> None:
    """By the end of its last attempt; each round tries a place once."""
    [crm] = await enrolled(spool, "crm")
    await spool.append([arrival("a", crm)])
    await settled(spool, deferred(crm, pending(spool, crm)[0]))
    await deliver_all(spool, crm)
    [delivery] = await fates(spool)
    assert (delivery.state, delivery.seq, delivery.rounds, delivery.ended_at) == (
        "delivered",
        1,
        2,
        "1970-01-01T00:16:41.001Z",
    )


async def test_a_dead_letter_tells_why(spool: SqliteSpool) -> None:
    """And when it died, also where nothing was ever tried."""
    [crm] = await enrolled(spool, "crm")
    await spool.append([arrival("a", crm)])
    expired = died(crm, pending(spool, crm)[0], reason="expired", died_at=2_000.0)
    await settled(spool, replace(expired, attempts=(), last=""))
    [delivery] = await fates(spool)
    assert (delivery.state, delivery.reason, delivery.ended_at, delivery.attempts) == (
        "dead",
        "expired",
        "1970-01-01T00:33:20.000Z",
        (),
    )


async def test_a_replay_that_waits_is_pending_again(spool: SqliteSpool) -> None:
    """With all the attempts of its first life."""
    [crm] = await enrolled(spool, "crm")
    await spool.append([arrival("a", crm)])
    await kill_all(spool, crm)
    await replay(spool, Selection())
    [delivery] = await fates(spool)
    assert (delivery.state, delivery.replay, len(delivery.attempts)) == ("pending", True, 1)


async def test_a_dead_letter_that_is_no_longer_kept_is_still_told_from_its_attempts(
    spool: SqliteSpool,
) -> None:
    """It was not delivered, whatever the reason was."""
    [crm] = await enrolled(spool, "crm")
    await spool.append([arrival("a", crm)])
    await kill_all(spool, crm)
    await spool.append([arrival("b", crm)])
    await spool._writer.chore(lambda connection: connection.execute("delete from dead"))
    [first, _] = (await story(spool)).events
    assert [(one.state, one.reason) for one in first.deliveries] == [("dead", "")]


async def test_every_subscription_is_told_by_name(spool: SqliteSpool) -> None:
    """Whatever has become of its delivery."""
    owners = await enrolled(spool, "one", "two", "three")
    await spool.append([arrival("a", *owners)])
    await settled(spool, done(owners[0], pending(spool, owners[0])[0]))
    await settled(spool, died(owners[1], pending(spool, owners[1])[0]))
    assert [(one.subscription, one.state) for one in await fates(spool)] == [
        ("one", "delivered"),
        ("three", "pending"),
        ("two", "dead"),
    ]


async def test_a_call_is_told_in_the_order_of_acceptance(spool: SqliteSpool) -> None:
    """Of all producers that used its id; what lies beyond the limit is announced."""
    events = [arrival(str(n), source="one" if n % 2 else "two") for n in range(5)]
    await spool.append(events)
    told = await story(spool, limit=3)
    assert ([event.event_id for event in told.events], told.more) == (["0", "1", "2"], True)


async def test_a_call_at_its_limit_is_whole(spool: SqliteSpool) -> None:
    """Nothing further is announced where there is nothing."""
    await spool.append([arrival(str(n)) for n in range(3)])
    assert not (await story(spool, limit=3)).more


@pytest.mark.parametrize(("customer", "count"), [("", 2), ("acme", 1), ("other", 0)])
async def test_a_customer_sees_its_own_only(spool: SqliteSpool, customer: str, count: int) -> None:
    """Of an event's id, and of a call's."""
    await spool.append([arrival("a", customer="acme"), arrival("a", customer="umbrella")])
    told = await spool.records.call("call-1", customer=customer, limit=9)
    events = await spool.records.events("a", customer=customer)
    assert (len(told.events) if told else 0, len(events)) == (count, count)


async def test_of_what_is_not_kept_there_is_no_story(spool: SqliteSpool) -> None:
    """Neither of a call nor of an event."""
    told = await spool.records.call("x", customer="", limit=9)
    assert (told, await spool.records.events("x", customer="")) == (None, ())
