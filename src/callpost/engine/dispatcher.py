"""Owns the couriers: one task for each subscription, all in one nursery.

The dispatcher rings and drains them; it never touches a delivery itself.
"""

from collections.abc import Iterable, Mapping

import structlog
import trio

from callpost.engine.courier import Courier
from callpost.engine.ports import Clock, Dice, SenderFactory, Spool
from callpost.engine.round import Door, Rounds
from callpost.model.subscription import Subscription


class Dispatcher:
    """The couriers of all subscriptions, by number."""

    def __init__(
        self,
        subscriptions: Mapping[int, Subscription],
        *,
        spool: Spool,
        open_sender: SenderFactory,
        clock: Clock,
        dice: Dice,
        log: structlog.typing.FilteringBoundLogger,
    ) -> None:
        def courier(number: int, subscription: Subscription) -> Courier:
            endpoints = subscription.endpoints + (
                (subscription.callback,) if subscription.callback else ()
            )
            rounds = Rounds(
                subscription,
                doors=tuple(Door(endpoint, open_sender(endpoint)) for endpoint in endpoints),
                clock=clock,
                dice=dice,
                log=log,
            )
            return Courier(number, subscription, spool=spool, rounds=rounds, clock=clock, log=log)

        self._couriers = {number: courier(number, one) for number, one in subscriptions.items()}

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Let the couriers carry until they are drained; in the nursery lives one task each."""
        async with trio.open_nursery() as couriers:
            for courier in self._couriers.values():
                couriers.start_soon(courier.run)
            task_status.started()

    def ring(self, numbers: Iterable[int]) -> None:
        """There is something new for these subscriptions."""
        for number in numbers:
            self._couriers[number].ring()

    def drain(self) -> None:
        """Begin no further attempt anywhere; `run` returns when those in flight have ended."""
        for courier in self._couriers.values():
            courier.drain()
