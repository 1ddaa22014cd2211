"""Deadlines end a wait when they should, whatever was set before, and cost next to nothing."""

from math import inf

import pytest
import trio
from hypothesis import example, given
from hypothesis import strategies as st
from trio.testing import MockClock

from callpost.edge.dial.watch import Watch


class _Watched:
    """Notes when it expired."""

    def __init__(self, watch: Watch) -> None:
        self.deadline = inf
        self.alarm_at = inf
        self.expired_at: list[float] = []
        self._watch = watch

    def set_deadline(self, when: float) -> None:
        """As a link does."""
        self.deadline = when
        if when < self.alarm_at:
            self._watch.call(self, when)

    def expire(self) -> None:
        """As a link that is in use: its deadline has had its effect."""
        self.expired_at.append(trio.current_time())
        self.deadline = inf


@pytest.fixture
async def watch(nursery: trio.Nursery) -> Watch:
    """A watch that runs."""
    running = Watch()
    await nursery.start(running.run)
    return running


@pytest.mark.parametrize(
    ("set_at_once", "expired_at"),
    [
        ([5.0], [5.0]),
        ([5.0, 9.0], [9.0]),
        ([9.0, 5.0], [5.0]),
        ([9.0, 5.0, 7.0], [7.0]),
        ([5.0, inf], []),
        ([5.0, inf, 9.0], [9.0]),
        ([-1.0], [0.0]),
        ([inf], []),
    ],
)
async def test_the_last_deadline_counts(
    autojump_clock: MockClock, watch: Watch, set_at_once: list[float], expired_at: list[float]
) -> None:
    """Moved earlier, moved later, taken back."""
    watched = _Watched(watch)
    now = trio.current_time()
    for when in set_at_once:
        watched.set_deadline(now + when)
    await trio.sleep(20)
    assert [at - now for at in watched.expired_at] == expired_at


async def test_of_many_each_expires_once(autojump_clock: MockClock, watch: Watch) -> None:
    """Though all have the same deadline."""
    many = [_Watched(watch) for _ in range(100)]
    now = trio.current_time()
    for watched in many:
        watched.set_deadline(now + 5)
    await trio.sleep(20)
    assert [watched.expired_at for watched in many] == [[now + 5]] * 100


async def test_an_exchange_after_the_other_needs_one_alarm(
    autojump_clock: MockClock, watch: Watch
) -> None:
    """The watch is told of the first deadline; the others it finds for itself."""
    watched = _Watched(watch)
    for _ in range(1_000):
        watched.set_deadline(trio.current_time() + 10)
        await trio.sleep(0.01)
        watched.set_deadline(inf)
    assert len(watch._alarms) == 1


async def test_without_deadlines_the_watch_sleeps(autojump_clock: MockClock, watch: Watch) -> None:
    """An idle daemon is not woken."""
    watched = _Watched(watch)
    watched.set_deadline(trio.current_time() + 1)
    watched.set_deadline(inf)
    await trio.sleep(2)
    await trio.testing.wait_all_tasks_blocked()
    assert trio.lowlevel.current_statistics().seconds_to_next_deadline == inf


async def test_a_deadline_that_nobody_watches_is_an_error() -> None:
    """Else a silent peer would be waited for without end."""
    with pytest.raises(RuntimeError, match="before the watch runs"):
        _Watched(Watch()).set_deadline(1.0)


_steps = st.lists(
    st.tuples(
        st.integers(0, 1),
        st.sampled_from([0.0, 1.0, 2.0, 5.0]),
        st.sampled_from([0.5, 1.5, 4.5, 20.5, inf]),
    ),
    max_size=12,
)


@given(steps=_steps)
@example(steps=[(0, 0.0, 4.5), (0, 0.0, 0.5), (0, 0.0, inf), (0, 2.0, 20.5)])
def test_a_wait_ends_at_the_deadline_that_stands(steps: list[tuple[int, float, float]]) -> None:
    """Each step waits, then sets one link's deadline to so much from then on."""
    expected: list[list[float]] = [[], []]

    async def run() -> list[list[float]]:
        watch = Watch()
        async with trio.open_nursery() as nursery:
            await nursery.start(watch.run)
            both = [_Watched(watch), _Watched(watch)]
            start = trio.current_time()
            standing = [inf, inf]
            for which, pause_s, timeout_s in [*steps, (0, 100.0, inf)]:
                await trio.sleep(pause_s)
                now = trio.current_time() - start
                for number, when in enumerate(standing):
                    if when <= now:
                        expected[number].append(when)
                        standing[number] = inf
                standing[which] = now + timeout_s
                both[which].set_deadline(trio.current_time() + timeout_s)
            nursery.cancel_scope.cancel()
        return [[at - start for at in watched.expired_at] for watched in both]

    assert trio.run(run, clock=MockClock(autojump_threshold=0)) == expected
