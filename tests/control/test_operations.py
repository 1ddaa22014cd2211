"""Each operation with good input: what is asked of the house, and what it answers."""

import msgspec
import pytest

from callpost.control.states import States
from callpost.model.changes import Reloaded
from callpost.model.condition import HealthReport, Status, SubscriptionState
from callpost.model.fault import Fault
from callpost.model.purge import Criteria
from callpost.model.replay import Replayed, Selection
from callpost.model.story import CallStory, DeadPage, PendingPage
from callpost.model.trial import Trial
from conditions import HEALTHY
from control.conftest import Ask
from control_house import OpenDoor

ANSWERS = [
    ("GET", "/v1/health", HealthReport),
    ("GET", "/v1/health/live", HealthReport),
    ("GET", "/v1/health/ready", HealthReport),
    ("GET", "/v1/status", Status),
    ("GET", "/v1/states", States),
    ("GET", "/v1/subscriptions/crm/state", SubscriptionState),
    ("POST", "/v1/subscriptions/crm/pause", SubscriptionState),
    ("POST", "/v1/subscriptions/crm/resume", SubscriptionState),
    ("POST", "/v1/subscriptions/crm/test", Trial),
    ("GET", "/v1/deliveries", PendingPage),
    ("GET", "/v1/dead-letters", DeadPage),
    ("GET", "/v1/calls/c%2F1", CallStory),
    ("POST", "/v1/replay", Replayed),
    ("POST", "/v1/reload", Reloaded),
]


@pytest.mark.parametrize(("method", "path", "kind"), ANSWERS)
async def test_it_answers_with_its_noun(ask: Ask, method: str, path: str, kind: type) -> None:
    """As JSON, whole and typed."""
    answer = await ask(method, path)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert isinstance(msgspec.json.decode(answer.content, type=kind), kind)


@pytest.mark.parametrize(("path", "status"), [("", 503), ("/live", 200), ("/ready", 503)])
async def test_a_house_that_is_not_ready_lives(
    door: OpenDoor, ask: Ask, path: str, status: int
) -> None:
    """A probe needs the status code only."""
    door.known.report = msgspec.structs.replace(HEALTHY, ready=False, phase="draining")
    answer = await ask("GET", f"/v1/health{path}")
    assert (answer.status_code, answer.json()["phase"]) == (status, "draining")


async def test_pausing_reaches_the_house(door: OpenDoor, ask: Ask) -> None:
    """By its name."""
    await ask("POST", "/v1/subscriptions/crm/pause")
    assert door.known.paused


async def test_all_criteria_of_a_listing_reach_the_records(door: OpenDoor, ask: Ask) -> None:
    """Times as text or as seconds, kinds repeated, ids with anything in them."""
    query = "subscription=crm&customer=acme&call=a%2Fb&event=e%26&kind=newCall&kind=cdr"
    query += "&since=2026-11-21T00:00:00Z&until=1800000000.5&limit=7&cursor=next"
    await ask("GET", f"/v1/dead-letters?{query}")
    selection = Selection(
        subscription="crm",
        customer="acme",
        call_id="a/b",
        event_id="e&",
        kinds=frozenset({"newCall", "cdr"}),
        since=1795219200.0,
        until=1800000000.5,
    )
    assert door.known.selections == [(selection, 7, "next")]


async def test_all_criteria_of_a_replay_reach_the_house(door: OpenDoor, ask: Ask) -> None:
    """As in a listing, in a body."""
    body = {
        "subscription": "crm",
        "customer": "acme",
        "callId": "c",
        "eventId": "e",
        "kinds": ["hangup"],
        "since": 1795219200,
        "until": "2026-11-22T01:00:00+01:00",
        "delivered": True,
        "limit": 0,
        "cursor": "",
        "dryRun": True,
    }
    await ask("POST", "/v1/replay", json=body)
    selection = Selection(
        subscription="crm",
        customer="acme",
        call_id="c",
        event_id="e",
        kinds=frozenset({"hangup"}),
        since=1795219200.0,
        until=1795305600.0,
        delivered=True,
    )
    assert (door.known.selections, door.known.dry_runs) == ([(selection, 0, "")], [True])


async def test_a_blank_parameter_counts_as_absent(door: OpenDoor, ask: Ask) -> None:
    """As in events."""
    await ask("GET", "/v1/dead-letters?since=&limit=&kind=&subscription=")
    assert door.known.selections == [(Selection(), 100, "")]


async def test_a_reload_with_faults_answers_them_under_422(door: OpenDoor, ask: Ask) -> None:
    """The same noun, another status."""
    door.known.faults = (Fault("x.toml", "log.level", "choice", "expected one of debug"),)
    answer = await ask("POST", "/v1/reload", json={"dryRun": True})
    reloaded = msgspec.json.decode(answer.content, type=Reloaded)
    assert (answer.status_code, reloaded.ok, reloaded.dry_run) == (422, False, True)
    assert reloaded.faults == door.known.faults


async def test_the_level_of_the_log_is_set(ask: Ask) -> None:
    """And told."""
    await ask("PUT", "/v1/log-level", json={"level": "debug"})
    assert (await ask("GET", "/v1/log-level")).json() == {"level": "debug"}


async def test_an_event_is_told_by_its_percent_encoded_id(ask: Ask) -> None:
    """A slash in it is part of it."""
    answer = await ask("GET", "/v1/events/e%2F1")
    assert [one["eventId"] for one in answer.json()["events"]] == ["e/1"]


@pytest.mark.parametrize("path", ["/metrics", "/v1/metrics"])
async def test_metrics_are_a_page_of_text(ask: Ask, path: str) -> None:
    """With the content type that Prometheus knows."""
    answer = await ask("GET", path)
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert answer.text == "callpost_up 1\n"


async def test_head_is_get_without_its_content(ask: Ask) -> None:
    """As HTTP has it (RFC 9110, section 9.3.2)."""
    answer = await ask("HEAD", "/v1/status")
    assert (answer.status_code, answer.content) == (200, b"")
    assert int(answer.headers["content-length"]) > 100


async def test_a_purge_reaches_the_house(door: OpenDoor, ask: Ask) -> None:
    """With all of its criteria."""
    body = {"number": "+45", "callId": "c", "customer": "acme", "before": 5, "dryRun": True}
    await ask("POST", "/v1/purge", json=body)
    assert door.known.purges == [
        (Criteria(number="+45", call_id="c", customer="acme", before=5.0), True)
    ]


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ({}, "$: at least one of number, callId, customer and before must be given."),
        ({"dryRun": True}, "$: at least one of number, callId, customer and before must be given."),
        ({"number": "anonymous"}, "$.number: anonymous callers are nobody in particular."),
        ({"number": "1\x1b"}, "$.number: must not have characters that cannot be seen."),
    ],
)
async def test_a_purge_of_nobody_in_particular_is_refused(
    door: OpenDoor, ask: Ask, body: dict[str, object], fault: str
) -> None:
    """Nothing is purged then."""
    answer = await ask("POST", "/v1/purge", json=body)
    assert (answer.status_code, answer.json()["detail"], door.known.purges) == (400, fault, [])
