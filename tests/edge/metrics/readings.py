"""A daemon's state for the metrics page, as an operator would be told of it."""

from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace

from callpost.edge.metrics import Reading
from callpost.model.condition import (
    ConfigFigures,
    EndpointCondition,
    EndpointState,
    HealthReport,
    SpoolFigures,
    SubscriptionState,
    Trouble,
)
from callpost.model.delivery import Attempted

STARTED_AT: Final = "2026-11-21T16:40:00.000Z"
# The same moment as a number, found with `date -u -d … +%s`.
STARTED_AT_S: Final = 1_795_279_200.0


def a_state(
    name: str,
    *conditions: EndpointCondition,
    pending: int = 0,
    lag_s: float = 0.0,
    stalled: str = "",
) -> SubscriptionState:
    """A subscription with one endpoint for each condition."""
    return SubscriptionState(
        name=name,
        origin="file",
        customer="",
        condition="active",
        since=None,
        endpoints=tuple(
            EndpointState(
                place="primary",
                endpoint="http://crm.example:80",
                method="POSTJSON",
                guarantee="at_least_once",
                condition=condition,
                failures=0,
                since=None,
                reason="",
                next_try_at=None,
                in_flight=0,
            )
            for condition in conditions
        ),
        pending=pending,
        in_flight=2,
        dead=0,
        lag_s=lag_s,
        attempts=0,
        delivered=0,
        died=0,
        last_delivered_at=None,
        last_failed_at=None,
        last_failure="",
        stalled=stalled,
    )


def a_reading(
    *states: SubscriptionState,
    troubles: tuple[Trouble, ...] = (),
    last_good: bool = False,
    certificates: Sequence[tuple[str, float]] = (),
) -> Reading:
    """All of a daemon that is ready."""
    return Reading(
        health=HealthReport(live=True, ready=True, phase="ready", degraded=troubles),
        config=ConfigFigures(
            file="/etc/callpost/callpost.toml",
            loaded_at=STARTED_AT,
            last_good=last_good,
            warnings=0,
            left_out=0,
        ),
        spool=SpoolFigures(
            used_bytes=4_096, max_bytes=8_192, pending=0, dead=7, commits=0, commit_ms=0.0
        ),
        connections=3,
        subscriptions=states,
        certificates=certificates,
    )


AN_ATTEMPT: Final = Attempted(
    subscription="crm",
    event_id="e",
    call_id="c",
    seq=1,
    kind="newCall",
    attempt=1,
    endpoint="http://crm.example:80",
    place="primary",
    outcome="delivered",
    reason="http_200",
    http_status=200,
    connect_ms=None,
    total_ms=3.2,
    reused=True,
    next_attempt_at=None,
)


def an_attempt(subscription: str = "crm", outcome: str = "delivered") -> Attempted:
    """An attempt of 3.2 ms."""
    return replace(AN_ATTEMPT, subscription=subscription, outcome=outcome)
