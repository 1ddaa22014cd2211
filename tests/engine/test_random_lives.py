"""Random lives of one subscription, crashes included: whatever happens, the promise holds.

Every accepted event is delivered or a dead letter; first arrivals are in the order of their
call; no two events of a call are out at once; and once the world is well, everything flows.
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
from callpost.model.subscription import Subscription
from doubles import MemorySpool, ScriptedWorld
from engine_house import DOWN, House, a_house, a_subscription

SICK_S = 120.0
WELL_S = 3 * 86_400.0
LIVES = 40


class Life:
    """One seed is one life: a subscriber with moods, a producer, crashes."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.world = ScriptedWorld(self.behave)
        self.well_from = float("inf")
        self.out: set[bytes] = set()
        self.arrived: dict[bytes, list[int]] = defaultdict(list)
        self.accepted = 0
        self.mood = 0.3

    async def behave(self, _: Endpoint, message: Message) -> Outcome:
        """Take a while, then deliver or fail in some way."""
        call = message.content.split(b'"callId":"')[1].split(b'"')[0]
        assert call not in self.out, "two events of one call are out"
        self.out.add(call)
        try:
            await trio.sleep(self.chance.choice([0, 0.001, 0.01, 0.5, 3]))
        finally:
            self.out.discard(call)
        outcome = self.outcome()
        if isinstance(outcome, Delivered):
            self.arrived[call].append(message.seq)
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
                concurrency=self.chance.choice([1, 2, 8]), fallbacks=self.chance.choice([0, 0, 2])
            ),
            rate_per_s=self.chance.choice([0.0, 0.0, 50.0]),
        )


@pytest.mark.parametrize("seed", range(LIVES))
async def test_a_life(autojump_clock: MockClock, seed: int) -> None:
    """The promise holds for this seed."""
    life = Life(seed)
    subscription = life.subscription()
    spool = MemorySpool(commit_s=life.chance.choice([0.0001, 0.005, 0.1]))
    for _ in range(3):
        async with a_house(life.world, subscription, spool) as house:
            await life.produce(house)
        # A crash: what was queued for the spool and not committed is gone.
        spool.forget_uncommitted()
    life.well_from = trio.current_time()
    async with a_house(life.world, subscription, spool) as house:
        await trio.sleep(WELL_S)
    assert (spool.rows, spool.deferred) == ({}, {})
    for call, seqs in life.arrived.items():
        first = list(dict.fromkeys(seqs))
        assert first == sorted(first), f"{call!r} arrived out of order: {seqs}"
    arrived = sum(len(set(seqs)) for seqs in life.arrived.values())
    assert arrived + len(spool.dead) >= life.accepted
