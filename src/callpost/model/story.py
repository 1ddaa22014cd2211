"""The story of an event or of a call: who wanted it, each attempt, how it ended.

Everything may be shown: numbers are masked to their last three digits, endpoints are origins,
digits and bodies are not there. Times are RFC 3339 in UTC.
"""

from typing import Literal

from msgspec import Struct

DeliveryState = Literal["pending", "delivered", "dead"]


class AttemptStory(Struct, frozen=True, kw_only=True, rename="camel"):
    """One attempt; `place` is that of the endpoint: `primary`, `fallback-1`, `callback`."""

    attempt: int
    at: str
    place: str
    outcome: str
    reason: str
    http_status: int | None
    total_ms: float


class DeliveryStory(Struct, frozen=True, kw_only=True, rename="camel"):
    """One event for one subscription; `reason` is that of a dead letter, else "".

    `next_attempt_at` is known of a pending delivery that waits on disk for its time.
    """

    subscription: str
    seq: int
    state: DeliveryState
    reason: str
    replay: bool
    rounds: int
    next_attempt_at: str | None
    expires_at: str | None
    ended_at: str | None
    attempts: tuple[AttemptStory, ...]


class EventStory(Struct, frozen=True, kw_only=True, rename="camel"):
    """One event and all its deliveries; `kind` is "" for a delivery report."""

    event_id: str
    call_id: str
    customer: str
    source: str
    kind: str
    caller: str
    called: str
    direction: str
    accepted_at: str
    deliveries: tuple[DeliveryStory, ...]


class CallStory(Struct, frozen=True, kw_only=True, rename="camel"):
    """The events of a call in the order of acceptance; `more` where there are further ones."""

    call_id: str
    events: tuple[EventStory, ...]
    more: bool


class PendingDelivery(Struct, frozen=True, kw_only=True, rename="camel"):
    """A delivery that is still to be made; `due_at` where it waits on disk for its time."""

    subscription: str
    event_id: str
    call_id: str
    customer: str
    kind: str
    seq: int
    replay: bool
    rounds: int
    attempts: int
    accepted_at: str
    due_at: str | None
    expires_at: str


class DeadDelivery(Struct, frozen=True, kw_only=True, rename="camel"):
    """A delivery that ended undelivered: why, and what the last attempt said."""

    subscription: str
    event_id: str
    call_id: str
    customer: str
    kind: str
    seq: int
    reason: str
    last: str
    attempts: int
    accepted_at: str
    died_at: str


class PendingPage(Struct, frozen=True, kw_only=True, rename="camel"):
    """A page of a listing; `next` is the cursor of the following one, "" at the end."""

    deliveries: tuple[PendingDelivery, ...]
    total: int
    next: str


class DeadPage(Struct, frozen=True, kw_only=True, rename="camel"):
    """As PendingPage, of dead letters, the newest first."""

    deliveries: tuple[DeadDelivery, ...]
    total: int
    next: str
