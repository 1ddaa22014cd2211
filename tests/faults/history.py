"""What a life of callpost leaves behind for the oracle: what was sent, what arrived, what died.

These nouns say nothing of how the life was lived: a simulation in virtual time and a daemon that
is killed for real fill in the same. Times are seconds of one clock that all of them share.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from callpost.model.subscription import Order

# What the daemon adds to an event, or fills in where its producer has not.
_ADDED = frozenset({"seq", "previousId", "time", "answered"})


@dataclass(slots=True)
class Promise:
    """One subscription: what its configuration lets happen to its deliveries.

    `reasons` are the dead letters that can be; `reported` the ends ("delivered", "dead") that a
    delivery report is owed for. With `has_callback` only `newCall` may go to other places than
    the one named `callback`. `concurrency` None is not checked, nor is a kind without an age.
    """

    name: str
    order: Order = "call"
    reasons: frozenset[str] = frozenset()
    reported: frozenset[str] = frozenset()
    has_callback: bool = False
    concurrency: int | None = None
    ages_s: Mapping[str, float] = field(default_factory=dict)


@dataclass(slots=True)
class Sent:
    """An event as its producer knows it; `call` names customer, source and callId together.

    `acknowledged_at` is None where no reply has said `ok`. `number` is that reply's. With
    `within_s` it must arrive so soon after it was acknowledged. For `perhaps` it may have been
    or not: subscriptions came or went while nobody could know when it was stored.
    """

    id: str
    call: str
    kind: str
    digest: str
    wanted_by: frozenset[str]
    sent_at: float
    acknowledged_at: float | None = None
    number: int | None = None
    within_s: float | None = None
    perhaps: frozenset[str] = frozenset()


@dataclass(slots=True)
class Arrival:
    """A request that a receiver has seen.

    `taken` says that the receiver has kept the event; `heard`, that the daemon was there to hear
    its whole answer. Between `begun_at` and `ended_at` the attempt was out.
    """

    subscription: str
    place: str
    id: str
    call: str
    kind: str
    seq: int
    previous_id: str
    attempt: int
    digest: str
    begun_at: float
    ended_at: float
    taken: bool = True
    heard: bool = True
    replay: bool = False


@dataclass(slots=True)
class Death:
    """A dead letter; `at` is when it was on disk."""

    subscription: str
    id: str
    call: str
    seq: int
    reason: str
    at: float


@dataclass(slots=True)
class Reported:
    """A delivery report: `ended` is "delivered" or "dead". `taken` False: it is a dead letter."""

    subscription: str
    event_id: str
    ended: str
    taken: bool = True


@dataclass(slots=True)
class Replay:
    """An operator has queued an ended delivery again."""

    subscription: str
    id: str
    at: float


@dataclass(slots=True)
class History:
    """One life. All lists are in the order in which things happened.

    `told` are the deaths that the log has told of: subscription, event id and reason.
    `settles_within_s` is how long after its answer a delivery may still be repeated because of a
    crash; where the disk fails meanwhile, nothing is known.
    """

    promises: list[Promise]
    sent: list[Sent] = field(default_factory=list)
    arrivals: list[Arrival] = field(default_factory=list)
    deaths: list[Death] = field(default_factory=list)
    told: list[tuple[str, str, str]] = field(default_factory=list)
    reports: list[Reported] = field(default_factory=list)
    replays: list[Replay] = field(default_factory=list)
    crashes: list[float] = field(default_factory=list)
    settles_within_s: float = float("inf")


def digest_of(fields: Mapping[str, object]) -> str:
    """What must be the same on both sides: everything that the producer has said."""
    said = {name: value for name, value in fields.items() if name not in _ADDED}
    canonical = json.dumps(said, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]
