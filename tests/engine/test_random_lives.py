"""Random lives of one subscription, crashes included: whatever happens, the promise holds.

Every accepted event is delivered or a dead letter; first arrivals are in the order that was
asked for; no two events of a lane are out at once; every dead letter is reported; and once the
world is well, everything flows.
"""

import random
from collections import defaultdict

import pytest
import trio
from msgspec.structs import replace
from trio.testing import MockClock

from callpost.model.delivery import Message
from callpost.model.endpoint import Endpoint
from callpost.model.outcome import (
    Delivered,
    LocalFault,
    Outcome,
    Refused,
    Rejected,
    Retry,
)
from callpost.model.subscription import Order, Subscription
from doubles import MemorySpool, ScriptedWorld
from engine_house import DOWN, House, a_house, a_subscription, an_endpoint
from examples import examples

SICK_S = 120.0
WELL_S = 3 * 86_400.0
LIVES = examples(0.24)


def between(content: bytes, mark: bytes) -> bytes:
    """The JSON string that follows `mark`."""
    return content.split(mark)[1].split(b'"')[0]


class Life:
    """One seed is one life: a subscriber with moods, a producer, crashes."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.world = ScriptedWorld(self.behave)
        self.well_from = float("inf")
        self.out: set[bytes] = set()
        self.arrived: dict[bytes, list[int]] = defaultdict(list)
        self.reported: set[bytes] = set()
        self.accepted = 0
        self.mood = 0.3
        orders: list[Order] = ["call", "call", "none", "subscription"]
        self.order = self.chance.choice(orders)
        self.max_pending = self.chance.choice([1_000_000, 1_000_000, 40])

    async def behave(self, endpoint: Endpoint, message: Message) -> Outcome:
        """Take a while, then deliver or fail in some way."""
        if endpoint.place == "report":
            return self.hear(message)
        call = between(message.content, b'"callId":"')
        lane = {"call": call, "subscription": b"", "none": message.id.encode()}[self.order]
        assert lane not in self.out, "two events of one lane are out"
        self.out.add(lane)
        try:
            await trio.sleep(self.chance.choice([0, 0.001, 0.01, 0.5, 3]))
        finally:
            self.out.discard(lane)
        outcome = self.outcome()
        if isinstance(outcome, Delivered):
            number = int(message.id.removeprefix("evt_"))
            self.arrived[b"" if self.order == "subscription" else call].append(number)
        return outcome

    def hear(self, message: Message) -> Outcome:
        """A report comes in, or is lost on the way."""
        outcome = self.outcome()
        if isinstance(outcome, Delivered):
            self.reported.add(between(message.content, b'"eventId":"'))
        return outcome

    def outcome(self) -> Outcome:
        """Mostly well or mostly ill, and changing."""
        if trio.current_time() >= self.well_from or self.chance.random() > self.mood:
            return Delivered()
        if self.chance.random() < 0.1:
            self.mood = self.chance.choice([0.0, 0.1, 0.5, 1.0])
        wish_s = self.chance.random() * 20
        ill: list[Outcome] = [
            DOWN,
            DOWN,
            Retry(reason="http_503", http_status=503, retry_after_s=wish_s),
            Refused("http_409", 409),
            Rejected("http_422", 422),
            LocalFault("no_route"),
        ]
        return self.chance.choice(ill)

    async def produce(self, house: House) -> None:
        """Bursts of events of a few calls, for two minutes."""
        ends_at = trio.current_time() + SICK_S / 3
        while trio.current_time() < ends_at:
            calls = [f"c{self.chance.randrange(12)}" for _ in range(self.chance.randrange(1, 60))]
            kinds = ["newCall", "ringing", "answer", "dtmf", "hangup", "cdr"]
            await house.feed(*((call, self.chance.choice(kinds)) for call in calls))
            self.accepted += len(calls)
            await trio.sleep(self.chance.choice([0.01, 1, 8]))

    def subscription(self) -> Subscription:
        """Settings that differ from life to life."""
        return replace(
            a_subscription(
                order=self.order,
                concurrency=self.chance.choice([1, 2, 8]),
                fallbacks=self.chance.choice([0, 0, 2]),
            ),
            rate_per_s=self.chance.choice([0.0, 0.0, 50.0]),
            stale=self.chance.choice(["deliver", "deliver", "skip"]),
            after_gap=self.chance.choice(["continue", "continue", "skip_call"]),
            callback=self.chance.choice([None, None, an_endpoint("callback")]),
            report=an_endpoint("report"),
            report_on=frozenset({"dead"}),
        )


@pytest.mark.parametrize("seed", range(LIVES))
async def test_a_life(autojump_clock: MockClock, seed: int) -> None:
    """The promise holds for this seed."""
    life = Life(seed)
    subscription = life.subscription()
    spool = MemorySpool(commit_s=life.chance.choice([0.0001, 0.005, 0.1]))
    for _ in range(3):
        async with a_house(life.world, subscription, spool, max_pending=life.max_pending) as house:
            await life.produce(house)
        # A crash: what was queued for the spool and not committed is gone.
        spool.forget_uncommitted()
    life.well_from = trio.current_time()
    async with a_house(life.world, subscription, spool):
        await trio.sleep(WELL_S)
    assert (spool.rows, spool.deferred) == ({}, {})
    for lane, numbers in life.arrived.items():
        first = list(dict.fromkeys(numbers))
        in_order = first == sorted(first)
        assert in_order or life.order == "none", f"{lane!r} arrived out of order: {numbers}"
    arrived = {number for numbers in life.arrived.values() for number in numbers}
    dead = {between(delivery.body, b'"id":"') for owner, delivery, *_ in spool.dead if owner == 1}
    assert len(arrived | {int(event.removeprefix(b"evt_")) for event in dead}) == life.accepted
    # A receiver of reports may reject one: then that is a dead letter, and the last word.
    rejected = {
        between(delivery.body, b'"eventId":"') for owner, delivery, *_ in spool.dead if owner == 2
    }
    assert dead <= life.reported | rejected
