"""When silence is looked for, and what is done about it, in virtual time."""

from dataclasses import dataclass, field

import trio
from trio.testing import MockClock

from callpost.engine.closer import Closer
from callpost.model.delivery import SpoolUnreadable
from callpost.model.silence import Silence, SilentCall
from doubles import VirtualClock


def a_call(number: int) -> SilentCall:
    """A call whose last event has this number."""
    return SilentCall(number=number, customer="", source="", first=b"", last=b"")


@dataclass
class Found:
    """One silent call for each event, as many as there are, up to `readable_from` in vain."""

    events: int
    readable_from: float = 0.0
    looks: list[tuple[float, int]] = field(default_factory=list)

    def silent(self, *, after: int, before: float) -> Silence:
        """See Silences."""
        assert before <= trio.current_time()
        self.looks.append((trio.current_time(), after))
        if trio.current_time() < self.readable_from:
            raise SpoolUnreadable("The disk fails.")
        if after >= self.events:
            return Silence((), after, ended=True)
        return Silence((a_call(after + 1),), after + 1, ended=False)


async def ended(found: Found, *, end_after_s: float, for_s: float, fails: int = 0) -> list[int]:
    """The calls that were ended, the first `fails` of them in vain."""
    calls: list[int] = []

    async def end(call: SilentCall) -> bool:
        await trio.lowlevel.checkpoint()
        calls.append(call.number)
        return len(calls) > fails

    closer = Closer(found, end=end, end_after_s=lambda: end_after_s, clock=VirtualClock())
    with trio.move_on_after(for_s):
        await closer.run()
    return calls


async def test_each_silent_call_is_ended_once(autojump_clock: MockClock) -> None:
    """However often it is looked, an event is looked at once."""
    assert await ended(Found(3), end_after_s=3_600, for_s=300) == [1, 2, 3]


async def test_it_is_looked_every_half_minute(autojump_clock: MockClock) -> None:
    """A long patience costs little."""
    found = Found(0)
    await ended(found, end_after_s=3_600, for_s=100)
    assert len(found.looks) == 3


async def test_a_short_patience_is_looked_after_more_often(autojump_clock: MockClock) -> None:
    """A call is ended within a tenth of the patience beyond it."""
    found = Found(0)
    await ended(found, end_after_s=10, for_s=10.5)
    assert len(found.looks) == 10


async def test_without_patience_nothing_is_looked_for(autojump_clock: MockClock) -> None:
    """0 ends nothing."""
    found = Found(3)
    assert (await ended(found, end_after_s=0, for_s=3_600), found.looks) == ([], [])


async def test_what_could_not_be_stored_is_tried_again(autojump_clock: MockClock) -> None:
    """A full spool loses no hangup."""
    assert await ended(Found(2), end_after_s=10, for_s=60, fails=2) == [1, 1, 1, 2]


async def test_a_disk_that_cannot_be_read_is_asked_again(autojump_clock: MockClock) -> None:
    """Nothing is passed over."""
    assert await ended(Found(2, readable_from=20), end_after_s=10, for_s=60) == [1, 2]
