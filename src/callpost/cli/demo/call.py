"""The call of the demo: a customer rings a hunt group, is answered, transferred, and hangs up."""

from collections.abc import Mapping
from typing import Final

_CALL: Final[Mapping[str, object]] = {
    "callId": "demo-4570305050-1",
    "from": "+4526110203",
    "fromName": "Jensen & Søn \u260e",
    "to": "+4570305050",
    "direction": "in",
    "did": "+4570305050",
    "network": "SIP",
    "queue": "sales",
}

EVENTS: Final[tuple[Mapping[str, object], ...]] = (
    {"event": "newCall", "user": ["Alice", "Bob"]},
    {"event": "ringing", "user": ["Alice"], "extension": "201", "extensionType": "phone"},
    {"event": "ringing", "user": ["Bob"], "extension": "202", "extensionType": "phone"},
    {"event": "answer", "user": ["Bob"], "answeringNumber": "202", "ringDuration": 6.4},
    {"event": "dtmf", "dtmf": "3"},
    {"event": "hold", "user": ["Bob"]},
    {"event": "resume", "user": ["Bob"]},
    {"event": "transfer", "user": ["Alice"], "answeringNumber": "201"},
    {"event": "hangup", "cause": "normalClearing", "duration": 93, "answered": True},
    {
        "event": "cdr",
        "cause": "normalClearing",
        "duration": 93,
        "ringDuration": 6.4,
        "answered": True,
        "q850": 16,
        "sipCode": 200,
        "data": {"account": "4711", "note": "50 % <off> & more"},
    },
)

# What every subscriber should see, in this order.
KINDS: Final[tuple[str, ...]] = tuple(str(event["event"]) for event in EVENTS)


def event(number: int) -> Mapping[str, object]:
    """Event `number` of the call, from 0, as a producer would tell it."""
    return {**_CALL, **EVENTS[number]}
