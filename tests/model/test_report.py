"""Delivery reports as they are stored and sent."""

import json
from urllib.parse import parse_qs

import pytest
from defusedxml import ElementTree  # type: ignore[import-untyped] # it ships no types
from msgspec import UNSET

from callpost.model.delivery import Delivery
from callpost.model.event import CallEvent
from callpost.model.letter import is_hangup, letter_of
from callpost.model.report import Report, StoredReport, arrival_of, report_content
from callpost.model.vocabulary import Method

EVENT = CallEvent(event="hangup", call_id="c1", id="e1", customer="acme")
REPORT = Report(
    type="delivery.dead",
    subscription="crm",
    event_id="e1",
    call_id="c1",
    seq=3,
    reason="expired",
    attempts=0,
    endpoint=UNSET,
    http_status=UNSET,
    time="2026-11-21T12:00:00.000Z",
)
DELIVERY = Delivery(
    position=7,
    number=7,
    call=1,
    seq=3,
    previous_id="e0",
    rounds=0,
    attempts=0,
    accepted_at=0.0,
    expires_at=1.0,
    body=b"{}",
)
EXPECTED = {
    "type": "delivery.dead",
    "subscription": "crm",
    "eventId": "e1",
    "callId": "c1",
    "seq": "3",
    "reason": "expired",
    "attempts": "0",
    "time": "2026-11-21T12:00:00.000Z",
}


def test_a_report_comes_back_from_the_spool() -> None:
    """What is stored is read as a report, not as an event."""
    arrival = arrival_of(REPORT, EVENT, DELIVERY, queue=2, accepted_at=5.0)
    assert letter_of(arrival.body) == StoredReport(id=arrival.id, report=REPORT)


def test_the_same_end_gives_the_same_report_id() -> None:
    """A settlement that is written twice after a crash stores one report."""
    first, second = (
        arrival_of(REPORT, EVENT, DELIVERY, queue=2, accepted_at=at).id for at in (5.0, 9.0)
    )
    assert first == second


@pytest.mark.parametrize("method", ["POSTJSON", "POSTARGS", "GET2", "POSTXML2"])
def test_a_report_says_the_same_in_every_method(method: Method) -> None:
    """JSON, form, query and XML are read back by independent parsers."""
    stored = StoredReport(id="rpt_1", report=REPORT)
    content = report_content(stored, method).content
    match method:
        case "POSTJSON":
            read = {name: str(value) for name, value in json.loads(content).items()}
        case "POSTXML2":
            read = {child.tag: child.text for child in ElementTree.fromstring(content)}
        case _:
            read = {name: values[0] for name, values in parse_qs(content.decode()).items()}
    assert read == EXPECTED


@pytest.mark.parametrize(
    ("body", "expected"), [(b'{"event":"hangup"}', True), (b'{"event":"cdr"}', False)]
)
def test_a_hangup_is_known_without_decoding(body: bytes, *, expected: bool) -> None:
    """Canonical JSON begins with the kind."""
    assert is_hangup(body) is expected
