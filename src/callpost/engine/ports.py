"""What the engine needs of the world, as Protocols; the edge fits them without knowing them.

Everything here that is not `async` returns at once.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from callpost.model.delivery import (
    Arrival,
    Attempted,
    Delivery,
    Message,
    Page,
    Receipt,
    Report,
    Settlement,
)
from callpost.model.endpoint import Endpoint
from callpost.model.flow import Way
from callpost.model.subscription import Order


class Spool(Protocol):
    """The durable memory: the disk is the queue."""

    async def append(self, arrivals: Sequence[Arrival]) -> list[Receipt]:
        """Return once all are on disk in one transaction, or say why not; one receipt each."""
        ...

    def page(self, subscription: int, *, after: int, limit: int, order: Order) -> Page:
        """Read up to `limit` rows with a position above `after`, in order, committed ones only."""
        ...

    def due(self, subscription: int, *, now: float, limit: int, order: Order) -> list[int]:
        """Name the keys of the deferred lanes whose time has come, the longest due first."""
        ...

    def next_due(self, subscription: int, *, now: float) -> float | None:
        """Say when the next deferred lane falls due after `now`; None where none waits."""
        ...

    def lane(
        self, subscription: int, key: int, *, after: int, limit: int, order: Order
    ) -> list[Delivery]:
        """Read the pending deliveries of one lane with a position above `after`, in order."""
        ...

    def expired(
        self, subscription: int, *, after: int, scan: int, now: float
    ) -> tuple[list[Delivery], int]:
        """Look at up to `scan` pending deliveries above `after` for those past their age.

        Returns them, and the position to go on from; 0 where the end was reached.
        """
        ...

    def pending_of(self, subscription: int) -> int:
        """Count the committed pending deliveries; costs nothing."""
        ...

    def ending(self, subscription: int) -> frozenset[int]:
        """Name the positions whose end is queued but not on disk: reads still show them."""
        ...

    def has_gap(self, subscription: int, call: int) -> bool:
        """Say whether a dead letter of the call is kept, other than `superseded` ones."""
        ...

    def is_purged(self, number: int) -> bool:
        """Say whether an event that was pending has been removed, and must not be sent."""
        ...

    def was_answered(self, *, customer: str, source: str, call_id: str) -> bool:
        """Say whether an `answer` event of the call is kept; "" stands for absent."""
        ...

    def way_of(self, *, customer: str, source: str, call_id: str) -> Way:
        """Tell what the call's latest newCall says, or else the first event that says it."""
        ...

    @property
    def clogged(self) -> bool:
        """Settlements pile up because the disk takes none: begin nothing new."""
        ...

    def settle(self, settlement: Settlement, written: Callable[[bool], None] | None = None) -> None:
        """Queue it for the next commit; `written` is called in the loop once it is on disk.

        It is called with True, but for a `Released` that found the lane not empty: False.
        Settlements are written in the order in which they were queued. One without `written`
        may ride with a later commit (within 20 ms).
        """
        ...

    def serve(self, names: Mapping[int, str]) -> None:
        """From now on these subscriptions are there, by their numbers, and no others.

        What is written later for one that is gone becomes its dead letter at once
        (`subscription_removed`), and its standing is not kept.
        """
        ...

    async def bury(self, subscription: int, *, now: float) -> int:
        """Make dead letters of the next that is pending for one that is gone; 0: none is left.

        It returns how many, once that is on disk; for one that is there it does nothing.
        """
        ...


class Sender(Protocol):
    """One endpoint's door: it keeps the connections and never raises for what a peer does."""

    async def send(self, message: Message) -> Report:
        """Make one attempt, within the endpoint's time-outs."""
        ...

    def headers(self, message: Message) -> tuple[tuple[str, str], ...]:
        """Show the headers that go out with it, values that are secret masked."""
        ...

    def close(self) -> None:
        """Drop the connections that are idle."""
        ...


class SenderFactory(Protocol):
    """Opens the sender for an endpoint, whatever its transport."""

    def __call__(self, endpoint: Endpoint, tenant: str) -> Sender:
        """Prepare, for the tenant's share; nothing is connected before the first attempt."""
        ...


class Clock(Protocol):
    """Two clocks: `steady` never goes back, also over restarts; `wall` is what people read."""

    def steady(self) -> float:
        """Seconds for accepted_at, due_at and expires_at."""
        ...

    def wall(self) -> float:
        """Seconds since 1970 for times that go out."""
        ...


class Dice(Protocol):
    """Chance, so that tests can choose it."""

    def roll(self) -> float:
        """Return a number from [0, 1)."""
        ...

    def event_id(self) -> str:
        """Return `evt_` and a UUIDv7 in hex: unique, and growing with time."""
        ...


class Witness(Protocol):
    """Sees what happens: whoever tells, counts or shows it."""

    def attempted(self, attempt: Attempted, /) -> None:
        """Take note of an attempt that is over."""
        ...

    def delivered(self, lag_s: float, /) -> None:
        """Take note of a delivery that was made, so long after its acceptance (or its replay)."""
        ...

    def accepted(self, events: int, *, duplicates: int) -> None:
        """Take note of events that are on disk; `duplicates` of others that were there before."""
        ...

    def refused(self, code: str) -> None:
        """Take note of an event that was refused, by the code that its producer got."""
        ...

    def died(self, subscription: str, reason: str) -> None:
        """Take note of a dead letter that is on disk."""
        ...

    def removed(self, subscription: str) -> None:
        """Take note that nothing more will be told of this subscription."""
        ...
