"""A courier in virtual time: order, retries, fallbacks, dead letters, draining."""

import pytest
import trio
from trio.testing import MockClock

from callpost.model.delivery import Message
from callpost.model.endpoint import Endpoint
from callpost.model.outcome import Delivered, LocalFault, Outcome, Refused, Rejected
from doubles import MemorySpool, ScriptedWorld
from engine_house import DOWN, a_house, a_subscription, fails


async def test_an_event_is_delivered_and_settled(autojump_clock: MockClock) -> None:
    """A delivery that was made leaves the spool."""
    async with a_house(ScriptedWorld(), a_subscription()) as house:
        await house.feed(("a", "newCall"))
        await trio.sleep(1)
        assert (len(house.world.sent), len(house.spool.rows)) == (1, 0)


async def test_retries_follow_the_live_schedule(autojump_clock: MockClock) -> None:
    """With the dice at their highest the pauses are 0.5, 1 and 2 s."""
    async with a_house(ScriptedWorld(fails(3)), a_subscription()) as house:
        await house.feed(("a", "newCall"))
        await trio.sleep(60)
        assert house.attempts_at() == pytest.approx([0, 0.5, 1.5, 3.5], abs=0.02)


async def test_the_next_event_of_a_call_waits_for_the_one_before(autojump_clock: MockClock) -> None:
    """First arrivals are in the order of the call, through failures."""
    async with a_house(ScriptedWorld(fails(3)), a_subscription()) as house:
        await house.feed(("a", "newCall"), ("a", "answer"), ("a", "hangup"))
        await trio.sleep(60)
        seqs = [sent.message.seq for sent in house.world.sent]
        assert seqs == [1, 1, 1, 1, 2, 3]


async def test_other_calls_pass_a_failing_one(autojump_clock: MockClock) -> None:
    """A call in retry holds back nobody else."""

    async def behave(_: Endpoint, message: Message) -> Outcome:
        await trio.lowlevel.checkpoint()
        return DOWN if b'"bad"' in message.content else Delivered()

    async with a_house(ScriptedWorld(behave), a_subscription()) as house:
        await house.feed(("bad", "newCall"), *((f"c{n}", "newCall") for n in range(50)))
        await trio.sleep(0.4)
        assert sum(sent.outcome == Delivered() for sent in house.world.sent) == 50


async def test_an_expired_ringing_is_a_dead_letter(autojump_clock: MockClock) -> None:
    """A ringing is given up at an age of 60 s, and the hangup after it still goes out."""

    async def behave(_: Endpoint, message: Message) -> Outcome:
        await trio.lowlevel.checkpoint()
        return DOWN if b'"ringing"' in message.content else Delivered()

    async with a_house(ScriptedWorld(behave), a_subscription()) as house:
        await house.feed(("a", "ringing"), ("a", "hangup"))
        await trio.sleep(61)
        assert [reason for *_, reason, _ in house.spool.dead] == ["expired"]
        assert house.world.sent[-1].message.seq == 2


async def test_a_dead_letter_is_on_disk_before_the_next_event_goes(
    autojump_clock: MockClock,
) -> None:
    """The second event waits for the commit that holds the first one's dead letter."""
    spool = MemorySpool(commit_s=0.2)
    async with a_house(
        ScriptedWorld(fails(1, Rejected("http_422", 422))),
        a_subscription(),
        spool,
    ) as house:
        await house.feed(("a", "newCall"), ("a", "hangup"))
        await trio.sleep(2)
        first, second = house.attempts_at()
        assert second - first >= 0.2


async def test_a_refusal_is_tried_three_times(autojump_clock: MockClock) -> None:
    """402, 406, 409 and other 4xx: 5 s, 60 s, dead."""
    async with a_house(
        ScriptedWorld(fails(9, Refused("http_409", 409))),
        a_subscription(),
    ) as house:
        await house.feed(("a", "newCall"))
        await trio.sleep(600)
        assert house.attempts_at() == pytest.approx([0, 5, 65], abs=0.02)


async def test_a_fallback_is_tried_at_once(autojump_clock: MockClock) -> None:
    """A round goes on to the next endpoint without a pause."""
    async with a_house(ScriptedWorld(fails(1)), a_subscription(fallbacks=1)) as house:
        await house.feed(("a", "newCall"))
        await trio.sleep(0.1)
        assert [sent.place for sent in house.world.sent] == ["primary", "fallback-1"]


async def test_attempts_count_over_rounds(autojump_clock: MockClock) -> None:
    """Each attempt has its own number, over fallbacks and pauses."""
    async with a_house(ScriptedWorld(fails(3)), a_subscription(fallbacks=1)) as house:
        await house.feed(("a", "newCall"))
        await trio.sleep(10)
        assert [sent.message.attempt for sent in house.world.sent] == [1, 2, 3, 4]


async def test_local_faults_cost_no_round(autojump_clock: MockClock) -> None:
    """Without a route the delivery waits, second by second, and no schedule is spent."""
    async with a_house(
        ScriptedWorld(fails(5, LocalFault("no_route"))),
        a_subscription(),
    ) as house:
        await house.feed(("a", "newCall"))
        await trio.sleep(30)
        assert house.attempts_at() == pytest.approx([0, 1, 2, 3, 4, 5], abs=0.05)


async def test_a_cdr_outlives_75_hours(autojump_clock: MockClock) -> None:
    """A cdr is tried ten times over 75 hours and then given up as exhausted."""
    async with a_house(ScriptedWorld(fails(99)), a_subscription()) as house:
        await house.feed(("a", "cdr"))
        await trio.sleep(80 * 3600)
        assert [reason for *_, reason, _ in house.spool.dead] == ["exhausted"]
        assert len(house.world.sent) == 10


@pytest.mark.parametrize("many", [2_000, pytest.param(10_000, marks=pytest.mark.slow)])
async def test_thousands_of_calls_in_retry_do_not_delay_a_fresh_one(
    autojump_clock: MockClock, many: int
) -> None:
    """What is in retry waits on disk: a fresh call goes out at once, and memory is the window."""

    async def behave(_: Endpoint, message: Message) -> Outcome:
        await trio.sleep(0.001)
        # A refusal is an answer: the endpoint lives, so that no breaker relieves the courier.
        return Delivered() if b'"fresh"' in message.content else Refused("http_409", 409)

    async with a_house(ScriptedWorld(behave), a_subscription()) as house:
        for base in range(0, many, 500):
            await house.feed(*((f"bad{base + n}", "hangup") for n in range(500)))
        await trio.sleep(20)
        fed_at = trio.current_time()
        await house.feed(("fresh", "newCall"))
        await trio.sleep(1)
        fresh = [sent for sent in house.world.sent if b'"fresh"' in sent.message.content]
        assert fresh
        assert fresh[0].at - fed_at < 0.1
        assert len(house.dispatcher.courier("crm").window.lanes) <= 128


async def test_order_subscription_sends_one_at_a_time(autojump_clock: MockClock) -> None:
    """With `order = "subscription"` calls do not pass each other, through failures and pauses."""
    events = [(f"c{n % 5}", "hangup") for n in range(100)]
    async with a_house(ScriptedWorld(fails(3)), a_subscription(order="subscription")) as house:
        await house.feed(*events)
        await trio.sleep(60)
        ids = [int(sent.message.id[4:]) for sent in house.world.sent]
        assert ids == [1, 1, 1, *range(1, 101)]
        assert house.world.out_most == 1


async def test_order_none_lets_everything_pass(autojump_clock: MockClock) -> None:
    """With `order = "none"` the second event of a call does not wait for the first."""
    async with a_house(ScriptedWorld(fails(1)), a_subscription(order="none")) as house:
        await house.feed(("a", "newCall"), ("a", "hangup"))
        await trio.sleep(5)
        seqs = [sent.message.seq for sent in house.world.sent]
        assert (len(seqs), set(seqs[:2])) == (3, {1, 2})


async def test_a_chatty_call_beyond_the_window_stays_in_order(autojump_clock: MockClock) -> None:
    """Two thousand events of one call arrive in order although most of them wait on disk."""

    async def behave(_: Endpoint, __: Message) -> Outcome:
        await trio.sleep(0.001)
        return Delivered()

    async with a_house(ScriptedWorld(behave), a_subscription()) as house:
        for _ in range(20):
            await house.feed(*[("a", "dtmf")] * 100)
        await trio.sleep(30)
        assert [sent.message.seq for sent in house.world.sent] == list(range(1, 2001))
        assert not house.spool.deferred


async def test_a_bug_in_a_sender_stays_with_its_delivery(autojump_clock: MockClock) -> None:
    """A sender that raises is logged and its delivery retried."""
    calls = 0

    async def behave(_: Endpoint, __: Message) -> Outcome:
        nonlocal calls
        calls += 1
        await trio.lowlevel.checkpoint()
        if calls == 1:
            raise RuntimeError("a bug")
        return Delivered()

    async with a_house(ScriptedWorld(behave), a_subscription()) as house:
        await house.feed(("a", "newCall"))
        await trio.sleep(5)
        assert [line["event"] for line in house.lines if line["level"] == "error"] == [
            "sender.failed"
        ]
        assert not house.spool.rows


async def test_a_stop_waits_for_the_attempt_and_not_for_the_round(
    autojump_clock: MockClock,
) -> None:
    """Draining finishes the attempt in hand; the fallback is left to the next start."""

    async def behave(_: Endpoint, __: Message) -> Outcome:
        await trio.sleep(2)
        return DOWN

    async with a_house(ScriptedWorld(behave), a_subscription(fallbacks=1)) as house:
        await house.feed(("a", "newCall"))
        await trio.sleep(1)
        house.dispatcher.drain()
        await trio.sleep(10)
        assert [sent.place for sent in house.world.sent] == ["primary"]
        assert [row.rounds for row in house.spool.rows.values()] == [0]


async def test_a_restart_goes_on_where_the_spool_is(autojump_clock: MockClock) -> None:
    """A new engine on the surviving spool delivers the rest, in order."""
    spool = MemorySpool()
    async with a_house(ScriptedWorld(fails(99)), a_subscription(), spool) as house:
        await house.feed(("a", "newCall"), ("a", "answer"), ("b", "newCall"), ("a", "hangup"))
        await trio.sleep(3)
    world = ScriptedWorld()
    async with a_house(world, a_subscription(), spool):
        await trio.sleep(10)
    seqs = [sent.message.seq for sent in world.sent if b'"a"' in sent.message.content]
    assert (seqs, len(world.sent), spool.rows) == ([1, 2, 3], 4, {})


async def test_ten_thousand_lanes_that_fall_due_together_are_all_delivered(
    autojump_clock: MockClock,
) -> None:
    """More due lanes than the window holds are taken bit by bit and none is forgotten."""
    healthy_at = trio.current_time() + 100

    async def behave(_: Endpoint, __: Message) -> Outcome:
        await trio.sleep(0.001)
        return Delivered() if trio.current_time() >= healthy_at else DOWN

    async with a_house(ScriptedWorld(behave), a_subscription()) as house:
        for base in range(0, 3000, 500):
            await house.feed(*((f"c{base + n}", "hangup") for n in range(500)))
        await trio.sleep(1000)
        assert (house.spool.rows, house.spool.deferred) == ({}, {})


async def test_a_lane_that_falls_due_after_a_full_window_is_not_forgotten(
    autojump_clock: MockClock,
) -> None:
    """The pause was written down while there was no room; the room came later, and nobody rang."""

    async def behave(_: Endpoint, message: Message) -> Outcome:
        await trio.sleep(0.01)
        is_first_try = b'"bad"' in message.content and message.attempt == 1
        return DOWN if is_first_try else Delivered()

    async with a_house(ScriptedWorld(behave), a_subscription()) as house:
        await house.feed(("first", "hangup"))
        await trio.sleep(1)
        await house.feed(("bad", "hangup"), *[("a", "dtmf"), ("b", "dtmf")] * 32)
        await trio.sleep(10)
        assert not house.spool.rows


async def test_carriers_without_work_go_home(autojump_clock: MockClock) -> None:
    """A burst needs eight of them; a minute later none is left, and the next event has one."""
    async with a_house(ScriptedWorld(), a_subscription()) as house:
        await house.feed(*((f"c{n}", "hangup") for n in range(50)))
        courier = house.dispatcher.courier("crm")
        await trio.sleep(1)
        busy = courier.bench.members
        await trio.sleep(100)
        idle = courier.bench.members
        await house.feed(("d", "hangup"))
        await trio.sleep(1)
        assert (busy > 0, idle, len(house.world.sent)) == (True, 0, 51)


async def test_a_carrier_that_is_needed_stays(autojump_clock: MockClock) -> None:
    """One event a second needs one carrier, which does not come and go."""
    async with a_house(ScriptedWorld(), a_subscription()) as house:
        await house.feed(*((f"c{n}", "hangup") for n in range(50)))
        courier = house.dispatcher.courier("crm")
        seen = set()
        for second in range(200):
            await trio.sleep(1)
            await house.feed((f"d{second}", "hangup"))
            if second > 100:
                seen.add(courier.bench.members)
        assert seen == {1}
