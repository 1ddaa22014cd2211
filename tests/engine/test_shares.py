"""How much of the spool a customer may take, by the clock."""

import trio
from trio.testing import MockClock

from callpost.engine.shares import Shares
from callpost.model.limits import SpoolLimits
from doubles import VirtualClock

# A quarter of it is 100,000 bytes: an event of 9,488 has 512 beside it.
LIMITS = SpoolLimits(max_bytes=400_000, retain_s=3_600)
EVENT_BYTES = 9_488


def filled(events: int) -> Shares:
    """The shares after acme has given so many events."""
    shares = Shares(lambda: LIMITS, VirtualClock())
    for _ in range(events):
        shares.take("acme", EVENT_BYTES, 0)
    return shares


async def test_a_customer_may_take_a_quarter(autojump_clock: MockClock) -> None:
    """The one that would be more finds no room."""
    assert [filled(count).has_room("acme") for count in (0, 9, 10)] == [True, True, False]


async def test_a_full_share_is_nobody_elses(autojump_clock: MockClock) -> None:
    """Each customer has one."""
    assert filled(10).has_room("bravo")


async def test_a_share_is_free_again_after_retain(autojump_clock: MockClock) -> None:
    """Not before."""
    shares = filled(10)
    seen = []
    for _ in range(2):
        await trio.sleep(3_500)
        seen.append(shares.has_room("acme"))
    assert seen == [False, True]


async def test_deliveries_count(autojump_clock: MockClock) -> None:
    """An event for many subscriptions takes more room than one for nobody."""
    shares = Shares(lambda: LIMITS, VirtualClock())
    shares.take("acme", 0, 800)
    assert not shares.has_room("acme")


async def test_steps_are_not_remembered_for_ever(autojump_clock: MockClock) -> None:
    """However many events there were, a share has some two dozen sums."""
    shares = Shares(lambda: SpoolLimits(retain_s=3_600), VirtualClock())
    for _ in range(5_000):
        await trio.sleep(10)
        shares.take("acme", 1, 0)
        shares.has_room("acme")
    assert len(shares._taken["acme"]) <= 26
