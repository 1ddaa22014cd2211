"""Nouns as they are answered, for the description of the API: an example of each."""

from typing import Final

from callpost.model.condition import EndpointState, SubscriptionState, Unserved

AT: Final = "2026-11-21T16:40:00.000Z"
SUBSCRIPTION: Final = "api.crm.3f9a0c51"
STATE: Final = SubscriptionState(
    name=SUBSCRIPTION,
    origin="api",
    customer="acme",
    condition="active",
    since=None,
    endpoints=(
        EndpointState(
            place="primary",
            endpoint="https://crm.example.com:443",
            method="POSTJSON",
            guarantee="at_least_once",
            condition="ok",
            failures=0,
            since=None,
            reason="",
            next_try_at=None,
            in_flight=1,
        ),
    ),
    pending=1,
    in_flight=1,
    dead=0,
    lag_s=0.012,
    attempts=17,
    delivered=16,
    died=0,
    last_delivered_at=AT,
    last_failed_at=None,
    last_failure="",
    stalled="",
)
UNSERVED: Final = Unserved(
    name="api.lobby.71d3e0f2",
    origin="api",
    customer="acme",
    condition="left_out",
    reason='customer: there is no customer "acme"',
)
