"""What the tests of spools speak in: arrivals, settlements, and what is pending."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import trio

from callpost.engine.ports import Spool
from callpost.model.delivery import (
    Arrival,
    AttemptRecord,
    DeadReason,
    Deferred,
    Delivery,
    Died,
    Done,
    Match,
    Released,
    Settlement,
)
from callpost.model.subscription import Order

OpenSpool = Callable[[], AbstractAsyncContextManager[Spool]]

# Nothing here expires unless a test says so.
NEVER = 1e12


def arrival(
    event_id: str,
    *owners: int,
    call: str = "call-1",
    customer: str = "",
    source: str = "",
    at: float = 1_000.0,
    body: bytes = b'{"event":"newCall"}',
    expires_at: float = NEVER,
) -> Arrival:
    """An event of `call` that the subscriptions `owners` want."""
    return Arrival(
        id=event_id,
        call_id=call,
        customer=customer,
        source=source,
        accepted_at=at,
        body=body,
        matches=tuple(Match(owner, expires_at) for owner in owners),
    )


def attempt(delivery: Delivery, count: int = 1, *, outcome: str = "delivered") -> AttemptRecord:
    """The record of the `count`-th attempt of a delivery."""
    return AttemptRecord(
        number=delivery.number,
        attempt=count,
        at=1_001.0,
        place="primary",
        outcome=outcome,
        reason="",
        http_status=200,
        total_ms=1.5,
    )


def done(owner: int, delivery: Delivery, *, report: Arrival | None = None) -> Done:
    """The delivery was made at its next attempt."""
    attempts = (attempt(delivery, delivery.attempts + 1),)
    return Done(subscription=owner, delivery=delivery, attempts=attempts, report=report)


def deferred(
    owner: int, delivery: Delivery, *, due_at: float = 2_000.0, order: Order = "call"
) -> Deferred:
    """The lane of `delivery` waits on disk after its first round."""
    return Deferred(
        subscription=owner,
        order=order,
        key=key_of(delivery, order),
        delivery=delivery,
        due_at=due_at,
        rounds=delivery.rounds + 1,
        attempts=(attempt(delivery, delivery.attempts + 1, outcome="retry"),),
    )


def died(
    owner: int,
    delivery: Delivery,
    *,
    reason: DeadReason = "rejected",
    died_at: float = 1_001.0,
    report: Arrival | None = None,
) -> Died:
    """The delivery was rejected at its next attempt."""
    return Died(
        subscription=owner,
        delivery=delivery,
        reason=reason,
        last="http:400",
        died_at=died_at,
        attempts=(attempt(delivery, delivery.attempts + 1, outcome="rejected"),),
        report=report,
    )


def released(owner: int, delivery: Delivery, *, order: Order = "call") -> Released:
    """The lane of `delivery` has nothing more to send."""
    return Released(subscription=owner, order=order, key=key_of(delivery, order))


def key_of(delivery: Delivery, order: Order) -> int:
    """The key of a delivery's lane."""
    return {"call": delivery.call, "none": delivery.position, "subscription": 0}[order]


async def settled(spool: Spool, settlement: Settlement) -> bool:
    """Settle, wait until it is on disk, and return what the confirmation said."""
    answers: list[bool] = []
    written = trio.Event()

    def confirm(answer: bool) -> None:  # noqa: FBT001 - the port's signature
        answers.append(answer)
        written.set()

    spool.settle(settlement, confirm)
    await written.wait()
    return answers[0]


def pending(spool: Spool, owner: int, *, order: Order = "call") -> list[Delivery]:
    """Every pending delivery of a subscription that starts from nothing, in order."""
    return [one for one, _, _ in spool.page(owner, after=0, limit=10_000, order=order).rows]


def blocked(spool: Spool, owner: int, *, order: Order = "call") -> list[bool]:
    """Which of them a deferred lane holds back."""
    return [held for *_, held in spool.page(owner, after=0, limit=10_000, order=order).rows]
