"""Owns the couriers: one task for each subscription and each queue of reports, in one nursery.

The dispatcher rings, pauses and drains them; it never touches a delivery itself.
"""

from collections.abc import Iterable, Mapping
from typing import Final

import trio

from callpost.engine.bell import Bell
from callpost.engine.courier import Courier, Staff
from callpost.engine.cull import Cull
from callpost.engine.gate import Gate
from callpost.engine.reports import Reports
from callpost.engine.round import Door, Rounds
from callpost.engine.wayout import WayOut
from callpost.engine.window import Window
from callpost.engine.world import World
from callpost.model.delivery import Enrolled
from callpost.model.limits import (
    WINDOW_MAX_DELIVERIES,
    WINDOW_PER_CARRIER,
    WINDOWS_MAX_DELIVERIES,
)
from callpost.model.report import queue_of
from callpost.model.subscription import Subscription

# How long carriers without work keep their tasks, at the least.
_CARRIERS_IDLE_S: Final = 30.0


def queues_of(subscriptions: Iterable[Subscription]) -> dict[str, Subscription]:
    """Everything that has a queue of its own, by name: subscriptions, and their reports."""
    queues = {}
    for subscription in subscriptions:
        queues[subscription.name] = subscription
        if (reports := queue_of(subscription)) is not None:
            queues[reports.name] = reports
    return queues


class Dispatcher:
    """The couriers of all `queues`; `enrolled` has the spool's number for each name."""

    def __init__(
        self,
        queues: Mapping[str, Subscription],
        enrolled: Mapping[str, Enrolled],
        world: World,
        *,
        max_pending: int,
    ) -> None:
        self._world = world
        self._max_pending = max_pending
        self._window_share = WINDOWS_MAX_DELIVERIES // max(1, len(queues))
        self._enrolled = enrolled
        self._bells = {enrolled[name].number: Bell() for name in queues}
        self._couriers: dict[int, Courier] = {}
        self.way_out = WayOut(world.log)
        for name, subscription in queues.items():
            self._couriers[enrolled[name].number] = self._courier(name, subscription)

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Let the couriers carry until they are drained.

        In `couriers` lives one task each, in `rounds` what sends their idle carriers home.
        """
        async with trio.open_nursery() as rounds:
            rounds.start_soon(self._send_home)
            async with trio.open_nursery() as couriers:
                for courier in self._couriers.values():
                    couriers.start_soon(courier.run)
                task_status.started()
            rounds.cancel_scope.cancel()

    def courier(self, name: str) -> Courier:
        """The courier of a subscription, by its name."""
        return self._couriers[self._enrolled[name].number]

    def ring(self, numbers: Iterable[int]) -> None:
        """There is something new for these subscriptions."""
        for number in numbers:
            self._couriers[number].ring()

    def pause(self, name: str) -> None:
        """An operator pauses a subscription: events are kept, nothing is sent."""
        self.courier(name).gate.pause()
        self._bells[self._enrolled[name].number].ring()

    def resume(self, name: str) -> None:
        """An operator resumes a subscription, whoever paused it."""
        self.courier(name).gate.resume()
        self._bells[self._enrolled[name].number].ring()

    def drain(self) -> None:
        """Begin no further attempt anywhere; `run` returns when those in flight have ended."""
        for courier in self._couriers.values():
            courier.drain()

    async def _send_home(self) -> None:
        """One clock for all: one for each carrier took 9 us whenever it had nothing to do."""
        while True:
            await trio.sleep(_CARRIERS_IDLE_S)
            for courier in self._couriers.values():
                courier.bench.send_home()

    def _courier(self, name: str, subscription: Subscription) -> Courier:
        number = self._enrolled[name].number
        return Courier(
            number,
            subscription,
            self._staff(number, subscription, self._enrolled[name]),
            spool=self._world.spool,
            clock=self._world.clock,
            log=self._world.log,
        )

    def _staff(self, number: int, subscription: Subscription, enrolled: Enrolled) -> Staff:
        world, bell = self._world, self._bells[number]
        gate = Gate(
            number,
            subscription,
            enrolled.standing,
            spool=world.spool,
            clock=world.clock,
            way_out=self.way_out,
            log=world.log,
        )
        rounds = Rounds(
            subscription,
            doors=tuple(
                Door(endpoint, world.open_sender(endpoint), endpoint.origin)
                for route in subscription.routes
                for endpoint in route
            ),
            gate=gate,
            world=world,
        )
        window = Window(
            number,
            subscription,
            limit=self._window_limit(subscription),
            spool=world.spool,
            clock=world.clock,
            bell=bell,
        )
        cull = Cull(
            number,
            subscription,
            spool=world.spool,
            clock=world.clock,
            max_pending=self._max_pending,
        )
        return Staff(bell, gate, window, rounds, cull, self._reports(subscription))

    def _window_limit(self, subscription: Subscription) -> int:
        """Enough for the carriers, and a fair share of what all windows may hold."""
        wanted = min(WINDOW_MAX_DELIVERIES, WINDOW_PER_CARRIER * subscription.concurrency)
        return max(subscription.concurrency, min(wanted, self._window_share))

    def _reports(self, subscription: Subscription) -> Reports:
        queue = queue_of(subscription)
        number = self._enrolled[queue.name].number if queue else None

        def ring() -> None:
            if number is not None:
                self._couriers[number].ring()

        return Reports(subscription, queue=number, ring=ring, clock=self._world.clock)
