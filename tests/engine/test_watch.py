"""The watchdog's watch over couriers, in virtual time: who stands still is told and nudged."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
import trio
from msgspec.structs import replace
from trio.testing import MockClock

from callpost.engine.bell import Bell
from callpost.engine.watch import LOOK_INTERVAL_S, Watch
from callpost.model.delivery import Message, SpoolUnreadable
from callpost.model.endpoint import Endpoint
from callpost.model.outcome import Delivered, Outcome, Retry
from callpost.model.subscription import Subscription
from doubles import MemorySpool, ScriptedWorld, VirtualClock, logs_into
from engine_house import DOWN, House, a_house, a_subscription

# An attempt's own time-out, its grace, and the look that finds it.
FOUND_AFTER_S = 15.0 + 5.0 + LOOK_INTERVAL_S


@dataclass
class Disk:
    """A disk whose present commit has been out for so long."""

    commit_out_s: float = 0.0


@dataclass
class Watched:
    """A house, and what its watch has said."""

    house: House
    disk: Disk
    well_at: list[float] = field(default_factory=list)
    lines: list[dict[str, object]] = field(default_factory=list)

    def told(self) -> list[object]:
        """The names of the lines, in order."""
        return [line["event"] for line in self.lines]

    def is_well(self) -> bool:
        """The last look told the watchdog so."""
        return bool(self.well_at) and trio.current_time() - self.well_at[-1] <= LOOK_INTERVAL_S


@asynccontextmanager
async def a_watched_house(
    world: ScriptedWorld, subscription: Subscription, spool: MemorySpool | None = None
) -> AsyncIterator[Watched]:
    """The engine with its watch, in whose nursery that lives."""
    async with a_house(world, subscription, spool) as house, trio.open_nursery() as nursery:
        watched = Watched(house, Disk())
        watch = Watch(
            house.dispatcher,
            watched.disk,
            clock=VirtualClock(),
            all_is_well=lambda: watched.well_at.append(trio.current_time()),
            interval_s=LOOK_INTERVAL_S,
            log=logs_into(watched.lines).log,
        )
        nursery.start_soon(watch.run)
        yield watched
        nursery.cancel_scope.cancel()


def stuck(times: int = 1_000, place: str = "primary") -> ScriptedWorld:
    """A sender that does not return, so many times; then it delivers."""
    left = iter(range(times))

    async def behave(endpoint: Endpoint, _: Message) -> Outcome:
        if endpoint.place == place and next(left, None) is not None:
            await trio.sleep_forever()
        return Delivered()

    return ScriptedWorld(behave)


def deaf_to_cancellation() -> ScriptedWorld:
    """A sender that neither returns nor lets itself be cancelled while its house stands."""

    async def behave(_: Endpoint, __: Message) -> Outcome:
        with trio.CancelScope(shield=True):
            await trio.sleep(3600.0)
        return DOWN

    return ScriptedWorld(behave)


async def test_an_attempt_that_never_returns_is_told_once(autojump_clock: MockClock) -> None:
    """With all that it takes to find the cause."""
    async with a_watched_house(stuck(1), a_subscription()) as watched:
        await watched.house.feed(("a", "hangup"))
        await trio.sleep(300)
        told = [line for line in watched.lines if line["event"] == "courier.stalled"]
        assert [
            (one["subscription"], one["eventId"], one["endpoint"], one["place"]) for one in told
        ] == [("crm", "evt_1", "http://crm.example:80", "primary")]


async def test_an_attempt_that_never_returns_is_taken_back(autojump_clock: MockClock) -> None:
    """It counts as a failed one, and the delivery is tried again."""
    async with a_watched_house(stuck(1), a_subscription()) as watched:
        await watched.house.feed(("a", "hangup"))
        await trio.sleep(60)
        outcomes = [(one.outcome, one.reason) for one in watched.house.counted.attempts]
        assert outcomes == [("retry", "stuck"), ("delivered", "delivered")]


async def test_a_courier_goes_on_once_its_attempt_is_taken_back(autojump_clock: MockClock) -> None:
    """That is told too."""
    async with a_watched_house(stuck(1), a_subscription()) as watched:
        await watched.house.feed(("a", "hangup"))
        await trio.sleep(60)
        assert watched.told() == ["courier.stalled", "courier.resumed"]


async def test_the_watchdog_hears_of_us_while_an_attempt_is_taken_back(
    autojump_clock: MockClock,
) -> None:
    """What can be ended without a restart is no reason for one."""
    async with a_watched_house(stuck(1), a_subscription()) as watched:
        await watched.house.feed(("a", "hangup"))
        await trio.sleep(60)
        well_at = watched.well_at
        pauses = [after - at for at, after in pairwise(well_at)]
        assert max(pauses) == pytest.approx(LOOK_INTERVAL_S)


async def test_a_fallback_takes_over_from_a_stuck_door(autojump_clock: MockClock) -> None:
    """At once: the primary's breaker opens for it."""
    async with a_watched_house(stuck(), a_subscription(fallbacks=1)) as watched:
        await watched.house.feed(("a", "hangup"))
        await trio.sleep(FOUND_AFTER_S + 0.5)
        attempts = [(one.place, one.outcome) for one in watched.house.counted.attempts]
        assert attempts == [("primary", "retry"), ("fallback-1", "delivered")]


async def test_a_lone_carrier_is_replaced_when_it_is_taken_back(autojump_clock: MockClock) -> None:
    """Its subscription is not left without any."""
    async with a_watched_house(stuck(1), a_subscription(concurrency=1)) as watched:
        await watched.house.feed(*((f"c{n}", "hangup") for n in range(5)))
        await trio.sleep(120)
        assert len(watched.house.spool.rows) == 0


async def test_a_sender_that_makes_a_group_of_its_cancellation_is_taken_back(
    autojump_clock: MockClock,
) -> None:
    """Any nursery inside of a sender does so."""

    async def behave(_: Endpoint, __: Message) -> Outcome:
        if len(world.sent) > 1:
            return Delivered()
        async with trio.open_nursery() as race:
            race.start_soon(trio.sleep_forever)
            race.start_soon(trio.sleep_forever)
        return DOWN

    world = ScriptedWorld(behave)
    async with a_watched_house(world, a_subscription()) as watched:
        await watched.house.feed(("a", "hangup"))
        await trio.sleep(60)
        assert [one.reason for one in watched.house.counted.attempts] == ["stuck", "delivered"]


async def test_a_sender_that_ignores_its_cancellation_silences_the_watchdog(
    autojump_clock: MockClock,
) -> None:
    """Nothing inside of this process can end it."""
    async with a_watched_house(deaf_to_cancellation(), a_subscription()) as watched:
        await watched.house.feed(("a", "hangup"))
        await trio.sleep(FOUND_AFTER_S + 3 * LOOK_INTERVAL_S)
        assert not watched.is_well()


async def test_attempts_that_stick_one_after_the_other_do_not_silence_the_watchdog(
    autojump_clock: MockClock,
) -> None:
    """As long as each can be taken back a restart would help nobody."""
    async with a_watched_house(stuck(), a_subscription()) as watched:
        await watched.house.feed(*((f"c{n}", "hangup") for n in range(20)))
        looks = []
        for _ in range(120):
            await trio.sleep(LOOK_INTERVAL_S)
            looks.append(watched.is_well())
        assert all(looks)


class DeafBell(Bell):
    """Nobody hears it."""

    def ring(self) -> None:
        """Make no sound."""


async def test_work_that_nobody_comes_for_silences_the_watchdog(autojump_clock: MockClock) -> None:
    """A courier whose bell is deaf has free carriers, and work on the disk."""
    async with a_watched_house(ScriptedWorld(), a_subscription()) as watched:
        await trio.sleep(1)
        watched.house.dispatcher.courier("crm")._bell = DeafBell()
        await watched.house.feed(("a", "hangup"))
        await trio.sleep(5 * LOOK_INTERVAL_S)
        assert (watched.told(), watched.is_well()) == (["courier.stalled"], False)


async def test_a_lost_ring_is_made_up_for(autojump_clock: MockClock) -> None:
    """The nudge is a ring, and the bell is heard again."""
    async with a_watched_house(ScriptedWorld(), a_subscription()) as watched:
        await trio.sleep(1)
        courier = watched.house.dispatcher.courier("crm")
        heard, courier._bell = courier._bell, DeafBell()
        await watched.house.feed(("a", "hangup"))
        courier._bell = heard
        await trio.sleep(5 * LOOK_INTERVAL_S)
        assert (watched.told(), len(watched.house.spool.rows)) == (
            ["courier.stalled", "courier.resumed"],
            0,
        )


async def test_a_machine_that_stood_still_makes_nobody_stuck(autojump_clock: MockClock) -> None:
    """After a snapshot or a long halt every attempt is late; it gets the time to come back."""

    async def behave(_: Endpoint, __: Message) -> Outcome:
        await trio.sleep(3.0)
        await trio.sleep(0.5)
        return Delivered()

    async with a_watched_house(ScriptedWorld(behave), a_subscription()) as watched:
        await watched.house.feed(("a", "hangup"))
        await trio.sleep(1)
        autojump_clock.jump(60.0)
        await trio.sleep(1)
        was_well = watched.is_well()
        await trio.sleep(3 * LOOK_INTERVAL_S)
        assert (watched.told(), was_well, len(watched.house.world.sent)) == ([], True, 1)


async def test_a_commit_that_hangs_silences_the_watchdog(autojump_clock: MockClock) -> None:
    """Until it comes back."""
    async with a_watched_house(ScriptedWorld(), a_subscription()) as watched:
        watched.disk.commit_out_s = 10.1
        await trio.sleep(3 * LOOK_INTERVAL_S + 1)
        was_well = watched.is_well()
        watched.disk.commit_out_s = 0.0
        await trio.sleep(LOOK_INTERVAL_S)
        assert (was_well, watched.is_well()) == (False, True)


async def test_a_commit_that_hangs_is_told_once(autojump_clock: MockClock) -> None:
    """At its beginning, and when it has come back."""
    async with a_watched_house(ScriptedWorld(), a_subscription()) as watched:
        watched.disk.commit_out_s = 10.1
        await trio.sleep(10 * LOOK_INTERVAL_S)
        watched.disk.commit_out_s = 0.0
        await trio.sleep(LOOK_INTERVAL_S + 1)
        assert watched.told() == ["spool.stalled", "spool.resumed"]


async def test_a_slow_commit_is_no_stall(autojump_clock: MockClock) -> None:
    """A disk may take its time."""
    async with a_watched_house(ScriptedWorld(), a_subscription()) as watched:
        watched.disk.commit_out_s = 9.9
        await trio.sleep(3 * LOOK_INTERVAL_S)
        assert watched.is_well()


class BlindSpool(MemorySpool):
    """A spool on a disk that cannot be read."""

    def page(self, *_: object, **__: object) -> object:  # type: ignore[override] # it takes anything
        """Fail."""
        raise SpoolUnreadable


def answering(outcome: Outcome, *, after_s: float = 0.0) -> ScriptedWorld:
    """A subscriber that always answers so."""

    async def behave(_: Endpoint, __: Message) -> Outcome:
        await trio.sleep(after_s)
        return outcome

    return ScriptedWorld(behave)


BUSY = Retry(reason="http:429", http_status=429, retry_after_s=600.0)


@pytest.mark.parametrize(
    ("world", "subscription", "spool"),
    [
        (answering(DOWN), a_subscription(), MemorySpool),
        (answering(DOWN), a_subscription(fallbacks=2), MemorySpool),
        (answering(BUSY), a_subscription(), MemorySpool),
        (answering(Delivered()), replace(a_subscription(), rate_per_s=0.02), MemorySpool),
        (answering(Delivered(), after_s=14.9), a_subscription(order="subscription"), MemorySpool),
        (answering(Delivered(), after_s=14.9), a_subscription(concurrency=1), MemorySpool),
        (answering(Delivered()), a_subscription(), BlindSpool),
        (answering(Delivered()), a_subscription(), lambda: MemorySpool(clogged=True)),
        (answering(Delivered()), a_subscription(), lambda: MemorySpool(commit_s=60.0)),
    ],
    ids=[
        "breaker open",
        "breakers open",
        "Retry-After",
        "rate limit",
        "one at a time",
        "one carrier",
        "disk unreadable",
        "disk clogged",
        "disk slow",
    ],
)
async def test_a_wait_that_has_a_reason_is_no_stall(
    autojump_clock: MockClock,
    world: ScriptedWorld,
    subscription: Subscription,
    spool: Callable[[], MemorySpool],
) -> None:
    """However long it lasts and however much waits."""
    async with a_watched_house(world, subscription, spool()) as watched:
        for n in range(30):
            await watched.house.feed((f"c{n}", "newCall"), (f"c{n}", "hangup"))
            await trio.sleep(20)
        assert (watched.told(), watched.is_well()) == ([], True)


async def test_a_paused_subscription_does_not_stand_still(autojump_clock: MockClock) -> None:
    """It was told to."""
    async with a_watched_house(ScriptedWorld(), a_subscription()) as watched:
        watched.house.dispatcher.pause("crm")
        await watched.house.feed(*((f"c{n}", "hangup") for n in range(100)))
        await trio.sleep(60)
        assert watched.told() == []


async def test_a_window_that_is_held_does_not_stand_still(autojump_clock: MockClock) -> None:
    """What is being buried holds it until that is on disk."""
    async with a_watched_house(ScriptedWorld(), a_subscription()) as watched:
        await trio.sleep(1)
        watched.house.dispatcher.courier("crm").window.hold()
        await watched.house.feed(("a", "hangup"))
        await trio.sleep(60)
        assert watched.told() == []


async def test_a_sender_that_answers_its_cancellation_is_believed(
    autojump_clock: MockClock,
) -> None:
    """It knows best what came of its attempt, and others carry on."""

    async def behave(_: Endpoint, __: Message) -> Outcome:
        if len(world.sent) > 1:
            return Delivered()
        try:
            await trio.sleep_forever()
        except trio.Cancelled:
            return Delivered(reason="http:200")
        return DOWN

    world = ScriptedWorld(behave)
    async with a_watched_house(world, a_subscription(concurrency=1)) as watched:
        await watched.house.feed(("a", "newCall"), ("a", "hangup"))
        await trio.sleep(60)
        assert [one.reason for one in watched.house.counted.attempts] == ["http:200", "delivered"]
