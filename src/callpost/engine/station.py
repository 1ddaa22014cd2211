"""One queue's place: its couriers follow each other there, and never two are at work.

The next one begins only when the one before has ended and all that it settled is on disk: so
nothing is doubled, nothing overtakes, and no pause is forgotten.
"""

from collections.abc import Callable

import trio
from msgspec import Struct

from callpost.engine.bell import Bell
from callpost.engine.courier import Courier
from callpost.engine.gate import Known
from callpost.engine.world import World
from callpost.model.delivery import Standing, StandingChanged
from callpost.model.subscription import Subscription


class Handover(Struct, frozen=True):
    """What whoever is hired takes over: how the subscription stands, and what is known of it."""

    standing: Standing
    known: tuple[Known, ...] = ()


# Finds a courier for the subscription as it is now; all of a station hear the same bell.
Hire = Callable[[Subscription, Handover, Bell], Courier]


class Station:
    """The place of queue number `number`; `hire` finds whoever is to work there."""

    def __init__(
        self,
        number: int,
        subscription: Subscription,
        standing: Standing,
        *,
        hire: Hire,
        world: World,
    ) -> None:
        self.number = number
        self.bell = Bell()
        self._subscription: Subscription | None = subscription
        self._name = subscription.name
        self._hire = hire
        self._spool = world.spool
        self._clock = world.clock
        self._witness = world.witness
        self._log = world.log
        self._is_changing = False
        self._changes = 0
        self._is_afresh = False
        self._between = trio.CancelScope()
        self.courier = hire(subscription, Handover(standing), self.bell)

    @property
    def subscription(self) -> Subscription | None:
        """What is served here, now or as soon as the one before has ended; None: it is removed."""
        return self._subscription

    def change(self, subscription: Subscription | None, *, afresh: bool = False) -> None:
        """Let the courier end what is in hand; another serves `subscription` after it, or none.

        The last word before the other begins counts. `afresh`: the health of the endpoints,
        also of those that stay the same, is forgotten.
        """
        self._is_afresh = self._is_afresh or afresh
        if self._subscription is None and subscription is not None:
            # Who comes back begins anew, whatever was known before.
            self.courier.gate.resume()
            self._is_afresh = True
        self._subscription = subscription
        self._changes += 1
        self._is_changing = True
        self.courier.drain()

    def drain(self) -> None:
        """Begin no further attempt; `run` returns when those in flight have ended."""
        self._is_changing = False
        self._between.cancel()
        self.courier.drain()

    async def run(self) -> None:
        """Let one courier after the other carry, until drained or removed."""
        while True:
            await self.courier.run()
            if not self._is_changing:
                return
            with trio.CancelScope() as self._between:
                if not await self._has_successor():
                    return
            if self._between.cancelled_caught:
                return

    async def _has_successor(self) -> bool:
        """Close the books of the courier that has ended; install the next one, if there is one."""
        await self._written()
        if self._subscription is None:
            await self._bury()
        if self._subscription is None or not self._is_changing:
            return False
        # Not earlier: an operator may have had a word while the disk was slow.
        standing = self.courier.gate.standing
        self._is_changing = False
        # While it was removed nothing was kept of how it stands.
        self._spool.settle(StandingChanged(subscription=self.number, standing=standing))
        known = () if self._is_afresh else tuple(self.courier.gate.doors)
        self.courier = self._hire(self._subscription, Handover(standing, known), self.bell)
        self._is_afresh = False
        return True

    async def _written(self) -> None:
        """Wait until all that was settled so far is on disk: it is written in order."""
        written = trio.Event()
        self._spool.settle(
            StandingChanged(subscription=self.number, standing=self.courier.gate.standing),
            lambda _: written.set(),
        )
        await written.wait()

    async def _bury(self) -> None:
        """Make dead letters of what is pending, unless the subscription comes back meanwhile."""
        buried = 0
        while self._subscription is None:
            changes = self._changes
            died = await self._spool.bury(self.number, now=self._clock.steady())
            if not died and changes == self._changes:
                break
            buried += died
            self.courier.gate.figures.died += died
            for _ in range(died):
                self._witness.died(self._name, "subscription_removed")
        self._log.info("subscription.removed", subscription=self._name, dead=buried)
        self._witness.removed(self._name)
