"""How subscriptions are told to an operator, in virtual time: conditions, figures, lag."""

from collections.abc import Mapping

import pytest
import trio
from msgspec.structs import replace
from trio.testing import MockClock

from callpost.engine.overview import Overview
from callpost.model.condition import EndpointState, SubscriptionState
from callpost.model.delivery import Message, Standing
from callpost.model.endpoint import Endpoint, TcpEndpoint, UdpEndpoint
from callpost.model.outcome import Delivered, Gone, LocalFault, Outcome, Rejected, Retry
from callpost.model.unknown import UnknownSubscription
from doubles import MemorySpool, ScriptedWorld, VirtualClock
from engine_house import DOWN, House, a_house, a_subscription, an_endpoint, fails

BUSY = Retry(reason="http:429", http_status=429, retry_after_s=60.0)


class MemoryCounts:
    """The figures of a memory spool."""

    def __init__(self, spool: MemorySpool) -> None:
        self._spool = spool
        self.commit_out_s = 0.0

    def pending_of(self, subscription: int) -> int:
        """See overview.Counts."""
        return self._spool.pending_of(subscription)

    def oldest_at(self, subscription: int) -> float | None:
        """See overview.Counts."""
        rows = self._spool.rows.items()
        return next((one.accepted_at for (owner, _), one in rows if owner == subscription), None)

    async def dead_by_subscription(self) -> Mapping[int, int]:
        """See overview.Counts."""
        return {1: len(self._spool.dead)} if self._spool.dead else {}


def overview_of(house: House) -> Overview:
    """Of everything in the house."""
    return Overview(house.dispatcher, MemoryCounts(house.spool), clock=VirtualClock())


async def told(house: House) -> SubscriptionState:
    """How its one subscription is told."""
    return await overview_of(house).subscription("crm")


async def door(house: House, place: str = "primary") -> EndpointState:
    """How one of its endpoints is told."""
    return next(one for one in (await told(house)).endpoints if one.place == place)


def always(outcome: Outcome, *, after_s: float = 0.0) -> ScriptedWorld:
    """A subscriber that answers so, each time."""

    async def behave(_: Endpoint, __: Message) -> Outcome:
        await trio.sleep(after_s)
        return outcome

    return ScriptedWorld(behave)


async def test_deliveries_are_counted(autojump_clock: MockClock) -> None:
    """Two attempts, of which one delivers."""
    async with a_house(ScriptedWorld(fails(1)), a_subscription()) as house:
        await house.feed(("a", "hangup"))
        await trio.sleep(10)
        state = await told(house)
        assert (state.attempts, state.delivered, state.died, state.pending) == (2, 1, 0, 0)


async def test_the_last_failure_is_told_with_its_time(autojump_clock: MockClock) -> None:
    """Also once all is well again."""
    async with a_house(ScriptedWorld(fails(1)), a_subscription()) as house:
        await house.feed(("a", "hangup"))
        await trio.sleep(10)
        state = await told(house)
        assert state.last_failure == "connect:refused"
        assert state.last_failed_at is not None
        assert state.last_delivered_at is not None
        assert state.last_failed_at < state.last_delivered_at


async def test_the_dead_are_counted(autojump_clock: MockClock) -> None:
    """Those since the start, and those in the spool."""
    async with a_house(always(Rejected("http:422", 422)), a_subscription()) as house:
        await house.feed(("a", "hangup"), ("b", "hangup"))
        await trio.sleep(10)
        assert ((await told(house)).died, (await told(house)).dead) == (2, 2)


async def test_an_endpoint_that_fails_is_down_with_its_reason(autojump_clock: MockClock) -> None:
    """An operator learns why, and when it is tried again."""
    async with a_house(always(DOWN), a_subscription()) as house:
        await house.feed(*((f"c{n}", "hangup") for n in range(5)))
        await trio.sleep(0.5)
        state = await door(house)
        assert (state.condition, state.failures, state.reason) == ("down", 5, "connect:refused")
        assert state.since is not None
        assert state.next_try_at is not None
        assert state.since < state.next_try_at


async def test_an_endpoint_that_wants_a_rest_is_held(autojump_clock: MockClock) -> None:
    """It is no failure."""
    async with a_house(always(BUSY), a_subscription()) as house:
        await house.feed(("a", "hangup"))
        await trio.sleep(1)
        assert ((await door(house)).condition, (await door(house)).failures) == ("held", 0)


async def test_attempts_that_are_out_are_told(autojump_clock: MockClock) -> None:
    """At their endpoint and in the sum."""
    async with a_house(always(Delivered(), after_s=10), a_subscription()) as house:
        await house.feed(*((f"c{n}", "hangup") for n in range(3)))
        await trio.sleep(1)
        assert ((await told(house)).in_flight, (await door(house)).in_flight) == (3, 3)


async def test_a_pause_is_told_with_its_beginning(autojump_clock: MockClock) -> None:
    """And who has paused it."""
    async with a_house(ScriptedWorld(), a_subscription()) as house:
        before = await told(house)
        house.dispatcher.pause("crm")
        after = await told(house)
        assert (before.condition, before.since, after.condition) == ("active", None, "paused")
        assert after.since is not None


async def test_a_pause_keeps_its_beginning_over_a_restart(autojump_clock: MockClock) -> None:
    """The spool remembers it."""
    spool = MemorySpool()
    async with a_house(ScriptedWorld(), a_subscription(), spool) as house:
        house.dispatcher.pause("crm")
        paused_since = (await told(house)).since
        await trio.sleep(1)
    async with a_house(ScriptedWorld(), a_subscription(), spool) as house:
        await trio.sleep(100)
        assert (await told(house)).since == paused_since


async def test_a_resumed_subscription_is_active(autojump_clock: MockClock) -> None:
    """Since no particular time."""
    async with a_house(ScriptedWorld(), a_subscription()) as house:
        house.dispatcher.pause("crm")
        house.dispatcher.resume("crm")
        assert ((await told(house)).condition, (await told(house)).since) == ("active", None)


async def test_all_endpoints_gone_pause_the_subscription(autojump_clock: MockClock) -> None:
    """Its condition says whose doing that was."""
    async with a_house(always(Gone("http:410", 410)), a_subscription()) as house:
        await house.feed(("a", "hangup"))
        await trio.sleep(1)
        assert ((await told(house)).condition, (await door(house)).condition) == (
            "paused_gone",
            "gone",
        )


@pytest.mark.parametrize("word", ["pause", "resume"])
async def test_nobody_is_paused_or_resumed_by_a_wrong_name(
    autojump_clock: MockClock, word: str
) -> None:
    """It is said that there is no such subscription."""
    async with a_house(ScriptedWorld(), a_subscription()) as house:
        act = {"pause": house.dispatcher.pause, "resume": house.dispatcher.resume}[word]
        with pytest.raises(UnknownSubscription, match="'cmr'"):
            act("cmr")


@pytest.mark.parametrize("name", ["cmr", "crm!report"])
async def test_nothing_is_told_of_an_unknown_subscription(
    autojump_clock: MockClock, name: str
) -> None:
    """A queue of delivery reports is no subscription either."""
    subscription = replace(
        a_subscription(), report=an_endpoint("report"), report_on=frozenset({"dead"})
    )
    async with a_house(ScriptedWorld(), subscription) as house:
        with pytest.raises(UnknownSubscription):
            await overview_of(house).subscription(name)


async def test_where_reports_go_is_told_with_the_subscription(autojump_clock: MockClock) -> None:
    """As one more endpoint of it."""
    subscription = replace(
        a_subscription(), report=an_endpoint("report"), report_on=frozenset({"dead"})
    )
    async with a_house(ScriptedWorld(), subscription) as house:
        [state] = await overview_of(house).subscriptions()
        assert [one.place for one in state.endpoints] == ["primary", "report"]


@pytest.mark.parametrize(
    ("endpoint", "guarantee"),
    [
        (an_endpoint(), "at_least_once"),
        (TcpEndpoint(place="primary", host="a", port=1, method="POSTJSON", level=2), "best_effort"),
        (
            TcpEndpoint(place="primary", host="a", port=1, method="POSTJSON", level=2, ack=True),
            "at_least_once",
        ),
        (UdpEndpoint(place="primary", host="a", port=1, method="POSTJSON", level=2), "best_effort"),
    ],
)
async def test_the_guarantee_is_called_by_its_name(
    autojump_clock: MockClock, endpoint: Endpoint, guarantee: str
) -> None:
    """What nobody confirms is best effort."""
    subscription = replace(a_subscription(), endpoints=(endpoint,))
    async with a_house(ScriptedWorld(), subscription) as house:
        assert (await door(house)).guarantee == guarantee


async def test_who_is_up_to_date_has_no_lag(autojump_clock: MockClock) -> None:
    """Nothing waits."""
    async with a_house(ScriptedWorld(), a_subscription()) as house:
        await house.feed(("a", "hangup"))
        await trio.sleep(10)
        assert (await told(house)).lag_s == 0.0


async def test_lag_is_the_age_of_what_waits_for_its_turn(autojump_clock: MockClock) -> None:
    """One carrier, 10 s for each delivery: after 15 s the second is at it, the third waits."""
    async with a_house(always(Delivered(), after_s=10), a_subscription(concurrency=1)) as house:
        await house.feed(*((f"c{n}", "hangup") for n in range(3)))
        await trio.sleep(15)
        assert (await told(house)).lag_s == pytest.approx(15, abs=0.1)


async def test_a_delivery_that_waits_for_its_own_retry_is_no_lag(
    autojump_clock: MockClock,
) -> None:
    """One bad call does not make a subscriber late for which all others go through."""

    async def behave(_: Endpoint, message: Message) -> Outcome:
        await trio.lowlevel.checkpoint()
        return Retry(reason="http:500", http_status=500) if b'"bad"' in message.content else ok

    ok = Delivered()
    async with a_house(ScriptedWorld(behave), a_subscription()) as house:
        await house.feed(("bad", "hangup"), ("good", "hangup"))
        # Its pauses are 0.5, 1, 2 and 5 s: in the middle of the last.
        await trio.sleep(6)
        assert ((await told(house)).pending, (await told(house)).lag_s) == (1, 0.0)


async def test_a_paused_subscription_falls_behind(autojump_clock: MockClock) -> None:
    """By the age of its oldest, wherever that lies."""
    async with a_house(ScriptedWorld(), a_subscription()) as house:
        house.dispatcher.pause("crm")
        await house.feed(("a", "hangup"))
        await trio.sleep(30)
        assert (await told(house)).lag_s == pytest.approx(30, abs=0.1)


async def test_a_restart_does_not_hide_how_far_behind_a_paused_one_is(
    autojump_clock: MockClock,
) -> None:
    """Nothing of it is in memory then."""
    spool = MemorySpool(standings={1: Standing(paused="operator")})
    async with a_house(ScriptedWorld(), a_subscription(), spool) as house:
        await house.feed(("a", "hangup"))
    async with a_house(ScriptedWorld(), a_subscription(), spool) as house:
        await trio.sleep(30)
        assert (await told(house)).lag_s == pytest.approx(30, abs=0.1)


async def test_a_stalled_courier_is_told(autojump_clock: MockClock) -> None:
    """With the reason, on its subscription and as a trouble of the daemon."""

    async def behave(_: Endpoint, __: Message) -> Outcome:
        await trio.sleep_forever()
        return DOWN

    async with a_house(ScriptedWorld(behave), a_subscription()) as house:
        await house.feed(("a", "hangup"))
        await trio.sleep(36)
        reason = "an attempt at primary has not come back 21 s after its time-out"
        [trouble] = overview_of(house).troubles()
        assert ((await told(house)).stalled, trouble.code, trouble.sentence) == (
            reason,
            "courier_stalled",
            f"crm makes no progress: {reason}.",
        )


async def test_a_machine_without_a_way_out_is_told(autojump_clock: MockClock) -> None:
    """It is nobody's endpoint."""
    async with a_house(always(LocalFault("no_route")), a_subscription()) as house:
        await house.feed(("a", "hangup"))
        await trio.sleep(30)
        [trouble] = overview_of(house).troubles()
        assert (trouble.code, trouble.sentence, (await door(house)).condition) == (
            "egress_down",
            "This machine reaches nobody: no_route.",
            "ok",
        )


async def test_a_commit_that_hangs_is_told(autojump_clock: MockClock) -> None:
    """Nothing is promised meanwhile."""
    async with a_house(ScriptedWorld(), a_subscription()) as house:
        counts = MemoryCounts(house.spool)
        counts.commit_out_s = 12.0
        [trouble] = Overview(house.dispatcher, counts, clock=VirtualClock()).troubles()
        assert (trouble.code, trouble.sentence) == (
            "spool_error",
            "A commit has not come back from the disk for 12 s.",
        )


async def test_whoever_is_well_has_no_troubles(autojump_clock: MockClock) -> None:
    """Nothing is wrong with a failing endpoint's daemon."""
    async with a_house(always(DOWN), a_subscription()) as house:
        await house.feed(("a", "hangup"))
        await trio.sleep(60)
        assert overview_of(house).troubles() == ()


async def test_others_have_their_turn_while_thousands_are_told(autojump_clock: MockClock) -> None:
    """An operator who looks on does not hold up the deliveries."""
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            await trio.lowlevel.checkpoint()
            turns += 1

    async with a_house(ScriptedWorld(), a_subscription()) as house:
        house.apply(*(replace(a_subscription(), name=f"s{number}") for number in range(1_000)))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(others)
            told_of = len(await overview_of(house).subscriptions())
            nursery.cancel_scope.cancel()
    assert (told_of, turns >= 3) == (1_000, True)


async def test_who_is_removed_while_all_are_told_is_left_out(autojump_clock: MockClock) -> None:
    """A reload may come between two of them."""
    async with a_house(ScriptedWorld(), a_subscription()) as house:
        house.apply(*(replace(a_subscription(), name=f"s{number}") for number in range(300)))
        looks = 0

        async def turn() -> None:
            nonlocal looks
            await trio.lowlevel.checkpoint()
            looks += 1
            if looks == 2:
                house.apply(replace(a_subscription(), name="s0"))

        states = await overview_of(house).subscriptions(turn=turn)
    assert len(states) == 200
