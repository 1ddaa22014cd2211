"""How deliveries end other than by being made: stale, after a gap, too many; and the reports."""

import json

import pytest
import trio
from msgspec.structs import replace
from trio.testing import MockClock

from callpost.model.delivery import Message
from callpost.model.endpoint import Endpoint
from callpost.model.outcome import Delivered, Outcome, Rejected, Retry
from callpost.model.subscription import Subscription
from doubles import MemorySpool, ScriptedWorld
from engine_house import DOWN, a_house, a_subscription, an_endpoint, fails


async def test_a_stale_event_is_skipped_once_the_hangup_is_there(
    autojump_clock: MockClock,
) -> None:
    """With `stale = "skip"` waiting earlier events end as superseded, and the hangup goes out."""
    skipping = replace(a_subscription(), stale="skip")
    async with a_house(ScriptedWorld(), skipping) as house:
        await house.feed(("a", "newCall"), ("a", "ringing"), ("a", "answer"), ("a", "hangup"))
        await trio.sleep(30)
        assert house.reasons() == ["superseded"] * 3
        assert [sent.message.seq for sent in house.world.sent] == [4]


async def test_a_stale_event_goes_out_while_the_call_lasts(autojump_clock: MockClock) -> None:
    """Without a hangup nothing is stale."""
    skipping = replace(a_subscription(), stale="skip")
    async with a_house(ScriptedWorld(fails(1)), skipping) as house:
        await house.feed(("a", "newCall"), ("a", "answer"))
        await trio.sleep(30)
        assert [sent.message.seq for sent in house.world.sent] == [1, 1, 2]


async def test_after_a_gap_the_rest_of_the_call_is_dead_too(autojump_clock: MockClock) -> None:
    """With `after_gap = "skip_call"` a receiver never sees a call without its beginning."""
    strict = replace(a_subscription(), after_gap="skip_call")

    async def behave(_: Endpoint, message: Message) -> Outcome:
        await trio.lowlevel.checkpoint()
        return Delivered() if b'"b"' in message.content else Rejected("http_422", 422)

    async with a_house(ScriptedWorld(behave), strict) as house:
        await house.feed(("a", "newCall"), ("a", "answer"), ("a", "hangup"), ("b", "newCall"))
        await trio.sleep(30)
        assert house.reasons() == ["rejected", "gap", "gap"]
        assert len(house.world.sent) == 2


async def test_beyond_max_pending_the_oldest_overflow(autojump_clock: MockClock) -> None:
    """A backlog has an end: its oldest deliveries become dead letters."""
    async with a_house(ScriptedWorld(), a_subscription(), max_pending=100) as house:
        house.dispatcher.pause("crm")
        for base in range(0, 300, 50):
            await house.feed(*((f"c{base + n}", "hangup") for n in range(50)))
        await trio.sleep(60)
        assert (len(house.spool.rows), set(house.reasons())) == (100, {"overflow"})
        assert min(position for _, position in house.spool.rows) == 201


def reporting(*on: str) -> Subscription:
    """A subscription that asks for delivery reports."""
    report = replace(an_endpoint("report"), host="reports.example")
    return replace(a_subscription(), report=report, report_on=frozenset(on))


async def test_a_dead_letter_is_reported(autojump_clock: MockClock) -> None:
    """The report names the delivery, the reason and the last answer."""

    async def behave(endpoint: Endpoint, _: Message) -> Outcome:
        await trio.lowlevel.checkpoint()
        return Delivered() if endpoint.place == "report" else Rejected("http_422", 422)

    async with a_house(ScriptedWorld(behave), reporting("dead")) as house:
        await house.feed(("a", "newCall"))
        await trio.sleep(5)
        report = json.loads(house.world.sent[-1].message.content)
        del report["time"]
        assert report == {
            "type": "delivery.dead",
            "subscription": "crm",
            "eventId": "evt_1",
            "callId": "a",
            "seq": 1,
            "reason": "rejected",
            "attempts": 1,
            "endpoint": "http://crm.example:80",
            "httpStatus": 422,
        }


@pytest.mark.parametrize(("on", "reports"), [("delivered", 3), ("dead", 0)])
async def test_only_what_was_asked_for_is_reported(
    autojump_clock: MockClock, on: str, reports: int
) -> None:
    """`on` names the ends that are told, and there is no report about a report."""
    async with a_house(ScriptedWorld(), reporting(on)) as house:
        await house.feed(("a", "newCall"), ("a", "answer"), ("a", "hangup"))
        await trio.sleep(5)
        assert sum(sent.place == "report" for sent in house.world.sent) == reports


async def test_a_report_is_as_patient_as_a_cdr(autojump_clock: MockClock) -> None:
    """A receiver of reports that is down for a day still gets them, and calls do not wait."""
    heals_at = trio.current_time() + 86_400

    async def behave(endpoint: Endpoint, _: Message) -> Outcome:
        await trio.lowlevel.checkpoint()
        if endpoint.place != "report" or trio.current_time() >= heals_at:
            return Delivered()
        return DOWN

    async with a_house(ScriptedWorld(behave), reporting("delivered")) as house:
        await house.feed(("a", "newCall"))
        await trio.sleep(2 * 86_400)
        last = house.world.sent[-1]
        assert (last.place, last.outcome, house.spool.rows) == ("report", Delivered(), {})


async def test_later_states_go_to_the_status_callback_in_order(
    autojump_clock: MockClock,
) -> None:
    """The primary gets newCall, the callback the rest, after it."""
    with_callback = replace(a_subscription(), callback=an_endpoint("callback"))
    async with a_house(ScriptedWorld(fails(2)), with_callback) as house:
        await house.feed(("a", "newCall"), ("a", "answer"), ("a", "hangup"))
        await trio.sleep(10)
        told = [(s.place, s.message.seq) for s in house.world.sent if s.outcome == Delivered()]
        assert told == [("primary", 1), ("callback", 2), ("callback", 3)]


async def test_a_callback_that_is_held_does_not_hold_new_calls(
    autojump_clock: MockClock,
) -> None:
    """Retry-After of the callback is no reason to keep newCall from the primary."""
    busy = Retry(reason="http_429", http_status=429, retry_after_s=60.0)

    async def behave(endpoint: Endpoint, _: Message) -> Outcome:
        await trio.lowlevel.checkpoint()
        return busy if endpoint.place == "callback" else Delivered()

    with_callback = replace(a_subscription(), callback=an_endpoint("callback"))
    async with a_house(ScriptedWorld(behave), with_callback) as house:
        await house.feed(("a", "newCall"), ("a", "answer"))
        await trio.sleep(1)
        await house.feed(("b", "newCall"))
        await trio.sleep(1)
        assert [s.place for s in house.world.sent] == ["primary", "callback", "primary"]


async def test_what_overflows_at_a_start_is_not_sent_as_well(autojump_clock: MockClock) -> None:
    """A delivery on its way to be a dead letter is left alone by the window."""

    async def hang(_: Endpoint, __: Message) -> Outcome:
        await trio.sleep_forever()
        raise AssertionError

    spool = MemorySpool()
    async with a_house(ScriptedWorld(hang), a_subscription(), spool) as house:
        await house.feed(*((f"c{n}", "hangup") for n in range(100)))
    world = ScriptedWorld()
    async with a_house(world, a_subscription(), spool, max_pending=10) as house:
        await trio.sleep(10)
    sent = {one.message.id for one in world.sent}
    dead = {json.loads(delivery.body)["id"] for _, delivery, *_ in spool.dead}
    assert (len(sent & dead), len(sent | dead)) == (0, 100)


@pytest.mark.parametrize("spoilt", [b'{"event":"newCa', b"\xff\xfe", b"", b'{"event":"newCall"}'])
async def test_what_the_disk_has_spoilt_is_a_dead_letter(
    autojump_clock: MockClock, spoilt: bytes
) -> None:
    """A body that cannot be read ends its own delivery, and the call goes on."""
    spool = MemorySpool()
    async with a_house(ScriptedWorld(), a_subscription(), spool) as house:
        house.dispatcher.pause("crm")
        await house.feed(("a", "newCall"), ("a", "hangup"))
        spool.rows[1, 1] = replace(spool.rows[1, 1], body=spoilt)
        house.dispatcher.resume("crm")
        await trio.sleep(1)
        sent = [sent.message.seq for sent in house.world.sent]
        assert (house.reasons(), sent) == (["damaged"], [2])
