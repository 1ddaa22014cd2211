"""Health of endpoints in virtual time: breaker, Retry-After, pauses, rate limit, local faults."""

import pytest
import trio
from msgspec.structs import replace
from trio.testing import MockClock

from callpost.model.delivery import Message
from callpost.model.endpoint import Endpoint
from callpost.model.outcome import Delivered, Gone, LocalFault, Outcome, Refused, Retry
from doubles import MemorySpool, ScriptedWorld
from engine_house import DOWN, House, a_house, a_subscription, an_endpoint, fails

HOUR_S = 3600.0


async def down(_: Endpoint, __: Message) -> Outcome:
    """A subscriber that is not there."""
    await trio.lowlevel.checkpoint()
    return DOWN


def up_from(at: float) -> "object":
    """A subscriber that comes back at a time."""

    async def behave(_: Endpoint, __: Message) -> Outcome:
        await trio.sleep(0.001)
        return Delivered() if trio.current_time() >= at else DOWN

    return behave


async def feed_calls(house: House, count: int, kind: str = "hangup", name: str = "c") -> None:
    """One event for each of `count` calls."""
    for base in range(0, count, 500):
        await house.feed(*((f"{name}{base + n}", kind) for n in range(min(500, count - base))))


async def fail_for_13_hours(house: House) -> None:
    """Ten new calls every hour."""
    for hour in range(13):
        await feed_calls(house, 10, name=f"h{hour}-")
        await trio.sleep(HOUR_S)


async def test_five_failures_in_a_row_open_the_breaker(autojump_clock: MockClock) -> None:
    """While it is open only one probe goes at a time, after 1, 2, 4, … s."""
    async with a_house(ScriptedWorld(down), a_subscription(concurrency=1)) as house:
        await feed_calls(house, 100)
        await trio.sleep(16.5)
        assert house.attempts_at() == pytest.approx([0, 0, 0, 0, 0, 1, 3, 7, 15], abs=0.1)


async def test_probes_settle_at_one_a_minute(autojump_clock: MockClock) -> None:
    """The pause between probes doubles to 60 s and stays there."""
    async with a_house(ScriptedWorld(down), a_subscription(concurrency=1)) as house:
        await feed_calls(house, 100)
        await trio.sleep(HOUR_S / 2)
        last = house.attempts_at()[-3:]
        assert [last[1] - last[0], last[2] - last[1]] == pytest.approx([60, 60], abs=0.5)


async def test_an_open_breaker_spends_no_rounds(autojump_clock: MockClock) -> None:
    """A hundred calls lose five first rounds and the probes, and nothing else."""
    async with a_house(ScriptedWorld(down), a_subscription(concurrency=1)) as house:
        await feed_calls(house, 100)
        await trio.sleep(10)
        assert sum(row.rounds for row in house.spool.rows.values()) == len(house.world.sent)


async def test_a_probe_that_succeeds_closes_it_and_everything_flows(
    autojump_clock: MockClock,
) -> None:
    """After the outage every call is delivered."""
    world = ScriptedWorld(up_from(trio.current_time() + 30))  # type: ignore[arg-type] # a closure is a Behaviour
    async with a_house(world, a_subscription()) as house:
        await feed_calls(house, 300)
        await trio.sleep(120)
        assert (len(house.spool.rows), len(house.logged("breaker.closed"))) == (0, 1)


async def test_after_an_outage_concurrency_grows_again(autojump_clock: MockClock) -> None:
    """1, 2, 4, … attempts in flight, not all carriers at once."""
    heals_at = trio.current_time() + 30
    in_flight: list[int] = []
    world = ScriptedWorld()

    async def behave(_: Endpoint, __: Message) -> Outcome:
        if trio.current_time() < heals_at:
            return DOWN
        in_flight.append(world.out)
        await trio.sleep(0.1)
        return Delivered()

    world.behave = behave
    async with a_house(world, a_subscription(concurrency=8)) as house:
        await feed_calls(house, 200)
        await trio.sleep(60)
        assert (max(in_flight[:2]), max(in_flight[:4]), max(in_flight)) == (1, 2, 8)


async def test_an_answer_ends_the_row_of_failures(autojump_clock: MockClock) -> None:
    """Four failures, a success, four failures: the breaker stays closed."""
    answers = iter([DOWN] * 4 + [Delivered()] + [DOWN] * 4 + [Delivered()] * 1000)

    async def behave(_: Endpoint, __: Message) -> Outcome:
        await trio.lowlevel.checkpoint()
        return next(answers)

    async with a_house(ScriptedWorld(behave), a_subscription(concurrency=1)) as house:
        await feed_calls(house, 20)
        await trio.sleep(10)
        assert not house.logged("breaker.opened")


async def test_while_the_primary_is_open_rounds_begin_with_the_fallback(
    autojump_clock: MockClock,
) -> None:
    """An endpoint that is known to be down costs the deliveries nothing."""

    async def behave(endpoint: Endpoint, _: Message) -> Outcome:
        await trio.lowlevel.checkpoint()
        return DOWN if endpoint.place == "primary" else Delivered()

    async with a_house(ScriptedWorld(behave), a_subscription(concurrency=1, fallbacks=1)) as house:
        await feed_calls(house, 50)
        await trio.sleep(0.5)
        places = [sent.place for sent in house.world.sent]
        assert (places.count("primary"), places.count("fallback-1")) == (5, 50)


async def test_the_primary_is_used_again_when_its_probe_succeeds(
    autojump_clock: MockClock,
) -> None:
    """The order of each call is kept over the switch and back."""
    heals_at = trio.current_time() + 5

    async def behave(endpoint: Endpoint, _: Message) -> Outcome:
        await trio.sleep(0.01)
        is_down = endpoint.place == "primary" and trio.current_time() < heals_at
        return DOWN if is_down else Delivered()

    async with a_house(ScriptedWorld(behave), a_subscription(fallbacks=1)) as house:
        for _ in range(20):
            await house.feed(*((f"c{n}", "dtmf") for n in range(5)))
            await trio.sleep(1)
        delivered = [sent for sent in house.world.sent if sent.outcome == Delivered()]
        assert {sent.place for sent in delivered[:20]} == {"fallback-1"}
        assert {sent.place for sent in delivered[-20:]} == {"primary"}
        for call in range(5):
            mine = [s for s in delivered if f'"c{call}"'.encode() in s.message.content]
            assert [sent.message.seq for sent in mine] == list(range(1, 21))


async def test_retry_after_holds_the_whole_endpoint(autojump_clock: MockClock) -> None:
    """One 429 and nothing goes to that endpoint until its time; then everything does."""
    busy = Retry(reason="http_429", http_status=429, retry_after_s=30.0)
    async with a_house(ScriptedWorld(fails(1, busy)), a_subscription(concurrency=1)) as house:
        await feed_calls(house, 10)
        await trio.sleep(60)
        assert house.attempts_at() == pytest.approx([0] + [30] * 10, abs=0.2)


async def test_fallbacks_flow_while_the_primary_is_held(autojump_clock: MockClock) -> None:
    """Retry-After of one endpoint is none of the other's business."""
    busy = Retry(reason="http_503", http_status=503, retry_after_s=600.0)

    async def behave(endpoint: Endpoint, _: Message) -> Outcome:
        await trio.lowlevel.checkpoint()
        return busy if endpoint.place == "primary" else Delivered()

    async with a_house(ScriptedWorld(behave), a_subscription(concurrency=1, fallbacks=1)) as house:
        await feed_calls(house, 10)
        await trio.sleep(1)
        places = [sent.place for sent in house.world.sent]
        assert (places.count("primary"), places.count("fallback-1")) == (1, 10)


async def test_retry_after_costs_no_round(autojump_clock: MockClock) -> None:
    """Its rounds count for nothing, however often it asks."""
    busy = Retry(reason="http_429", http_status=429, retry_after_s=60.0)
    async with a_house(ScriptedWorld(fails(5, busy)), a_subscription()) as house:
        await house.feed(("a", "hangup"))
        await trio.sleep(200)
        assert [row.rounds for row in house.spool.rows.values()] == [0]


async def test_ages_count_while_the_breaker_is_open(autojump_clock: MockClock) -> None:
    """What expires while nothing may be sent becomes a dead letter all the same."""
    async with a_house(ScriptedWorld(down), a_subscription()) as house:
        await feed_calls(house, 1000, "ringing")
        await trio.sleep(75)
        assert (len(house.spool.rows), set(house.reasons())) == (0, {"expired"})


async def test_a_paused_subscription_sends_nothing_and_keeps_everything(
    autojump_clock: MockClock,
) -> None:
    """An operator's pause holds until the operator resumes."""
    async with a_house(ScriptedWorld(), a_subscription()) as house:
        house.dispatcher.pause("crm")
        await feed_calls(house, 10)
        await trio.sleep(100)
        assert (len(house.world.sent), len(house.spool.rows)) == (0, 10)
        house.dispatcher.resume("crm")
        await trio.sleep(1)
        assert (len(house.world.sent), len(house.spool.rows)) == (10, 0)


async def test_a_pause_outlives_a_restart(autojump_clock: MockClock) -> None:
    """A new engine on the same spool still sends nothing."""
    spool = MemorySpool()
    async with a_house(ScriptedWorld(), a_subscription(), spool) as house:
        house.dispatcher.pause("crm")
        await feed_calls(house, 10)
    world = ScriptedWorld()
    async with a_house(world, a_subscription(), spool):
        await trio.sleep(100)
    assert world.sent == []


async def test_ages_count_in_a_pause(autojump_clock: MockClock) -> None:
    """What expires in a pause is a dead letter."""
    async with a_house(ScriptedWorld(), a_subscription()) as house:
        house.dispatcher.pause("crm")
        await feed_calls(house, 10, "ringing")
        await trio.sleep(70)
        assert house.reasons() == ["expired"] * 10


async def test_a_gone_endpoint_pauses_the_subscription(autojump_clock: MockClock) -> None:
    """410 takes the endpoint out; with none left the subscription is paused and loses nothing."""
    async with a_house(
        ScriptedWorld(fails(1, Gone("http_410", 410))), a_subscription(concurrency=1)
    ) as house:
        await feed_calls(house, 10)
        await trio.sleep(100)
        assert [line["reason"] for line in house.logged("subscription.paused")] == ["paused_gone"]
        assert (len(house.world.sent), len(house.spool.rows)) == (1, 10)


async def test_a_gone_primary_leaves_the_fallback_at_work(autojump_clock: MockClock) -> None:
    """The endpoint is out, the subscription is not."""

    async def behave(endpoint: Endpoint, _: Message) -> Outcome:
        await trio.lowlevel.checkpoint()
        return Gone("http_410", 410) if endpoint.place == "primary" else Delivered()

    async with a_house(ScriptedWorld(behave), a_subscription(concurrency=1, fallbacks=1)) as house:
        await feed_calls(house, 10)
        await trio.sleep(10)
        places = [sent.place for sent in house.world.sent]
        assert (places.count("primary"), places.count("fallback-1")) == (1, 10)


async def test_a_gone_endpoint_stays_gone_over_a_restart(autojump_clock: MockClock) -> None:
    """Only a resume or another configuration brings it back."""
    spool = MemorySpool()
    gone = ScriptedWorld(fails(99, Gone("http_410", 410)))
    async with a_house(gone, a_subscription(), spool) as house:
        await house.feed(("a", "hangup"))
        await trio.sleep(1)
    world = ScriptedWorld()
    async with a_house(world, a_subscription(), spool) as house:
        await house.feed(("b", "hangup"))
        await trio.sleep(100)
    assert world.sent == []


async def test_another_configuration_brings_a_gone_endpoint_back(
    autojump_clock: MockClock,
) -> None:
    """A changed URL is another endpoint."""
    spool = MemorySpool()
    gone = ScriptedWorld(fails(99, Gone("http_410", 410)))
    subscription = a_subscription()
    async with a_house(gone, subscription, spool) as house:
        await house.feed(("a", "hangup"))
        await trio.sleep(1)
    moved = replace(subscription.endpoints[0], host="new.example")
    world = ScriptedWorld()
    async with a_house(world, replace(subscription, endpoints=(moved,)), spool) as house:
        await house.feed(("b", "hangup"))
        await trio.sleep(100)
        resumed = [line["reason"] for line in house.logged("subscription.resumed")]
    assert (len(world.sent), resumed) == (2, ["paused_gone"])


async def test_half_a_day_of_failure_pauses_the_subscription(autojump_clock: MockClock) -> None:
    """After 100 failures in a row over at least 12 h it is paused, and probed every 5 min."""
    async with a_house(ScriptedWorld(down), a_subscription()) as house:
        await fail_for_13_hours(house)
        assert [line["reason"] for line in house.logged("subscription.paused")] == ["paused_auto"]
        last = house.attempts_at()[-3:]
        assert [last[1] - last[0], last[2] - last[1]] == pytest.approx([300, 300], abs=6)


async def test_a_success_resumes_what_was_paused_for_failing(autojump_clock: MockClock) -> None:
    """Nobody has to do anything."""
    world = ScriptedWorld(up_from(trio.current_time() + 13 * HOUR_S))  # type: ignore[arg-type] # see above
    async with a_house(world, a_subscription()) as house:
        await fail_for_13_hours(house)
        await trio.sleep(24 * HOUR_S)
        assert [line["reason"] for line in house.logged("subscription.resumed")] == ["paused_auto"]
        assert not house.spool.rows


async def test_a_rate_limit_spaces_deliveries(autojump_clock: MockClock) -> None:
    """Ten a second means one every 100 ms, and no burst."""
    limited = replace(a_subscription(), rate_per_s=10.0)
    async with a_house(ScriptedWorld(), limited) as house:
        await feed_calls(house, 20)
        await trio.sleep(10)
        assert house.attempts_at() == pytest.approx([n / 10 for n in range(20)], abs=0.02)


async def test_local_faults_are_said_once_and_open_no_breaker(autojump_clock: MockClock) -> None:
    """Without a route nobody is to blame: no breaker, no pause, one line each way."""
    async with a_house(
        ScriptedWorld(fails(200, LocalFault("no_route"))), a_subscription()
    ) as house:
        await feed_calls(house, 50)
        await trio.sleep(300)
        assert not house.logged("breaker.opened")
        assert len(house.logged("egress.went_down")) == len(house.logged("egress.came_back")) == 1
        assert not house.spool.rows


async def test_one_endpoint_without_a_way_is_not_the_machine(autojump_clock: MockClock) -> None:
    """While others get answers nobody says that the machine is cut off, and fallbacks flow."""

    async def behave(endpoint: Endpoint, _: Message) -> Outcome:
        await trio.lowlevel.checkpoint()
        return LocalFault("no_route") if endpoint.place == "primary" else Delivered()

    async with a_house(ScriptedWorld(behave), a_subscription(fallbacks=1)) as house:
        for _ in range(30):
            await feed_calls(house, 5)
            await trio.sleep(1)
        assert (len(house.logged("egress.went_down")), len(house.spool.rows)) == (0, 0)


async def test_a_bound_of_one_endpoint_is_never_said_of_the_machine(
    autojump_clock: MockClock,
) -> None:
    """Too many connections to one host hold that host only."""
    full = LocalFault("max_connections_per_host", of_machine=False)
    async with a_house(ScriptedWorld(fails(20, full)), a_subscription(concurrency=1)) as house:
        await feed_calls(house, 5)
        await trio.sleep(60)
        assert (len(house.logged("egress.went_down")), len(house.spool.rows)) == (0, 0)


async def test_any_answer_ends_a_pause_for_failing(autojump_clock: MockClock) -> None:
    """A receiver that refuses is there: the pause is over, and it is said."""
    heals_at = trio.current_time() + 13 * HOUR_S

    async def behave(_: Endpoint, __: Message) -> Outcome:
        await trio.sleep(0.001)
        return DOWN if trio.current_time() < heals_at else Refused("http_409", 409)

    async with a_house(ScriptedWorld(behave), a_subscription()) as house:
        await fail_for_13_hours(house)
        await trio.sleep(HOUR_S)
        assert house.dispatcher.courier("crm").gate.standing.paused == ""


async def test_a_gone_primary_pauses_although_its_callback_lives(
    autojump_clock: MockClock,
) -> None:
    """Nobody is left to hear of new calls; nothing expires quietly behind them."""
    with_callback = replace(a_subscription(), callback=an_endpoint("callback"))
    world = ScriptedWorld(fails(1, Gone("http_410", 410)))
    async with a_house(world, with_callback) as house:
        await house.feed(("a", "newCall"))
        await trio.sleep(10)
        assert house.dispatcher.courier("crm").gate.standing.paused == "gone"


async def test_a_clogged_spool_stops_new_work(autojump_clock: MockClock) -> None:
    """While outcomes cannot be written, nothing new is begun."""
    async with a_house(ScriptedWorld(), a_subscription()) as house:
        house.spool.clogged = True
        await feed_calls(house, 10)
        await trio.sleep(10)
        assert house.world.sent == []
        house.spool.clogged = False
        await trio.sleep(2)
        assert len(house.world.sent) == 10


async def test_a_primary_that_is_only_busy_is_waited_for(autojump_clock: MockClock) -> None:
    """The fallback is for failures, not for load."""

    async def slow(_: Endpoint, __: Message) -> Outcome:
        await trio.sleep(0.5)
        return Delivered()

    async with a_house(ScriptedWorld(slow), a_subscription(concurrency=2, fallbacks=1)) as house:
        await feed_calls(house, 20)
        await trio.sleep(30)
        assert {sent.place for sent in house.world.sent} == {"primary"}


async def test_a_probe_does_not_wait_for_a_fallback_that_is_busy(
    autojump_clock: MockClock,
) -> None:
    """While the fallback has no room the primary is tried as soon as its pause is over."""
    async with a_house(ScriptedWorld(), a_subscription(concurrency=1, fallbacks=1)) as house:
        gate = house.dispatcher.courier("crm").gate
        for _ in range(5):
            is_probe = gate.begin("primary")
            gate.end("primary", DOWN, is_probe=is_probe)
        gate.begin("fallback-1")
        now = trio.current_time()
        assert gate.opens_at(now) == pytest.approx(now + 1)
