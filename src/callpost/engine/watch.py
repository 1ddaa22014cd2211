"""Looks every few seconds whether couriers and commits go on, and lets the watchdog know.

What stands still is told once, gets one nudge, and where that was in vain the watchdog hears
nothing more: the service manager then restarts the daemon, and the spool has everything.
"""

from collections.abc import Callable, Iterable
from typing import Final, Protocol

import structlog
import trio

from callpost.engine.ports import Clock
from callpost.model.progress import COMMIT_MAX_S, Stall

# Often enough that a stall is told, and ended where it can be, before anyone asks.
LOOK_INTERVAL_S: Final = 5.0
# A look that comes so late says that the loop stood still; a busy one is not so late.
_STOOD_STILL_S: Final = 1.0


class Couriers(Protocol):
    """Those who could stand still."""

    def stalled(self, now: float) -> dict[str, Stall]:
        """Who makes no progress though he could, by the subscription's name."""
        ...

    def nudge(self, names: Iterable[str]) -> None:
        """Do what may end the stalls of these."""
        ...


class Commits(Protocol):
    """What writes to the disk."""

    @property
    def commit_out_s(self) -> float:
        """For how long the present commit has been out; 0 where none is."""
        ...


class Watch:
    """Watches over `couriers` and `commits`; `all_is_well` is called at each look that finds so."""

    def __init__(
        self,
        couriers: Couriers,
        commits: Commits,
        *,
        clock: Clock,
        all_is_well: Callable[[], None],
        interval_s: float,
        log: structlog.typing.FilteringBoundLogger,
    ) -> None:
        self._couriers = couriers
        self._commits = commits
        self._clock = clock
        self._all_is_well = all_is_well
        self._interval_s = interval_s
        self._log = log
        self._stalled: dict[str, Stall] = {}
        self._commit_hangs = False

    async def run(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            self.look()
            due_at = trio.current_time() + self._interval_s
            await trio.sleep_until(due_at)
            if trio.current_time() - due_at > _STOOD_STILL_S:
                # Nobody had a turn, or the whole machine was halted: whatever is overdue now gets
                # the time to come back. Once: who is late at every look is looked at.
                self._all_is_well()
                await trio.sleep(self._interval_s)

    def look(self) -> None:
        """Tell what has come to a stand or goes on again; nudge what stands."""
        before = self._stalled
        now = self._clock.steady()
        self._stalled = self._couriers.stalled(now)
        self._tell_couriers(before, now)
        self._look_at_commits()
        in_vain = [name for name, one in self._stalled.items() if one.is_that(before.get(name))]
        if not in_vain and not self._commit_hangs:
            self._all_is_well()
        self._couriers.nudge(self._stalled)

    def _tell_couriers(self, before: dict[str, Stall], now: float) -> None:
        for name, stall in self._stalled.items():
            if name not in before:
                self._log.error(
                    "courier.stalled",
                    subscription=name,
                    reason=stall.reason,
                    eventId=stall.event_id or None,
                    endpoint=stall.endpoint or None,
                    place=stall.place or None,
                    seconds=round(now - stall.since, 1),
                )
        for name in before.keys() - self._stalled.keys():
            self._log.info("courier.resumed", subscription=name)

    def _look_at_commits(self) -> None:
        out_s = self._commits.commit_out_s
        hung, self._commit_hangs = self._commit_hangs, out_s > COMMIT_MAX_S
        if self._commit_hangs and not hung:
            self._log.error(
                "spool.stalled",
                reason="a commit has not come back from the disk",
                seconds=round(out_s, 1),
            )
        elif hung and not self._commit_hangs:
            self._log.info("spool.resumed")
