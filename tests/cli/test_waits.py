"""When a pending delivery goes on: never at a moment that has passed."""

import pytest
from msgspec.structs import replace

from callpost.cli.waits import Waits
from callpost.model.condition import EndpointCondition, EndpointState, SubscriptionState
from callpost.model.story import PendingDelivery
from conditions import NOW, SUBSCRIPTIONS

PAST = "2026-11-21T10:29:00.000Z"
SOON = "2026-11-21T10:30:10.000Z"
LATER = "2026-11-21T10:35:00.000Z"
ENDPOINT = SUBSCRIPTIONS[0].endpoints[0]


def at(due_at: str | None) -> PendingDelivery:
    """A delivery that is due then."""
    return PendingDelivery(
        subscription="crm",
        event_id="e",
        call_id="c",
        customer="",
        kind="hangup",
        seq=1,
        replay=False,
        rounds=1,
        attempts=1,
        accepted_at=PAST,
        due_at=due_at,
        expires_at=LATER,
    )


def door(condition: EndpointCondition, next_try_at: str | None = None) -> EndpointState:
    """An endpoint that is so."""
    return replace(ENDPOINT, condition=condition, next_try_at=next_try_at)


def crm(*doors: EndpointState) -> SubscriptionState:
    """The subscription with these endpoints."""
    return replace(SUBSCRIPTIONS[0], name="crm", condition="active", endpoints=doors)


def told(due_at: str | None, *states: SubscriptionState) -> str:
    """What stands in the column."""
    return Waits(states, NOW).told(at(due_at), lambda moment: moment or "")


@pytest.mark.parametrize(
    ("due_at", "doors", "words"),
    [
        (SOON, [door("ok")], SOON),
        (PAST, [door("failing")], "in turn"),
        (None, [door("ok")], "in turn"),
        (PAST, [door("down", SOON)], f"probe {SOON}"),
        (None, [door("down", SOON)], f"probe {SOON}"),
        (LATER, [door("down", SOON)], f"probe {LATER}"),
        (PAST, [door("down", LATER), door("down", SOON)], f"probe {SOON}"),
        (PAST, [door("down", SOON), door("ok")], "in turn"),
        (PAST, [door("down")], "after the probe"),
        (PAST, [door("down", PAST)], "after the probe"),
        (PAST, [door("held", SOON)], SOON),
        (PAST, [door("gone"), door("down", SOON)], f"probe {SOON}"),
    ],
)
def test_it_waits_for_the_later_of_its_time_and_its_endpoints(
    due_at: str | None, doors: list[EndpointState], words: str
) -> None:
    """As long as one of them may be tried, nothing but its own time counts."""
    assert told(due_at, crm(*doors)) == words


def test_in_a_pause_there_is_no_next_attempt() -> None:
    """Whoever paused it."""
    assert told(SOON, replace(crm(door("ok")), condition="paused_auto")) == "paused"


@pytest.mark.parametrize(("due_at", "words"), [(PAST, "in turn"), (SOON, SOON)])
def test_without_a_daemon_only_its_own_time_is_known(due_at: str, words: str) -> None:
    """What is due goes out in its turn, once there is one."""
    assert told(due_at) == words
