"""What a SignalWire handler and its status callback hear."""

import json
from collections.abc import Mapping
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from callpost.model.event import CallEvent
from callpost.model.formats import render
from callpost.model.swml import swml_parameters
from callpost.model.vocabulary import KINDS, Cause, Kind, Method

NEW: Final = CallEvent(
    event="newCall",
    call_id="7",
    from_="+4511223344",
    to="+4570305050",
    direction="in",
    time="1970-01-01T00:00:01.500Z",
    source="pbx-1",
    customer="acme",
)
SECRET: Final = "98765432#"


def posted(event: CallEvent, method: Method = "POSTJSON") -> dict[str, object]:
    """The body of a POST."""
    content = render(event, method=method, level=2, vocabulary="swml", seq=3, previous_id="evt_1")
    said = json.loads(content.content)
    assert isinstance(said, dict)
    return said


def asked(event: CallEvent) -> str:
    """The query of a GET."""
    content = render(event, method="GET1", level=1, vocabulary="swml", seq=3, previous_id="evt_1")
    return content.content.decode()


def parameters(event: CallEvent) -> Mapping[str, object]:
    """The parameters of a state."""
    told = posted(event)["params"]
    assert isinstance(told, dict)
    return told


def test_a_new_call_is_a_fetch() -> None:
    """SignalWire's fetch body, field by field."""
    assert posted(NEW) == {
        "call": {
            "call_id": "7",
            "node_id": "pbx-1",
            "call_state": "created",
            "direction": "inbound",
            "type": "phone",
            "from": "+4511223344",
            "to": "+4570305050",
            "headers": [],
            "project_id": "acme",
            "space_id": "",
        },
        "vars": {},
        "envs": {},
        "params": {},
    }


def test_what_follows_is_the_state_of_the_call() -> None:
    """SignalWire's call-state body, field by field."""
    event = replace(
        NEW,
        event="hangup",
        direction="out",
        cause="noAnswer",
        parent_call_id="6",
        start_time="1970-01-01T00:00:01.000Z",
        answer_time="1970-01-01T00:00:01.250Z",
        end_time="1970-01-01T00:00:01.500Z",
    )
    assert posted(event) == {
        "event_type": "calling.call.state",
        "event_channel": "",
        "timestamp": 1.5,
        "project_id": "acme",
        "space_id": "",
        "params": {
            "call_id": "7",
            "node_id": "pbx-1",
            "call_state": "ended",
            "direction": "outbound",
            "device": {
                "type": "phone",
                "params": {"from_number": "+4511223344", "to_number": "+4570305050"},
            },
            "parent": {"node_id": "pbx-1", "call_id": "6"},
            "start_time": 1000,
            "answer_time": 1250,
            "end_time": 1500,
            "end_reason": "noAnswer",
        },
    }


def test_a_call_between_sip_uris_has_a_device_of_its_own() -> None:
    """With SignalWire's other names for both ends, and the caller's name."""
    event = replace(NEW, event="ringing", from_="SIP:a@example.com", from_name="Alice")
    assert parameters(event)["device"] == {
        "type": "sip",
        "params": {"from": "SIP:a@example.com", "to": "+4570305050", "from_name": "Alice"},
    }


def test_a_fetch_by_get_is_the_call_in_the_query() -> None:
    """Its fields alone, without what is empty."""
    assert asked(NEW) == (
        "call_id=7&node_id=pbx-1&call_state=created&direction=inbound&type=phone"
        "&from=%2B4511223344&to=%2B4570305050&project_id=acme"
    )


def test_a_state_by_get_has_the_names_of_the_fetch() -> None:
    """So that one script can read both."""
    event = replace(NEW, event="hangup", cause="busy", parent_call_id="6", source=None)
    assert asked(event) == (
        "event_type=calling.call.state&timestamp=1.5"
        "&call_id=7&call_state=ended&direction=inbound&type=phone"
        "&from=%2B4511223344&to=%2B4570305050&project_id=acme"
        "&parent%5Bcall_id%5D=6&end_reason=busy"
    )


@pytest.mark.parametrize("kind", ["newCall", "hangup"])
def test_a_form_says_what_the_query_says(kind: Kind) -> None:
    """SignalWire has no forms, and callpost's are flat."""
    event = replace(NEW, event=kind)
    form = render(event, method="POSTARGS", level=2, vocabulary="swml", seq=1, previous_id="")
    assert form.content.decode().replace("%20", "+") == asked(event).replace("%20", "+")


@pytest.mark.parametrize(
    ("kind", "state"),
    [("newCall", "created"), ("ringing", "ringing"), ("answer", "answered"), ("hangup", "ended")],
)
def test_every_kind_has_its_state(kind: Kind, state: str) -> None:
    """`ending` is none of ours: a switch tells the end when it is over."""
    assert ("call_state", state) in swml_parameters(replace(NEW, event=kind))


@pytest.mark.parametrize(
    ("cause", "answered", "reason"),
    [
        ("normalClearing", True, "hangup"),
        ("forwarded", True, "hangup"),
        ("busy", False, "busy"),
        ("cancel", False, "cancel"),
        ("noAnswer", False, "noAnswer"),
        ("congestion", False, "error"),
        ("notFound", False, "error"),
        ("unknown", True, "hangup"),
        ("unknown", False, None),
        (None, None, None),
    ],
)
def test_an_end_has_its_reason(
    cause: Cause | None,
    answered: bool | None,  # noqa: FBT001  pytest hands it over
    reason: str | None,
) -> None:
    """In SignalWire's words, and none where nothing is known."""
    event = replace(NEW, event="hangup", cause=cause, answered=answered)
    assert parameters(event).get("end_reason") == reason


@pytest.mark.parametrize(
    ("event", "ends"),
    [
        (CallEvent(event="newCall", call_id="7"), ("anonymous", "anonymous")),
        (
            CallEvent(event="newCall", call_id="7", direction="in", extension="210"),
            ("anonymous", "210"),
        ),
        (
            CallEvent(event="newCall", call_id="7", direction="out", extension="210"),
            ("210", "anonymous"),
        ),
        (CallEvent(event="newCall", call_id="7", did="+4570305050"), ("anonymous", "+4570305050")),
    ],
)
def test_both_ends_are_always_named(event: CallEvent, ends: tuple[str, str]) -> None:
    """The handlers take them for granted."""
    told = dict(swml_parameters(event))
    assert (told["from"], told["to"]) == ends


def test_a_time_that_is_not_to_be_told_is_left_out() -> None:
    """As `omit` has it."""
    assert "timestamp" not in posted(replace(NEW, event="answer", time=None))


@given(st.sampled_from(KINDS), st.sampled_from(["POSTJSON", "GET2", "POSTXML2", "POSTARGS"]))
def test_digits_and_notes_have_no_place(kind: Kind, method: Method) -> None:
    """Whatever the event carries, and however it comes to this vocabulary."""
    event = replace(
        NEW, event=kind, dtmf=SECRET, data={"pin": SECRET}, user=(SECRET,), queue=SECRET
    )
    content = render(event, method=method, level=2, vocabulary="swml", seq=1, previous_id=SECRET)
    assert b"98765432" not in content.content
