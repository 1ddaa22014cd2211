"""What need not be sent any more, while some of it is just ending by itself."""

from collections import defaultdict

import trio
from msgspec.structs import replace
from trio.testing import MockClock

from callpost.engine.cull import Cull
from callpost.model.delivery import Delivery, Done, Message
from callpost.model.endpoint import Endpoint
from callpost.model.letter import letter_of
from callpost.model.outcome import Delivered, Outcome
from doubles import MemorySpool, ScriptedWorld, VirtualClock
from engine_house import a_house, a_subscription


def a_delivery(position: int, *, number: int, seq: int, kind: str) -> Delivery:
    """A delivery of call 1 that expired at the first second."""
    return Delivery(
        position=position,
        number=number,
        call=1,
        seq=seq,
        previous_id="",
        rounds=0,
        attempts=0,
        accepted_at=0.0,
        expires_at=1.0,
        body=f'{{"event":"{kind}","callId":"c","id":"e{number}"}}'.encode(),
    )


def a_spool(*deliveries: Delivery) -> MemorySpool:
    """A spool in which these are pending for subscription 1."""
    spool = MemorySpool()
    spool.rows = {(1, one.position): one for one in deliveries}
    spool._in_order = defaultdict(list, {1: [one.position for one in deliveries]})
    spool._of_call = defaultdict(list, {(1, 1): [one.position for one in deliveries]})
    spool._counts[1] = len(deliveries)
    return spool


def a_cull(spool: MemorySpool, *, max_pending: int = 100) -> Cull:
    """Looks through that spool for a subscription that skips what is stale."""
    return Cull(
        1,
        replace(a_subscription(), stale="skip"),
        spool=spool,
        clock=VirtualClock(),
        max_pending=lambda: max_pending,
    )


async def test_what_is_being_settled_does_not_expire() -> None:
    """It was delivered at the last moment, and its outcome waits for the next commit."""
    delivery = a_delivery(1, number=1, seq=1, kind="ringing")
    spool = a_spool(delivery)
    spool.settle(Done(subscription=1, delivery=delivery, attempts=()))
    assert a_cull(spool).expired(()) == []


async def test_what_is_being_settled_does_not_overflow() -> None:
    """Two are pending on disk and one of them has just gone: one is not too many."""
    first, second = (a_delivery(n, number=n, seq=n, kind="ringing") for n in (1, 2))
    spool = a_spool(first, second)
    spool.settle(Done(subscription=1, delivery=first, attempts=()))
    assert a_cull(spool, max_pending=1).excess(()) == []


async def test_only_a_later_hangup_makes_an_event_stale() -> None:
    """An earlier hangup that is sent again stands behind a live event, and ends nothing."""
    live = replace(a_delivery(2, number=2, seq=2, kind="answer"), expires_at=1e12)
    replayed = a_delivery(3, number=1, seq=1, kind="hangup")
    fate = a_cull(a_spool(live, replayed)).fate(live, letter_of(live.body), 0.5)
    assert fate is None


async def test_no_delivery_that_was_made_is_told_to_have_died(autojump_clock: MockClock) -> None:
    """A slow commit, a small `max_pending`, and an event that comes while an outcome rides."""

    async def slow(_: Endpoint, __: Message) -> Outcome:
        await trio.sleep(0.5)
        return Delivered()

    spool = MemorySpool(commit_s=1.0)
    async with a_house(ScriptedWorld(slow), a_subscription(), spool, max_pending=1) as house:
        await house.feed(("a", "hangup"))
        await house.feed(("b", "hangup"))
        await trio.sleep(10)
        assert (house.logged("delivery.died"), len(house.world.sent)) == ([], 2)
