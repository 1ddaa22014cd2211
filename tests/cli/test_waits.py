"""When a pending delivery goes on: never at a moment that has passed."""

import pytest
from msgspec.structs import replace

from callpost.cli.waits import Waits, in_a_column, in_a_sentence
from callpost.model.condition import EndpointCondition, EndpointState, SubscriptionState
from callpost.model.delivery import Pause
from callpost.model.report import reports_of
from conditions import NOW, SUBSCRIPTIONS

PAST = "2026-11-21T10:29:00.000Z"
SOON = "2026-11-21T10:30:10.000Z"
LATER = "2026-11-21T10:35:00.000Z"
ENDPOINT = SUBSCRIPTIONS[0].endpoints[0]


def door(
    condition: EndpointCondition, next_try_at: str | None = None, place: str = "primary"
) -> EndpointState:
    """An endpoint that is so."""
    return replace(ENDPOINT, place=place, condition=condition, next_try_at=next_try_at)


def crm(*doors: EndpointState) -> SubscriptionState:
    """The subscription with these endpoints."""
    return replace(SUBSCRIPTIONS[0], name="crm", condition="active", endpoints=doors)


def told(due_at: str | None, *states: SubscriptionState, name: str = "crm") -> str:
    """What stands in the column."""
    return in_a_column(Waits(states, NOW).of(name, due_at), lambda moment: moment or "")


@pytest.mark.parametrize(
    ("due_at", "doors", "words"),
    [
        (SOON, [door("ok")], SOON),
        (PAST, [door("failing")], "in turn"),
        (None, [door("ok")], "in turn"),
        (PAST, [door("down", SOON)], f"probe {SOON}"),
        (None, [door("down", SOON)], f"probe {SOON}"),
        (LATER, [door("down", SOON)], LATER),
        (PAST, [door("down", LATER), door("down", SOON)], f"probe {SOON}"),
        (PAST, [door("down", SOON), door("ok")], "in turn"),
        (PAST, [door("down")], "after the probe"),
        (PAST, [door("down", PAST)], "after the probe"),
        (PAST, [door("held", SOON)], SOON),
        (PAST, [door("gone"), door("down", SOON)], f"probe {SOON}"),
        (PAST, [door("down", SOON), door("ok", place="report")], f"probe {SOON}"),
        (PAST, [door("down", SOON), door("ok", place="callback")], f"probe {SOON}"),
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


def test_a_report_waits_for_its_own_endpoint() -> None:
    """Not for those of the events."""
    state = crm(door("ok"), door("down", SOON, place="report"))
    assert told(PAST, state, name=reports_of("crm")) == f"probe {SOON}"


@pytest.mark.parametrize(("due_at", "words"), [(PAST, "in turn"), (SOON, SOON)])
def test_without_a_daemon_its_own_time_is_known(due_at: str, words: str) -> None:
    """What is due goes out in its turn, once there is one."""
    assert told(due_at) == words


def test_without_a_daemon_a_pause_is_known() -> None:
    """The spool has kept it."""
    wait = Waits(paused={"crm": "operator"}).of("crm", SOON)
    assert in_a_column(wait, lambda moment: moment or "") == "paused"


@pytest.mark.parametrize(
    ("due_at", "doors", "words"),
    [
        (SOON, [door("ok")], f"next attempt at {SOON}"),
        (PAST, [door("ok")], "next in turn"),
        (PAST, [door("down", SOON)], f"breaker open, next probe at {SOON}"),
        (PAST, [door("down")], "breaker open, next attempt after the probe"),
    ],
)
def test_a_sentence_says_what_is_waited_for(
    due_at: str, doors: list[EndpointState], words: str
) -> None:
    """An open breaker is named, and a moment that has passed is not."""
    assert in_a_sentence(Waits([crm(*doors)], NOW).of("crm", due_at), str) == words


@pytest.mark.parametrize(
    ("by", "words"),
    [
        ("operator", "paused by an operator"),
        ("auto", "paused after long failure"),
        ("gone", "paused because its endpoints are gone (410)"),
    ],
)
def test_a_sentence_says_who_has_paused_it(by: Pause, words: str) -> None:
    """For each of them ends in another way."""
    assert in_a_sentence(Waits(paused={"crm": by}).of("crm", None), str) == words
