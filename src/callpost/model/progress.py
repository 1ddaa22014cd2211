"""Whether a courier makes progress, decided from its notes and the time.

Every wait that has a reason (a breaker, a pause, a rate, a wish, a disk) is no stall: what is
called one here has no reason but a bug of ours, and nothing would end it.
"""

from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from callpost.model.outcome import Retry

# Every sender has a deadline of its own; an attempt that is out so long after it is lost.
ATTEMPT_GRACE_S: Final = 5.0
# Whoever is woken runs within milliseconds, and every nap of a courier that could have something
# to do is a second at the most.
WORK_GRACE_S: Final = 5.0
# The slowest disk that still works answers an fsync in less.
COMMIT_MAX_S: Final = 10.0
# How an attempt ended that did not come back and was taken back.
STUCK: Final = Retry(reason="stuck", timed_out=True)


class Out(Struct, frozen=True, gc=False):
    """An attempt that is out; at `overdue_at` its time-out and the grace have passed."""

    event_id: str
    place: str
    origin: str
    begun_at: float
    overdue_at: float


class Idle(Struct, frozen=True):
    """Work that could go has been seen beside a free carrier since then, and no step was made.

    `steps` is how many there were when it was first seen.
    """

    since: float
    steps: int


class Stall(Struct, frozen=True, kw_only=True):
    """What does not go on, since when, and in one sentence why; an attempt is named."""

    reason: str
    since: float
    event_id: str = ""
    place: str = ""
    endpoint: str = ""

    def is_that(self, other: "Stall | None") -> bool:
        """The same attempt, or the same wait, seen at another time."""
        return other is not None and (self.since, self.event_id) == (other.since, other.event_id)


def idle_after(before: Idle | None, *, could_go: bool, steps: int, now: float) -> Idle | None:
    """The note after another look; a step in between says that it all goes on."""
    if not could_go:
        return None
    if before is not None and before.steps == steps:
        return before
    return Idle(now, steps)


def stall_of(attempts: Iterable[Out], idle: Idle | None, *, now: float) -> Stall | None:
    """What a courier with these attempts out has to answer for; the longest first."""
    overdue = [one for one in attempts if one.overdue_at <= now]
    if overdue:
        oldest = min(overdue, key=lambda one: one.begun_at)
        late_s = now - oldest.overdue_at + ATTEMPT_GRACE_S
        return Stall(
            reason=(
                f"an attempt at {oldest.place} has not come back {late_s:.0f} s after its time-out"
            ),
            since=oldest.begun_at,
            event_id=oldest.event_id,
            place=oldest.place,
            endpoint=oldest.origin,
        )
    if idle is not None and now - idle.since >= WORK_GRACE_S:
        waits_s = now - idle.since
        return Stall(
            reason=f"work waits although a carrier is free since {waits_s:.0f} s",
            since=idle.since,
        )
    return None
