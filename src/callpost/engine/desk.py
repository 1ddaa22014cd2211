"""The operator's desk: all that is known of the daemon, put together when somebody asks.

Nothing is kept here. What the engine cannot know is asked of whoever can.
"""

from collections.abc import Awaitable, Callable, Iterable

import trio
from msgspec import Struct

from callpost.engine.hosts import troubled
from callpost.engine.operator import Operator
from callpost.engine.overview import Overview
from callpost.model.condition import (
    Certificate,
    ConfigFigures,
    HealthReport,
    IntakeFigures,
    Phase,
    SpoolFigures,
    Status,
    SubscriptionCondition,
    SubscriptionState,
    Trouble,
)
from callpost.model.replay import Replayed, Selection
from callpost.model.trial import Trial
from callpost.model.unknown import CannotNow


class Outside(Struct, frozen=True, kw_only=True):
    """What the engine does not know; the functions return at once, but for `spool`, which counts.

    `is_closing`: the spool makes its last commit, or is closed, and is not to be asked.
    """

    version: str
    pid: int
    started_at: str
    phase: Callable[[], Phase]
    is_closing: Callable[[], bool]
    troubles: Callable[[], Iterable[Trouble]]
    config: Callable[[], ConfigFigures]
    intake: Callable[[], IntakeFigures]
    spool: Callable[[], Awaitable[SpoolFigures]]
    certificates: Callable[[], tuple[Certificate, ...]]


class Desk:
    """See Operating in control.ports and api.ports; all but health may raise CannotNow."""

    def __init__(self, operator: Operator, overview: Overview, outside: Outside) -> None:
        self._operator = operator
        self._overview = overview
        self._outside = outside

    def health(self) -> HealthReport:
        """Say whether it lives, is ready, and what is wrong."""
        phase = self._outside.phase()
        return HealthReport(
            # Whoever can answer turns the loop.
            live=True,
            ready=phase == "ready",
            phase=phase,
            degraded=(*self._outside.troubles(), *self._overview.troubles()),
        )

    async def status(self) -> Status:
        """Tell the one screen."""
        outside = self._outside
        spool = await outside.spool()
        states = await self.subscriptions()
        total = self._overview.total()
        return Status(
            version=outside.version,
            pid=outside.pid,
            started_at=outside.started_at,
            health=self.health(),
            config=outside.config(),
            intake=outside.intake(),
            spool=spool,
            subscriptions=len(states),
            paused=tuple(one.name for one in states if one.condition != "active"),
            in_flight=sum(one.in_flight for one in states),
            attempts=total.attempts,
            delivered=total.delivered,
            died=total.died,
            lag_s=max((one.lag_s for one in states), default=0.0),
            troubled=troubled(states),
            certificates=outside.certificates(),
        )

    async def subscriptions(self) -> tuple[SubscriptionState, ...]:
        """Tell of every subscription, in the order of the configuration."""
        self._check()
        return await self._overview.subscriptions(turn=self._turn)

    async def subscription(self, name: str) -> SubscriptionState:
        """Tell of one."""
        self._check()
        return await self._overview.subscription(name, turn=self._turn)

    def condition(self, name: str) -> SubscriptionCondition:
        """Whether it sends, or who has paused it."""
        self._check()
        return self._overview.condition(name)

    def pause(self, name: str) -> None:
        """Keep its events and send nothing."""
        self._check()
        self._operator.pause(name)

    def resume(self, name: str) -> None:
        """Let it send again, whoever paused it."""
        self._check()
        self._operator.resume(name)

    async def test(self, name: str) -> Trial:
        """Send newCall and hangup of a made-up call to each of its doors."""
        return await self._operator.test(name)

    async def replay(
        self, selection: Selection, *, limit: int, cursor: str, dry_run: bool
    ) -> Replayed:
        """Deliver again what is selected."""
        return await self._operator.replay(selection, limit=limit, cursor=cursor, dry_run=dry_run)

    async def _turn(self) -> None:
        await trio.lowlevel.checkpoint()
        self._check()

    def _check(self) -> None:
        if self._outside.is_closing():
            raise CannotNow("callpost is stopping.")
