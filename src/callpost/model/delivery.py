"""What crosses the house: an arrival on its way in, a delivery on its way out, its settlement.

A `position` is a delivery's place in its subscription's queue; a `number` is its event's place
in the spool; both come from one counter that is never reused.
"""

from typing import Literal

from msgspec import Struct

from callpost.model.outcome import Outcome
from callpost.model.subscription import Order

DeadReason = Literal[
    "expired",
    "exhausted",
    "refused",
    "rejected",
    "too_large",
    "subscription_removed",
    "overflow",
    "superseded",
    "gap",
    "damaged",
]

Pause = Literal["", "operator", "auto", "gone"]


class SpoolUnreadable(Exception):
    """The disk does not give what it holds; the spool has told why, and may be asked again."""


class Match(Struct, frozen=True, gc=False):
    """One subscription that wants the event, and when this delivery of it is given up.

    `expires_at` is in seconds of the steady clock, like every other `*_at` here.
    """

    subscription: int
    expires_at: float


class Arrival(Struct, frozen=True, kw_only=True, gc=False):
    """A decoded, stamped and routed event, ready for the spool.

    A call is (`customer`, `source`, `call_id`) and an `id` is unique within (`customer`,
    `source`); absent is "". `body` is the event as canonical JSON (level 2, without `seq`).
    """

    id: str
    call_id: str
    customer: str
    source: str
    accepted_at: float
    body: bytes
    matches: tuple[Match, ...]


class Accepted(Struct, frozen=True, kw_only=True, gc=False, tag="accepted"):
    """The event is on disk. Of a `duplicate` it is the first one's `number`."""

    number: int
    matched: int
    duplicate: bool = False


class NotAccepted(Struct, frozen=True, tag="not-accepted"):
    """Nothing of the event was kept; `message` is one sentence for the producer."""

    error: Literal["spool_full", "spool_error"]
    message: str


Receipt = Accepted | NotAccepted


class Delivery(Struct, frozen=True, kw_only=True, gc=False):
    """One event for one subscription, as the spool hands it out.

    `seq` counts the deliveries of this call to this subscription from 1; `previous_id` is the
    id of the event before it, "" for the first. `rounds` and `attempts` are those that were
    counted so far. `body` is the event as canonical JSON.
    """

    position: int
    number: int
    call: int
    seq: int
    previous_id: str
    rounds: int
    attempts: int
    accepted_at: float
    expires_at: float
    body: bytes

    @property
    def is_replay(self) -> bool:
        """A replay stands at the tail of its queue, not at its event's own place.

        Its `accepted_at` is the time of the replay, so its age counts from there.
        """
        return self.position != self.number


class Page(Struct, frozen=True):
    """The next deliveries of a subscription in the order of acceptance.

    Each comes with its key (see `lanes`) and whether a deferred lane on disk holds it back.
    `last` is the cursor for the page after this one; `full` says that there may be more.
    """

    rows: tuple[tuple[Delivery, int, bool], ...]
    last: int
    full: bool


class AttemptRecord(Struct, frozen=True, kw_only=True, gc=False):
    """One attempt, as it is kept for `inspect`; `total_ms` from its start to its outcome."""

    number: int
    attempt: int
    at: float
    place: str
    outcome: str
    reason: str
    http_status: int | None
    total_ms: float


class Done(Struct, frozen=True, kw_only=True, tag="done"):
    """The delivery was made. Of a replay the dead letter goes in the same transaction.

    `report` is the delivery report about it, stored in the same transaction too.
    """

    subscription: int
    delivery: Delivery
    attempts: tuple[AttemptRecord, ...]
    report: Arrival | None = None


class Died(Struct, frozen=True, kw_only=True, tag="died"):
    """The delivery ended undelivered; it becomes a dead letter with all that it was.

    `last` is the last outcome's reason, "" where there was no attempt.
    """

    subscription: int
    delivery: Delivery
    reason: DeadReason
    last: str
    died_at: float
    attempts: tuple[AttemptRecord, ...]
    report: Arrival | None = None


class Deferred(Struct, frozen=True, kw_only=True, tag="deferred"):
    """The lane of `delivery` leaves the memory and waits on disk until `due_at`."""

    subscription: int
    order: Order
    key: int
    delivery: Delivery
    due_at: float
    rounds: int
    attempts: tuple[AttemptRecord, ...] = ()


class Released(Struct, frozen=True, kw_only=True, tag="released"):
    """The lane `key` has nothing more to send, as far as memory knows.

    It is written only in a transaction that finds no pending delivery of the lane: else nothing
    changes and the confirmation is False.
    """

    subscription: int
    order: Order
    key: int


class Standing(Struct, frozen=True, kw_only=True):
    """What of a subscription's health outlives a restart.

    `paused` says who paused it: the operator, callpost itself after long failure, or its own
    endpoints, all of which are gone. `paused_since` and `failing_since` are on the steady clock.
    `gone` holds the fingerprints of endpoints that answered 410.
    """

    paused: Pause = ""
    paused_since: float | None = None
    failing_since: float | None = None
    gone: tuple[str, ...] = ()


class StandingChanged(Struct, frozen=True, kw_only=True, tag="standing"):
    """The subscription's standing is now this."""

    subscription: int
    standing: Standing


class Enrolled(Struct, frozen=True):
    """A subscription's number in the spool, the same at every start, and its standing."""

    number: int
    standing: Standing


Settlement = Done | Died | Deferred | Released | StandingChanged


class Message(Struct, frozen=True, kw_only=True, gc=False):
    """One attempt's content and the marks it carries on the wire.

    `content` is the query string of a GET, the body of a POST, the frame of tcp and udp.
    `sent_at` is wall time in seconds.
    """

    content: bytes
    content_type: str
    id: str
    seq: int
    previous_id: str
    attempt: int
    sent_at: float
    replay: bool = False


class Report(Struct, frozen=True, kw_only=True, gc=False):
    """What a sender says of one attempt; times in milliseconds, None where not reached.

    `answer` is the beginning of what the peer answered, b"" where it is not known.
    """

    outcome: Outcome
    connect_ms: float | None
    total_ms: float
    reused: bool
    answer: bytes = b""


class Attempted(Struct, frozen=True, kw_only=True, gc=False, rename="camel"):
    """The canonical line of an attempt that is over, fields in the order in which it is written.

    `endpoint` is its origin, never the whole URL; `connect_ms` is None on a kept connection;
    `next_attempt_at` is RFC 3339 in UTC, None where there is to be none.
    """

    subscription: str
    event_id: str
    call_id: str
    seq: int
    kind: str
    attempt: int
    endpoint: str
    place: str
    outcome: str
    reason: str
    http_status: int | None
    connect_ms: float | None
    total_ms: float
    reused: bool
    next_attempt_at: str | None
