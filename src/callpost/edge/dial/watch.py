"""One watch over the deadlines of all links, which ends the waits that last too long.

A deadline costs an assignment. The watch looks at a link when the earliest deadline that it was
told of would pass; the link's own deadline has mostly moved on by then, and counts. So it looks
once in ten seconds where a thousand exchanges were made, while a `trio.CancelScope` for each
cost 9 us of CPU, a third of the exchange.
"""

from heapq import heappop, heappush
from math import inf
from typing import Protocol

import trio


class Watched(Protocol):
    """What has a deadline; both times are trio's, infinite where there is none."""

    deadline: float
    # When the watch looks next, which is never later than `deadline`. Only the watch sets it.
    alarm_at: float

    def expire(self) -> None:
        """`deadline` has passed."""
        ...


class Watch:
    """Calls `expire` of whatever has reached its deadline, as long as `run` runs."""

    def __init__(self) -> None:
        # The id only keeps links from being compared where two deadlines are the same.
        self._alarms: list[tuple[float, int, Watched]] = []
        self._sleep: trio.CancelScope | None = None

    def call(self, watched: Watched, when: float) -> None:
        """Look at `watched` at `when`, which is before its `alarm_at`."""
        if self._sleep is None:
            # Without the watch a silent peer would be waited for until the end of days.
            raise RuntimeError("a deadline was set before the watch runs")
        watched.alarm_at = when
        heappush(self._alarms, (when, id(watched), watched))
        self._sleep.deadline = min(self._sleep.deadline, when)

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Watch for ever; started once deadlines may be set.

        Where this is cancelled, whoever waits on a link must be cancelled too.
        """
        self._sleep = trio.CancelScope()
        task_status.started()
        while True:
            self._sleep = trio.CancelScope(deadline=self._alarms[0][0] if self._alarms else inf)
            with self._sleep:
                await trio.sleep_forever()
            while (late := self._next_late(trio.current_time())) is not None:
                late.expire()
                await trio.lowlevel.checkpoint()  # a thousand of them do not hold the loop

    def _next_late(self, now: float) -> Watched | None:
        """The next that has reached its deadline; of the others the alarm is moved or dropped."""
        while self._alarms and self._alarms[0][0] <= now:
            when, _, watched = heappop(self._alarms)
            if when != watched.alarm_at:
                continue  # an earlier alarm was asked for meanwhile, which takes care of it
            watched.alarm_at = inf
            if watched.deadline <= now:
                return watched
            if watched.deadline < inf:
                self.call(watched, watched.deadline)
        return None
