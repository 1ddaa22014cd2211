"""When a commit is due, in virtual time."""

import pytest
import trio
import trio.testing

from callpost.edge.spool.waiting import Append, Chore, Waiting
from callpost.model.delivery import Delivery, Done, Released, Settlement
from spool_nouns import NEVER, arrival

DELIVERY = Delivery(
    position=1,
    number=1,
    call=1,
    seq=1,
    previous_id="",
    rounds=0,
    attempts=0,
    accepted_at=1_000.0,
    expires_at=NEVER,
    body=b"{}",
)
BARE = Done(subscription=1, delivery=DELIVERY, attempts=())
REPORTED = Done(subscription=1, delivery=DELIVERY, attempts=(), report=arrival("report", 1))
RELEASED = Released(subscription=1, order="call", key=1)


async def test_a_bare_done_is_due_after_20_ms(autojump_clock: trio.testing.MockClock) -> None:
    """It waits so long for others to share its commit."""
    waiting = Waiting()
    waiting.add_settlement((BARE, None))
    began_at = autojump_clock.current_time()
    await waiting.until_due()
    assert autojump_clock.current_time() - began_at == pytest.approx(0.02)


async def test_a_bare_done_is_noticed_by_a_writer_that_sleeps(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """A writer that waits for anything at all learns of it."""
    waiting = Waiting()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(waiting.until_due)
        await trio.testing.wait_all_tasks_blocked()
        began_at = autojump_clock.current_time()
        waiting.add_settlement((BARE, None))
    assert autojump_clock.current_time() - began_at == pytest.approx(0.02)


async def test_256_settlements_are_due_at_once(autojump_clock: trio.testing.MockClock) -> None:
    """There is nothing to gain by waiting for more."""
    waiting = Waiting()
    for _ in range(256):
        waiting.add_settlement((BARE, None))
    began_at = autojump_clock.current_time()
    await waiting.until_due()
    assert autojump_clock.current_time() == began_at


@pytest.mark.parametrize(
    "queued",
    [(RELEASED, None), (BARE, print), (REPORTED, None)],
    ids=["another kind", "someone waits", "with a report"],
)
async def test_other_settlements_are_due_at_once(
    autojump_clock: trio.testing.MockClock, queued: tuple[Settlement, None]
) -> None:
    """Only a `Done` that nobody waits for, and nobody hears of, may ride."""
    waiting = Waiting()
    began_at = autojump_clock.current_time()
    waiting.add_settlement(queued)
    await waiting.until_due()
    assert autojump_clock.current_time() == began_at


async def test_an_append_takes_a_riding_done_with_it(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """A commit is due at once, and both are in it."""
    waiting = Waiting()
    waiting.add_settlement((BARE, None))
    waiting.add_append(Append([arrival("a")], trio.Event()))
    began_at = autojump_clock.current_time()
    await waiting.until_due()
    assert autojump_clock.current_time() == began_at
    assert (len(waiting.take_appends()), len(waiting.take_settlements())) == (1, 1)


async def test_a_chore_is_due_at_once(autojump_clock: trio.testing.MockClock) -> None:
    """Someone waits for it."""
    waiting = Waiting()
    waiting.add_chore(Chore(print, trio.Event()))
    began_at = autojump_clock.current_time()
    await waiting.until_due()
    assert autojump_clock.current_time() == began_at


def test_large_events_make_small_batches() -> None:
    """A batch ends after 4 MiB of bodies, so that a full spool is noticed in time."""
    waiting = Waiting()
    for n in range(100):
        waiting.add_append(Append([arrival(str(n), body=b"x" * 65_536)], trio.Event()))
    assert len(waiting.take_appends()) == 64


async def test_what_is_put_back_is_taken_first() -> None:
    """The order of the settlements survives a commit that failed."""
    waiting = Waiting()
    waiting.add_settlement((BARE, None))
    taken = waiting.take_settlements()
    waiting.add_settlement((RELEASED, None))
    waiting.put_back(taken)
    assert [one for one, _ in waiting.take_settlements()] == [BARE, RELEASED]


async def test_ten_thousand_waiting_settlements_are_clogged() -> None:
    """So many wait only where the disk takes none."""
    waiting = Waiting()
    for _ in range(9_999):
        waiting.add_settlement((BARE, None))
    before = waiting.is_clogged()
    waiting.add_settlement((BARE, None))
    assert (before, waiting.is_clogged()) == (False, True)
