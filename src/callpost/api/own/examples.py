"""What is sent and what is answered, for the description of the API: an example of each."""

from typing import Final

from callpost.model.replay import Replayed
from callpost.model.story import (
    AttemptStory,
    CallStory,
    DeadDelivery,
    DeadPage,
    DeliveryStory,
    EventStory,
    PendingDelivery,
    PendingPage,
)
from callpost.model.trial import Exchange, Trial
from callpost.web.examples import AT, STATE, SUBSCRIPTION
from callpost.web.openapi import Json

__all__ = ["STATE"]

_EVENT: Final = "evt_019a9f1c2b7e7d0f8a55c3f2d1e6b904"
_CALL: Final = "4f1c-2205"
_KEYS: Final[Json] = {
    "url": "https://crm.example.com/calls",
    "events": ["newCall", "answer", "hangup"],
}
NEW_SUBSCRIPTION_SENT: Final[Json] = {
    **_KEYS,
    "name": "crm",
    "headers": {"X-Api-Key": "k3y-of-the-crm"},
}
WHOLE_SUBSCRIPTION_SENT: Final[Json] = {**_KEYS, "headers": {"X-Api-Key": "********"}}
PATCH_SENT: Final[Json] = {"events": ["newCall"], "headers": None, "timeout_s": 5}
SUBSCRIPTION_ANSWER: Final[Json] = {
    "name": SUBSCRIPTION,
    "customer": "acme",
    "origin": "api",
    "created_at": AT,
    "modified_at": AT,
    "state": "active",
    **_KEYS,
    "headers": {"X-Api-Key": "********"},
}
SUBSCRIPTIONS_ANSWER: Final[Json] = {
    "subscriptions": [SUBSCRIPTION_ANSWER],
    "total": 1,
    "next": "",
}
FORWARD_SENT: Final[Json] = {"number": "101", "to": ["102", "sip:bob@pbx.example"]}
FORWARD_ANSWER: Final[Json] = {
    "id": "8c1f0a9be27d4a6603f15c92",
    "customer": "acme",
    "origin": "api",
    "created_at": AT,
    "modified_at": AT,
    "state": "active",
    **FORWARD_SENT,
}
FORWARDS_ANSWER: Final[Json] = {"forwards": [FORWARD_ANSWER], "total": 1, "next": ""}
EVENT_SENT: Final[Json] = {
    "event": "newCall",
    "callId": _CALL,
    "from": "+4526110203",
    "to": "+4570305050",
    "direction": "in",
}
REPLY: Final[Json] = {"ok": True, "id": _EVENT, "number": 17, "matched": 2}
REPLAYED: Final = Replayed(deliveries=2, by_subscription={SUBSCRIPTION: 2})
PENDING_PAGE: Final = PendingPage(
    deliveries=(
        PendingDelivery(
            subscription=SUBSCRIPTION,
            event_id=_EVENT,
            call_id=_CALL,
            customer="acme",
            kind="newCall",
            seq=1,
            replay=False,
            rounds=1,
            attempts=1,
            accepted_at=AT,
            due_at=None,
            expires_at="2026-11-21T16:55:00.000Z",
        ),
    ),
    total=1,
    next="",
)
DEAD_PAGE: Final = DeadPage(
    deliveries=(
        DeadDelivery(
            subscription=SUBSCRIPTION,
            event_id=_EVENT,
            call_id=_CALL,
            customer="acme",
            kind="newCall",
            seq=1,
            reason="rejected",
            last="http:400",
            attempts=1,
            accepted_at=AT,
            died_at=AT,
        ),
    ),
    total=1,
    next="",
)
EVENT_STORY: Final = EventStory(
    event_id=_EVENT,
    call_id=_CALL,
    customer="acme",
    source="",
    kind="newCall",
    caller="…203",
    called="…050",
    direction="in",
    accepted_at=AT,
    deliveries=(
        DeliveryStory(
            subscription=SUBSCRIPTION,
            seq=1,
            state="delivered",
            reason="",
            replay=False,
            rounds=1,
            next_attempt_at=None,
            expires_at=None,
            ended_at=AT,
            attempts=(
                AttemptStory(
                    attempt=1,
                    at=AT,
                    place="primary",
                    outcome="delivered",
                    reason="http:200",
                    http_status=200,
                    total_ms=3.5,
                ),
            ),
        ),
    ),
)
STORY: Final = CallStory(call_id=_CALL, events=(EVENT_STORY,), more=False)
TRIAL: Final = Trial(
    subscription=SUBSCRIPTION,
    call_id="callpost-test-7c2e",
    ok=True,
    exchanges=(
        Exchange(
            kind="newCall",
            place="primary",
            endpoint="https://crm.example.com:443",
            method="POSTJSON",
            headers=(("webhook-id", _EVENT),),
            content='{"event":"newCall","callId":"callpost-test-7c2e"}',
            outcome="delivered",
            reason="http:200",
            http_status=200,
            answer="ok",
            connect_ms=1.2,
            total_ms=3.5,
        ),
    ),
)
