"""What a daemon could answer its operator: nouns with sensible values, each to be changed."""

from datetime import UTC, datetime
from typing import Final

from msgspec.structs import replace

from callpost.model.condition import (
    Certificate,
    ConfigFigures,
    EndpointCondition,
    EndpointState,
    HealthReport,
    HostTrouble,
    IntakeFigures,
    SpoolFigures,
    Status,
    SubscriptionState,
    Trouble,
    Unserved,
)
from callpost.model.delivery import Attempted

NOW: Final = datetime(2026, 11, 21, 10, 30, tzinfo=UTC)

HEALTHY: Final = HealthReport(live=True, ready=True, phase="ready", degraded=())
DEGRADED: Final = replace(
    HEALTHY,
    degraded=(
        Trouble(
            code="egress_down",
            sentence="No endpoint can be reached from this machine.",
            since="2026-11-21T10:12:00.000Z",
        ),
    ),
)

WELL: Final = Status(
    version="0.1.0",
    pid=4711,
    started_at="2026-11-21T09:00:00.000Z",
    health=HEALTHY,
    config=ConfigFigures(
        file="/etc/callpost/callpost.toml",
        loaded_at="2026-11-21T09:00:00.000Z",
        last_good=False,
        warnings=0,
        left_out=0,
    ),
    intake=IntakeFigures(accepted=12_033, duplicates=0, refused={}, connections=1),
    spool=SpoolFigures(
        used_bytes=47_185_920,
        max_bytes=8_589_934_592,
        pending=0,
        dead=0,
        commits=4_000,
        commit_ms=2.14,
    ),
    subscriptions=40,
    paused=(),
    in_flight=0,
    attempts=12_040,
    delivered=12_033,
    died=0,
    lag_s=0.0,
    troubled=(),
    certificates=(),
)

# The morning of an operator who has slept badly.
BAD_DAY: Final = replace(
    WELL,
    health=DEGRADED,
    config=replace(WELL.config, last_good=True),
    intake=IntakeFigures(
        accepted=12_033,
        duplicates=3,
        refused={"too_large": 2, "invalid": 10},
        connections=3,
    ),
    spool=replace(WELL.spool, pending=1_204, dead=12),
    paused=("crm-backup", "ops"),
    in_flight=37,
    died=12,
    lag_s=5_290.0,
    troubled=(
        HostTrouble(
            endpoint="http://pbx.example.net:8080",
            condition="gone",
            since=None,
            reason="410 Gone",
            subscriptions=("popup",),
            pending=0,
        ),
        HostTrouble(
            endpoint="https://crm.example.com:443",
            condition="down",
            since="2026-11-21T09:02:00.000Z",
            reason="certificate expired 08:59",
            subscriptions=tuple(f"crm-{number}" for number in range(37)),
            pending=1_200,
        ),
    ),
    certificates=(
        Certificate(name="https://b.example.com:443", expires_at="2026-12-01T12:00:00.000Z"),
        Certificate(name="https://crm.example.com:443", expires_at="2026-11-21T08:59:00.000Z"),
    ),
)


def an_endpoint(
    condition: EndpointCondition = "ok", *, place: str = "primary", failures: int = 0
) -> EndpointState:
    """One endpoint of `crm.example.com`."""
    return EndpointState(
        place=place,
        endpoint="https://crm.example.com:443",
        method="POSTJSON",
        guarantee="at_least_once",
        condition=condition,
        failures=failures,
        since=None if condition == "ok" else "2026-11-21T09:02:00.000Z",
        reason="" if condition == "ok" else "503 Service Unavailable",
        next_try_at=None if condition == "ok" else "2026-11-21T10:31:00.000Z",
        in_flight=0,
    )


def a_subscription(name: str, *endpoints: EndpointState) -> SubscriptionState:
    """A subscription that is well, but for what its endpoints are."""
    return SubscriptionState(
        name=name,
        origin="file",
        customer="",
        condition="active",
        since=None,
        endpoints=endpoints or (an_endpoint(),),
        pending=0,
        in_flight=0,
        dead=0,
        lag_s=0.0,
        attempts=120,
        delivered=118,
        died=0,
        last_delivered_at="2026-11-21T10:29:00.000Z",
        last_failed_at=None,
        last_failure="",
        stalled="",
    )


SUBSCRIPTIONS: Final = (
    a_subscription("crm"),
    replace(
        a_subscription("popup", an_endpoint("down", failures=12)),
        pending=1_200,
        lag_s=5_290.0,
        dead=12,
        last_failed_at="2026-11-21T10:29:30.000Z",
        last_failure="503 Service Unavailable",
    ),
    replace(a_subscription("ops"), condition="paused", since="2026-11-20T17:00:00.000Z"),
)

UNSERVED: Final = (
    Unserved(
        name="voipnow.0003-210.8dd86b12",
        origin="voipnow",
        customer="acme",
        condition="left_out",
        reason='customer: there is no customer "acme"',
    ),
    Unserved(name="lobby", origin="file", customer="", condition="disabled"),
)


def an_attempt(outcome: str = "delivered", **more: object) -> Attempted:
    """An attempt at `crm`."""
    attempt = Attempted(
        subscription="crm",
        event_id="evt_1",
        call_id="call-17",
        seq=3,
        kind="hangup",
        attempt=1,
        endpoint="https://crm.example.com:443",
        place="primary",
        outcome=outcome,
        reason="" if outcome == "delivered" else "503 Service Unavailable",
        http_status=200 if outcome == "delivered" else 503,
        connect_ms=None,
        total_ms=12.34,
        reused=True,
        next_attempt_at=None,
    )
    return replace(attempt, **more)
