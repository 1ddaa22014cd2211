"""How the daemon is, as its operator is told: on the control door, in commands, in metrics.

Everything may be shown: endpoints are origins and places, reasons hold no secret. Times are
RFC 3339 in UTC, None where there is none yet.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

from msgspec import Struct

from callpost.model.delivery import Pause

TroubleCode = Literal[
    "spool_full",
    "spool_error",
    "egress_down",
    "config_rejected",
    "courier_stalled",
    "loop_stalled",
]
Phase = Literal["starting", "ready", "draining"]
Guarantee = Literal["at_least_once", "best_effort"]
# `failing`: 1 to 4 failures in a row; `down`: its breaker is open and only probes go; `held`: it
# asked for a rest by Retry-After; `gone`: it answered 410.
EndpointCondition = Literal["ok", "failing", "down", "held", "gone"]
# Who paused it: an operator, callpost after long failure, its endpoints that are all gone.
SubscriptionCondition = Literal["active", "paused", "paused_auto", "paused_gone"]
CONDITION_OF: Final[Mapping[Pause, SubscriptionCondition]] = MappingProxyType(
    {"": "active", "operator": "paused", "auto": "paused_auto", "gone": "paused_gone"}
)
# `enabled` is false; the configuration forbids by now what was made over the API.
UnservedCondition = Literal["disabled", "left_out"]
# How soon a certificate's end is worth a word.
CERTIFICATE_SOON_S = 21 * 86_400.0


class Trouble(Struct, frozen=True, kw_only=True, rename="camel"):
    """One reason why the daemon is degraded: a word for programs, a sentence for people."""

    code: TroubleCode
    sentence: str
    since: str | None = None


class HealthReport(Struct, frozen=True, kw_only=True, rename="camel"):
    """`live`: the loop turns; `ready`: events are accepted; `degraded`: and what is wrong."""

    live: bool
    ready: bool
    phase: Phase
    degraded: tuple[Trouble, ...]


class EndpointState(Struct, frozen=True, kw_only=True, rename="camel"):
    """One endpoint of a subscription; `endpoint` is its origin.

    `failures` are those in a row. `since` is when `condition` began, where it is not `ok`;
    `reason` is the last failure's.
    """

    place: str
    endpoint: str
    method: str
    guarantee: Guarantee
    condition: EndpointCondition
    failures: int
    since: str | None
    reason: str
    next_try_at: str | None
    in_flight: int


class SubscriptionState(Struct, frozen=True, kw_only=True, rename="camel"):
    """One subscription with its figures; `origin` is "file", or the dialect of the API.

    `attempts`, `delivered` and `died` count since the daemon's start, `pending` and `dead` what
    lies in the spool. `lag_s` is the age of the oldest pending delivery that may go, in seconds,
    0.0 where none is. `stalled` says why no progress is made although it could be, "" where all
    is well.
    """

    name: str
    origin: str
    customer: str
    condition: SubscriptionCondition
    since: str | None
    endpoints: tuple[EndpointState, ...]
    pending: int
    in_flight: int
    dead: int
    lag_s: float
    attempts: int
    delivered: int
    died: int
    last_delivered_at: str | None
    last_failed_at: str | None
    last_failure: str
    stalled: str


class Unserved(Struct, frozen=True, kw_only=True, rename="camel"):
    """One subscription that gets nothing; `reason` is the fault of one that is left out."""

    name: str
    origin: str
    customer: str
    condition: UnservedCondition
    reason: str = ""


class HostTrouble(Struct, frozen=True, kw_only=True, rename="camel"):
    """One origin at which subscriptions fail; `subscriptions` are their names, all of them."""

    endpoint: str
    condition: EndpointCondition
    since: str | None
    reason: str
    subscriptions: tuple[str, ...]
    pending: int


class Certificate(Struct, frozen=True, kw_only=True, rename="camel"):
    """A certificate that ends soon or has ended.

    `name` is an endpoint's origin, or the file of a client certificate of ours.
    """

    name: str
    expires_at: str


class IntakeFigures(Struct, frozen=True, kw_only=True, rename="camel"):
    """Events since the start; `refused` by the code of the refusal."""

    accepted: int
    duplicates: int
    refused: dict[str, int]
    connections: int


class SpoolFigures(Struct, frozen=True, kw_only=True, rename="camel"):
    """What the spool holds and how it writes; `commit_ms` is the last commit's time."""

    used_bytes: int
    max_bytes: int
    pending: int
    dead: int
    commits: int
    commit_ms: float


class ConfigFigures(Struct, frozen=True, kw_only=True, rename="camel"):
    """Which configuration is in force.

    `last_good`: not the files as they are, for these are faulty, but the last that were not.
    `left_out` and `left_out_forwards` count subscriptions and forward rules made over the API
    that the files forbid by now; a daemon that was not restarted yet may not count them.
    """

    file: str
    loaded_at: str
    last_good: bool
    warnings: int
    left_out: int = 0
    left_out_forwards: int = 0


class Status(Struct, frozen=True, kw_only=True, rename="camel"):
    """The one screen: is it healthy, what is behind, who fails and why."""

    version: str
    pid: int
    started_at: str
    health: HealthReport
    config: ConfigFigures
    intake: IntakeFigures
    spool: SpoolFigures
    subscriptions: int
    paused: tuple[str, ...]
    in_flight: int
    attempts: int
    delivered: int
    died: int
    lag_s: float
    troubled: tuple[HostTrouble, ...]
    certificates: tuple[Certificate, ...]
