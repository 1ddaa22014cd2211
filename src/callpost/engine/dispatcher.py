"""Owns the couriers: one task for each subscription and each queue of reports, in one nursery.

The dispatcher rings, pauses and drains them, and lets others take over when the subscriptions
change; it never touches a delivery itself.
"""

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Final

import trio
from msgspec.structs import replace

from callpost.engine.attempt import Door
from callpost.engine.bell import Bell
from callpost.engine.courier import Courier
from callpost.engine.cull import Cull
from callpost.engine.figures import Books
from callpost.engine.gate import Gate
from callpost.engine.ports import SenderFactory
from callpost.engine.reports import Reports
from callpost.engine.round import Rounds
from callpost.engine.staff import Staff
from callpost.engine.station import Handover, Station
from callpost.engine.wayout import WayOut
from callpost.engine.window import Window
from callpost.engine.world import World
from callpost.model.delivery import Enrolled
from callpost.model.limits import (
    WINDOW_MAX_DELIVERIES,
    WINDOW_PER_CARRIER,
    WINDOWS_MAX_DELIVERIES,
)
from callpost.model.progress import Stall
from callpost.model.report import queue_of
from callpost.model.subscription import Subscription
from callpost.model.unknown import UnknownSubscription

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
        # One function for all couriers: what it answers changes with a reload.
        self._pending_limit = lambda: self._max_pending
        self._window_share = WINDOWS_MAX_DELIVERIES
        # By name what is served, by number also what is still coming to its end.
        self._numbers: dict[str, int] = {}
        self._stations: dict[int, Station] = {}
        self._nursery: trio.Nursery | None = None
        self._stopping = trio.Event()
        self.books = Books()
        self.way_out = WayOut(world.log)
        self.apply(queues, enrolled)

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Let the couriers carry until they are drained.

        In `stations` lives one task each, in `rounds` what sends their idle carriers home.
        """
        async with trio.open_nursery() as rounds:
            rounds.start_soon(self._send_home)
            async with trio.open_nursery() as stations:
                self._nursery = stations
                for station in list(self._stations.values()):
                    stations.start_soon(self._run, station)
                task_status.started()
                # Without any subscription there is one again after the next reload.
                await self._stopping.wait()
            rounds.cancel_scope.cancel()

    def apply(
        self,
        queues: Mapping[str, Subscription],
        enrolled: Mapping[str, Enrolled],
        *,
        open_sender: SenderFactory | None = None,
        max_pending: int | None = None,
    ) -> None:
        """Serve these queues from now on, and no others.

        Whoever serves an unchanged one goes on as he is, but where there is another
        `open_sender`: then each has a successor.
        """
        if self._stopping.is_set():
            return
        if open_sender is not None:
            self._world = replace(self._world, open_sender=open_sender)
        if max_pending is not None:
            self._max_pending = max_pending
        self._window_share = WINDOWS_MAX_DELIVERIES // max(1, len(queues))
        self._numbers = {name: enrolled[name].number for name in queues}
        self._world.spool.serve({number: name for name, number in self._numbers.items()})
        served = frozenset(self._numbers.values())
        for number, station in self._stations.items():
            if station.subscription is not None and number not in served:
                station.change(None)
        for name, subscription in queues.items():
            self._place(enrolled[name], subscription, must_change=open_sender is not None)

    @property
    def queues(self) -> dict[str, Subscription]:
        """Everything that is served, reports' queues too, by name."""
        served = (self._stations[number].subscription for number in self._numbers.values())
        return {one.name: one for one in served if one is not None}

    @property
    def numbers(self) -> Mapping[str, int]:
        """The names of what is served, with the spool's numbers."""
        return self._numbers

    @property
    def open_sender(self) -> SenderFactory:
        """What opens the doors of whoever begins to serve now."""
        return self._world.open_sender

    def subscription_of(self, number: int) -> Subscription | None:
        """What is served under this number of the spool's."""
        station = self._stations.get(number)
        return None if station is None else station.subscription

    def courier(self, name: str) -> Courier:
        """Who serves a subscription now; raises UnknownSubscription."""
        return self._station(name).courier

    def ring(self, numbers: Iterable[int]) -> None:
        """There is something new for these subscriptions."""
        for number in numbers:
            # What was routed just before its subscription was removed rings nobody.
            if (station := self._stations.get(number)) is not None:
                station.courier.ring()

    def recall(self, numbers: Iterable[int]) -> None:
        """Something was taken out of these queues."""
        for number in numbers:
            if (station := self._stations.get(number)) is not None:
                station.courier.recall()

    def pause(self, name: str) -> None:
        """An operator pauses a subscription: events are kept, nothing is sent."""
        station = self._station(name)
        station.courier.gate.pause()
        station.bell.ring()

    def resume(self, name: str) -> None:
        """An operator resumes a subscription, whoever paused it."""
        station = self._station(name)
        station.courier.gate.resume()
        station.bell.ring()

    def stalled(self, now: float) -> dict[str, Stall]:
        """Who makes no progress though he could, by name, and why; see `Courier.stall`."""
        couriers = (station.courier for station in self._stations.values())
        stalls = ((courier.subscription.name, courier.stall(now)) for courier in couriers)
        return {name: stall for name, stall in stalls if stall is not None}

    def nudge(self, names: Iterable[str]) -> None:
        """Do what may end the stalls of these."""
        wanted = frozenset(names)
        for station in self._stations.values():
            if station.courier.subscription.name in wanted:
                station.courier.nudge()

    def drain(self) -> None:
        """Begin no further attempt anywhere; `run` returns when those in flight have ended."""
        self._stopping.set()
        for station in self._stations.values():
            station.drain()

    def _station(self, name: str) -> Station:
        if (number := self._numbers.get(name)) is None:
            raise UnknownSubscription(name)
        return self._stations[number]

    async def _run(self, station: Station) -> None:
        await station.run()
        if not self._stopping.is_set():
            # It was removed, and nobody has asked for it since.
            del self._stations[station.number]
            self.books.close(station.number)

    async def _send_home(self) -> None:
        """One clock for all: one for each carrier took 9 us whenever it had nothing to do."""
        while True:
            await trio.sleep(_CARRIERS_IDLE_S)
            for station in self._stations.values():
                station.courier.bench.send_home()

    def _place(self, enrolled: Enrolled, subscription: Subscription, *, must_change: bool) -> None:
        station = self._stations.get(enrolled.number)
        if station is not None:
            if must_change or station.subscription != subscription:
                station.change(subscription, afresh=must_change)
            return
        station = Station(
            enrolled.number,
            subscription,
            enrolled.standing,
            hire=partial(self._hire, enrolled.number),
            world=self._world,
        )
        self._stations[enrolled.number] = station
        if self._nursery is not None:
            self._nursery.start_soon(self._run, station)

    def _hire(
        self,
        number: int,
        subscription: Subscription,
        handover: Handover,
        bell: Bell,
    ) -> Courier:
        staff = self._staff(number, subscription, handover, bell)
        return Courier(number, subscription, staff, world=self._world)

    def _staff(
        self, number: int, subscription: Subscription, handover: Handover, bell: Bell
    ) -> Staff:
        world = self._world
        gate = Gate(
            number,
            subscription,
            handover.standing,
            world=world,
            way_out=self.way_out,
            figures=self.books.of(number, subscription.name),
            known=handover.known,
        )
        rounds = Rounds(
            subscription,
            doors=tuple(
                Door(endpoint, world.open_sender(endpoint, subscription.tenant), endpoint.origin)
                for route in subscription.routes
                for endpoint in route
            ),
            gate=gate,
            bell=bell,
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
            max_pending=self._pending_limit,
        )
        return Staff(bell, gate, window, rounds, cull, self._reports(subscription))

    def _window_limit(self, subscription: Subscription) -> int:
        """Enough for the carriers, and a fair share of what all windows may hold."""
        wanted = min(WINDOW_MAX_DELIVERIES, WINDOW_PER_CARRIER * subscription.concurrency)
        return max(subscription.concurrency, min(wanted, self._window_share))

    def _reports(self, subscription: Subscription) -> Reports:
        queue = queue_of(subscription)
        number = self._numbers.get(queue.name) if queue else None
        # A partial is half as large as a function of its own, and most have no reports.
        ring = _unheard if number is None else partial(self.ring, (number,))
        return Reports(subscription, queue=number, ring=ring, clock=self._world.clock)


def _unheard() -> None:
    """Nobody waits for it."""
