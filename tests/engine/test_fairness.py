"""What a second reading of the promises found: fairness, limits, wishes, probes."""

import pytest
import trio
from msgspec.structs import replace
from trio.testing import MockClock

from callpost.model.delivery import Message
from callpost.model.endpoint import Endpoint, TcpEndpoint
from callpost.model.outcome import Delivered, Gone, LocalFault, Outcome, Refused, Rejected, Retry
from doubles import ScriptedWorld
from engine_house import DOWN, a_house, a_subscription, an_endpoint


async def test_a_blip_of_many_attempts_is_probed_a_second_later(autojump_clock: MockClock) -> None:
    """Sixty-four failures at once are one blip: the probe does not wait for minutes."""

    async def down(_: Endpoint, __: Message) -> Outcome:
        await trio.sleep(0.3)
        return DOWN

    async with a_house(ScriptedWorld(down), a_subscription(concurrency=64)) as house:
        await house.feed(*((f"c{n}", "hangup") for n in range(200)))
        await trio.sleep(5)
        assert len(house.world.sent) > 64


async def test_two_chatty_slow_calls_do_not_stop_the_others(autojump_clock: MockClock) -> None:
    """Two of eight carriers are busy; another call goes at once."""

    async def slow(_: Endpoint, message: Message) -> Outcome:
        if b'"S' in message.content:
            await trio.sleep(5)
        return Delivered()

    async with a_house(ScriptedWorld(slow), a_subscription()) as house:
        await house.feed(("warm", "hangup"))
        await trio.sleep(1)
        await house.feed(*((f"S{n % 2}", "hold") for n in range(80)))
        await trio.sleep(0.5)
        at = trio.current_time()
        await house.feed(("F", "newCall"))
        await trio.sleep(60)
        fresh = [s.at - at for s in house.world.sent if b'"F"' in s.message.content]
        assert fresh
        assert fresh[0] < 1


async def test_a_slow_first_call_does_not_stop_the_others(autojump_clock: MockClock) -> None:
    """Before anything was delivered the window is small, but not of one call."""

    async def slow(_: Endpoint, message: Message) -> Outcome:
        if b'"S' in message.content:
            await trio.sleep(10)
        return Delivered()

    async with a_house(ScriptedWorld(slow), a_subscription()) as house:
        await house.feed(*(("S", "hold") for n in range(8)))
        await trio.sleep(0.1)
        at = trio.current_time()
        await house.feed(("F", "newCall"))
        await trio.sleep(30)
        fresh = [s.at - at for s in house.world.sent if b'"F"' in s.message.content]
        assert fresh
        assert fresh[0] < 1


async def test_overflow_with_order_subscription(autojump_clock: MockClock) -> None:
    """The one lane is always in memory; what waits behind it counts all the same."""

    async def slow(_: Endpoint, __: Message) -> Outcome:
        await trio.sleep(1)
        return Delivered()

    async with a_house(
        ScriptedWorld(slow), a_subscription(order="subscription"), max_pending=20
    ) as house:
        await house.feed(*((f"c{n}", "hangup") for n in range(15)))
        await trio.sleep(0.1)
        await house.feed(*((f"d{n}", "hangup") for n in range(100)))
        await trio.sleep(10)
        assert house.spool.pending_of(1) <= 20


async def test_overflow_with_a_wide_window(autojump_clock: MockClock) -> None:
    """A window of a thousand in memory does not hide the surplus behind it."""
    slow_s = [0.0]

    async def slow(_: Endpoint, __: Message) -> Outcome:
        await trio.sleep(slow_s[0])
        return Delivered()

    async with a_house(
        ScriptedWorld(slow), a_subscription(concurrency=100), max_pending=1000
    ) as house:
        await house.feed(("warm", "hangup"))
        await trio.sleep(1)
        slow_s[0] = 100.0
        await house.feed(*((f"c{n}", "hangup") for n in range(900)))
        await trio.sleep(1)
        await house.feed(*((f"d{n}", "hangup") for n in range(3000)))
        await trio.sleep(20)
        assert house.spool.pending_of(1) <= 1000


@pytest.mark.parametrize("primary", [Refused("http_409", 409), Rejected("http_400", 400)])
async def test_a_fallback_without_a_route_does_not_unbound_the_primary(
    autojump_clock: MockClock, primary: Outcome
) -> None:
    """What this machine cannot try is no reason to ask the primary again and again."""

    async def behave(endpoint: Endpoint, __: Message) -> Outcome:
        await trio.lowlevel.checkpoint()
        return primary if endpoint.place == "primary" else LocalFault("network_unreachable")

    async with a_house(ScriptedWorld(behave), a_subscription(fallbacks=1)) as house:
        await house.feed(("c", "hangup"))
        await trio.sleep(600)
        assert len([s for s in house.world.sent if s.place == "primary"]) <= 3


async def test_retries_leave_half_of_the_carriers(autojump_clock: MockClock) -> None:
    """A fresh call does not wait for eight slow second tries."""
    slow_s = [0.0]

    async def behave(_: Endpoint, message: Message) -> Outcome:
        if b'"F' in message.content:
            return Delivered()
        await trio.sleep(slow_s[0])
        return Refused("http_409", 409)

    async with a_house(ScriptedWorld(behave), a_subscription()) as house:
        await house.feed(("F", "hangup"))
        await house.feed(*((f"R{n}", "hangup") for n in range(100)))
        await trio.sleep(1)
        slow_s[0] = 8.0
        await trio.sleep(5)
        at = trio.current_time()
        await house.feed(("F1", "newCall"))
        await trio.sleep(20)
        fresh = [s.at - at for s in house.world.sent if b'"F1"' in s.message.content]
        assert fresh
        assert fresh[0] < 1


async def test_a_dead_callback_does_not_eat_the_rate(autojump_clock: MockClock) -> None:
    """A round without an attempt costs no token; new calls go at their rate."""

    async def behave(endpoint: Endpoint, __: Message) -> Outcome:
        await trio.lowlevel.checkpoint()
        return DOWN if endpoint.place == "callback" else Delivered()

    subscription = replace(a_subscription(), callback=an_endpoint("callback"), rate_per_s=10.0)
    async with a_house(ScriptedWorld(behave), subscription) as house:
        await house.feed(*((f"h{n}", "hangup") for n in range(300)))
        await trio.sleep(8)
        await house.feed(*((f"n{n}", "newCall") for n in range(60)))
        await trio.sleep(30)
        assert len([s for s in house.world.sent if s.place == "primary"]) == 60


async def test_slow_start_holds_with_a_callback_too(autojump_clock: MockClock) -> None:
    """After its probe the primary gets one attempt at a time first."""
    up = [False]
    out = [0]
    most = [0]

    async def behave(endpoint: Endpoint, __: Message) -> Outcome:
        if endpoint.place == "callback":
            return Delivered()
        out[0] += 1
        most[0] = max(most[0], out[0])
        await trio.sleep(0.5)
        out[0] -= 1
        return Delivered() if up[0] else DOWN

    subscription = replace(a_subscription(concurrency=8), callback=an_endpoint("callback"))
    async with a_house(ScriptedWorld(behave), subscription) as house:
        await house.feed(*((f"n{n}", "newCall") for n in range(5)))
        await trio.sleep(2)
        up[0] = True
        for _ in range(100):
            if house.logged("breaker.closed"):
                break
            await trio.sleep(0.05)
        most[0] = 0
        await house.feed(*((f"x{n}", "newCall") for n in range(60)))
        await trio.sleep(0.4)
        assert most[0] <= 1


async def test_a_gone_callback_does_not_eat_the_rate(autojump_clock: MockClock) -> None:
    """A thousand hangups that nobody can hear hold back no new call."""

    async def behave(endpoint: Endpoint, __: Message) -> Outcome:
        await trio.lowlevel.checkpoint()
        return Gone("http_410", 410) if endpoint.place == "callback" else Delivered()

    subscription = replace(a_subscription(), callback=an_endpoint("callback"), rate_per_s=5.0)
    async with a_house(ScriptedWorld(behave), subscription) as house:
        await house.feed(*((f"h{n}", "hangup") for n in range(1000)))
        await trio.sleep(400)
        at = trio.current_time()
        await house.feed(("F", "newCall"))
        await trio.sleep(600)
        fresh = [s.at - at for s in house.world.sent if s.place == "primary"]
        assert fresh
        assert fresh[0] < 1


async def test_the_shortest_wish_of_a_round_counts(autojump_clock: MockClock) -> None:
    """The primary wants an hour, the fallback two seconds: the fallback gets it after two."""

    async def behave(endpoint: Endpoint, __: Message) -> Outcome:
        await trio.lowlevel.checkpoint()
        if endpoint.place == "primary":
            return Retry(reason="http_503", http_status=503, retry_after_s=3600.0)
        if trio.current_time() - began < 1.9:
            return Retry(reason="http_429", http_status=429, retry_after_s=2.0)
        return Delivered()

    async with a_house(ScriptedWorld(behave), a_subscription(fallbacks=1)) as house:
        began = trio.current_time()
        await house.feed(("c", "newCall"), ("h", "hangup"))
        await trio.sleep(30)
        assert (
            house.reasons(),
            len([s for s in house.world.sent if s.outcome == Delivered()]),
        ) == ([], 2)


async def test_a_cdrs_retry_after_does_not_hold_live_events_for_ten_hours(
    autojump_clock: MockClock,
) -> None:
    """A patient cdr waits for as long as it is told, live events for 15 minutes."""

    async def behave(_: Endpoint, message: Message) -> Outcome:
        await trio.lowlevel.checkpoint()
        if b'"cdr"' in message.content:
            return Retry(reason="http_503", http_status=503, retry_after_s=36000.0)
        return Delivered()

    async with a_house(ScriptedWorld(behave), a_subscription()) as house:
        await house.feed(("c", "cdr"))
        await trio.sleep(1)
        await house.feed(("d", "hangup"))
        at = trio.current_time()
        await trio.sleep(11 * 3600)
        live = [s.at - at for s in house.world.sent if b'"hangup"' in s.message.content]
        assert live
        assert live[0] <= 900


async def test_an_endpoint_that_has_room_again_is_used_at_once(autojump_clock: MockClock) -> None:
    """A round that goes on at a slow fallback keeps nobody from the primary that it has left."""
    one_at_a_time = TcpEndpoint(
        place="primary", host="crm.example", port=1, method="POSTJSON", level=2
    )
    both = replace(
        a_subscription(concurrency=2), endpoints=(one_at_a_time, an_endpoint("fallback-1"))
    )

    async def behave(endpoint: Endpoint, message: Message) -> Outcome:
        if endpoint.place == "fallback-1":
            await trio.sleep(10)
        elif b'"a"' in message.content:
            await trio.sleep(1)
            return DOWN
        return Delivered()

    async with a_house(ScriptedWorld(behave), both) as house:
        await house.feed(("a", "newCall"), ("b", "newCall"))
        await trio.sleep(30)
        assert house.attempts_at() == pytest.approx([0, 1, 1], abs=0.02)
