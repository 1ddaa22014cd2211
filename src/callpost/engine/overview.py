"""How each subscription is, with its figures, as an operator is told; made when it is asked for.

A subscription's lag is the age of the oldest delivery that waits for nothing but its turn: what
waits for a retry of its own, or for one of its call, does not count. Where nothing may be sent
at all (a pause, a breaker, a wish) everything waits for the same, and the oldest counts.
"""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Final, Protocol

import trio

from callpost.engine.courier import Courier
from callpost.engine.dispatcher import Dispatcher
from callpost.engine.figures import Figures
from callpost.engine.gate import Gate
from callpost.engine.ports import Clock
from callpost.model.condition import (
    CONDITION_OF,
    EndpointState,
    Guarantee,
    SubscriptionCondition,
    SubscriptionState,
    Trouble,
)
from callpost.model.delivery import SpoolUnreadable
from callpost.model.endpoint import Endpoint, TcpEndpoint, UdpEndpoint
from callpost.model.health import Health
from callpost.model.instant import utc_text
from callpost.model.progress import COMMIT_MAX_S
from callpost.model.report import queue_of
from callpost.model.subscription import Subscription
from callpost.model.unknown import UnknownSubscription

# So many take some 5 ms; then others have their turn.
_STATES_AT_ONCE: Final = 200


class Counts(Protocol):
    """What the spool knows of its queues, by their numbers."""

    def pending_of(self, subscription: int) -> int:
        """Count the pending deliveries; costs nothing."""
        ...

    def oldest_at(self, subscription: int) -> float | None:
        """When its oldest pending delivery was accepted; raises SpoolUnreadable."""
        ...

    async def dead_by_subscription(self) -> Mapping[int, int]:
        """Count the dead letters of each that has any; raises SpoolUnreadable."""
        ...

    @property
    def commit_out_s(self) -> float:
        """For how long the present commit has been out; 0 where none is."""
        ...


class Overview:
    """Of everything that `dispatcher` serves; delivery reports are told with their subscription."""

    def __init__(self, dispatcher: Dispatcher, counts: Counts, *, clock: Clock) -> None:
        self._dispatcher = dispatcher
        self._counts = counts
        self._clock = clock

    async def subscriptions(
        self, *, turn: Callable[[], Awaitable[None]] = trio.lowlevel.checkpoint
    ) -> tuple[SubscriptionState, ...]:
        """Every subscription, in the order of the configuration.

        Between some of them `turn` lets others run, and may raise what ends it all.
        """
        dead = await self._dead()
        states: list[SubscriptionState] = []
        for place, one in enumerate(self._served().values()):
            if place % _STATES_AT_ONCE == 0:
                await turn()
            # It may have been removed in the meantime.
            with suppress(UnknownSubscription):
                states.append(self._state(one, dead))
        return tuple(states)

    async def subscription(
        self, name: str, *, turn: Callable[[], Awaitable[None]] = trio.lowlevel.checkpoint
    ) -> SubscriptionState:
        """One of them; raises UnknownSubscription."""
        dead = await self._dead()
        await turn()
        if (subscription := self._served().get(name)) is None:
            raise UnknownSubscription(name)
        return self._state(subscription, dead)

    def condition(self, name: str) -> SubscriptionCondition:
        """Whether it sends, or who has paused it; raises UnknownSubscription."""
        return CONDITION_OF[self._dispatcher.courier(name).gate.paused]

    def total(self) -> Figures:
        """What all subscriptions have done since the start, also those that are removed."""
        return self._dispatcher.books.total()

    def troubles(self) -> tuple[Trouble, ...]:
        """What is wrong with the engine as a whole, or would not get well by itself."""
        now = self._clock.steady()
        troubles = [
            Trouble(
                code="courier_stalled",
                sentence=f"{name} makes no progress: {stall.reason}.",
                since=self._text(stall.since),
            )
            for name, stall in self._dispatcher.stalled(now).items()
        ]
        way_out = self._dispatcher.way_out
        if way_out.is_down:
            troubles.append(
                Trouble(
                    code="egress_down",
                    sentence=f"This machine reaches nobody: {way_out.shut_by}.",
                    since=self._text(way_out.failing_since),
                )
            )
        out_s = self._counts.commit_out_s
        if out_s > COMMIT_MAX_S:
            sentence = f"A commit has not come back from the disk for {out_s:.0f} s."
            since = self._text(now - out_s)
            troubles.append(Trouble(code="spool_error", sentence=sentence, since=since))
        return tuple(troubles)

    def _served(self) -> dict[str, Subscription]:
        queues = self._dispatcher.queues
        reports = {queue.name for one in queues.values() if (queue := queue_of(one)) is not None}
        return {name: one for name, one in queues.items() if name not in reports}

    def _state(self, subscription: Subscription, dead: Mapping[int, int]) -> SubscriptionState:
        now = self._clock.steady()
        courier = self._dispatcher.courier(subscription.name)
        couriers = [courier]
        if (reports := queue_of(subscription)) is not None:
            couriers.append(self._dispatcher.courier(reports.name))
        gate, figures = courier.gate, courier.gate.figures
        stalls = [one for each in couriers if (one := each.stall(now)) is not None]
        return SubscriptionState(
            name=subscription.name,
            origin=subscription.origin,
            customer=subscription.filter.customer,
            condition=CONDITION_OF[gate.paused],
            since=self._text(gate.paused_since),
            endpoints=tuple(state for one in couriers for state in self._endpoints(one.gate, now)),
            pending=self._counts.pending_of(courier.number),
            in_flight=sum(health.in_flight for _, health in gate.doors),
            dead=dead.get(courier.number, 0),
            lag_s=round(self._lag_s(courier, now), 3),
            attempts=figures.attempts,
            delivered=figures.delivered,
            died=figures.died,
            last_delivered_at=self._text(figures.last_delivered_at),
            last_failed_at=self._text(figures.last_failed_at),
            last_failure=figures.last_failure,
            stalled=stalls[0].reason if stalls else "",
        )

    def _endpoints(self, gate: Gate, now: float) -> tuple[EndpointState, ...]:
        return tuple(self._endpoint(endpoint, health, now) for endpoint, health in gate.doors)

    def _endpoint(self, endpoint: Endpoint, health: Health, now: float) -> EndpointState:
        return EndpointState(
            place=endpoint.place,
            endpoint=endpoint.origin,
            method=endpoint.method,
            guarantee=_guarantee(endpoint),
            condition=health.condition(now),
            failures=health.failures,
            since=self._text(health.since(now)),
            reason=health.reason,
            next_try_at=self._text(health.next_try_at(now)),
            in_flight=health.in_flight,
        )

    def _lag_s(self, courier: Courier, now: float) -> float:
        oldest_at = courier.window.oldest_at()
        is_shut = courier.gate.opens_at(now) > now
        if oldest_at is None and is_shut and self._counts.pending_of(courier.number):
            try:
                oldest_at = self._counts.oldest_at(courier.number)
            except SpoolUnreadable:
                # The spool has said so, and the rest can still be told.
                return 0.0
        return 0.0 if oldest_at is None else max(0.0, now - oldest_at)

    async def _dead(self) -> Mapping[int, int]:
        try:
            return await self._counts.dead_by_subscription()
        except SpoolUnreadable:
            return {}

    def _text(self, at: float | None) -> str | None:
        """A moment of the steady clock, as people read it."""
        if at is None:
            return None
        return utc_text(self._clock.wall() - (self._clock.steady() - at))


def _guarantee(endpoint: Endpoint) -> Guarantee:
    if isinstance(endpoint, TcpEndpoint):
        return "at_least_once" if endpoint.ack else "best_effort"
    return "best_effort" if isinstance(endpoint, UdpEndpoint) else "at_least_once"
