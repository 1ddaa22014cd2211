"""What sipgate's and Zammad's receivers hear, name by name."""

from urllib.parse import parse_qsl

import pytest
from msgspec.structs import replace

from callpost.model.dialects import Pairs, spoken
from callpost.model.event import CallEvent
from callpost.model.formats import render
from callpost.model.vocabulary import Cause, Kind, Level, Vocabulary

# A sample of sipgate.io's own documentation.
SIPGATE_SAMPLE = (
    "event=newCall&from=492111234567&to=4915791234567&direction=in&callId=123456"
    "&user[]=Alice&user[]=Bob"
)
SIPGATE_EVENT = CallEvent(
    event="newCall",
    call_id="123456",
    from_="+492111234567",
    to="+4915791234567",
    direction="in",
    user=("Alice", "Bob"),
    id="evt_1",
    time="2026-11-21T16:40:00.123Z",
    queue="sales",
)


def said(event: CallEvent, vocabulary: Vocabulary, level: Level = 2) -> Pairs:
    """Names and values of the third delivery of the call."""
    return spoken(
        event,
        vocabulary=vocabulary,
        level=level,
        seq=3,
        previous_id="evt_0",
    )


def value(event: CallEvent, vocabulary: Vocabulary, name: str) -> object:
    """One value, None where the vocabulary does not say it."""
    return dict(said(event, vocabulary)).get(name)


def of_kind(kind: Kind, cause: Cause | None = None) -> CallEvent:
    """An event with users, a cause and digits, whatever its kind."""
    return CallEvent(
        event=kind, call_id="1", direction="in", user=("Alice", "Bob"), cause=cause, dtmf="12"
    )


def test_sipgates_own_sample_comes_out() -> None:
    """The same names and values as in sipgate.io's documentation; the order is ours."""
    ours = render(
        SIPGATE_EVENT,
        method="POSTARGS",
        level=2,
        vocabulary="sipgate",
        seq=1,
        previous_id="",
    )
    assert sorted(parse_qsl(ours.content.decode())) == sorted(parse_qsl(SIPGATE_SAMPLE))


def test_sipgate_is_level_one_whatever_the_level() -> None:
    """Its receivers know no other fields."""
    assert said(SIPGATE_EVENT, "sipgate", 2) == said(SIPGATE_EVENT, "sipgate", 1)


@pytest.mark.parametrize("vocabulary", ["sipgate", "zammad"])
@pytest.mark.parametrize(
    ("kind", "user"),
    [("newCall", ("Alice", "Bob")), ("answer", "Alice"), ("hangup", None), ("dtmf", None)],
)
def test_users_are_told_by_kind(vocabulary: Vocabulary, kind: Kind, user: object) -> None:
    """All on newCall, the first on answer, none afterwards."""
    assert value(of_kind(kind), vocabulary, "user") == user


def test_nobody_of_ours_answers_what_goes_out() -> None:
    """Zammad would put the agent's name in the place of the one who was called."""
    assert value(replace(of_kind("answer"), direction="out"), "zammad", "user") is None


@pytest.mark.parametrize("name", ["from", "to", "answeringNumber", "diversion"])
def test_numbers_have_no_plus(name: str) -> None:
    """Receivers compare them as strings with numbers without `+`."""
    number = "+4570305050"
    event = CallEvent(
        event="answer",
        call_id="1",
        from_=number,
        to=number,
        answering_number=number,
        diversion=number,
    )
    assert value(event, "sipgate", name) == "4570305050"


def test_an_anonymous_caller_stays_anonymous() -> None:
    """Only the `+` is taken off."""
    event = CallEvent(event="newCall", call_id="1", from_="anonymous")
    assert value(event, "sipgate", "from") == "anonymous"


@pytest.mark.parametrize(
    ("kind", "cause", "told"),
    [
        ("hangup", "busy", "busy"),
        ("hangup", "unknown", "noAnswer"),
        ("hangup", None, "noAnswer"),
        ("answer", "busy", None),
    ],
)
def test_a_cause_is_told_on_hangup(kind: Kind, cause: Cause | None, told: str | None) -> None:
    """An unknown one has no word there, so the call was answered or it was not."""
    assert value(of_kind(kind, cause), "sipgate", "cause") == told


def test_an_unknown_cause_of_an_answered_call_is_a_normal_end() -> None:
    """One of the participants hung up after the call was established."""
    event = replace(of_kind("hangup", "unknown"), answered=True)
    assert value(event, "sipgate", "cause") == "normalClearing"


def test_digits_come_with_their_call_only() -> None:
    """As in sipgate.io's documentation."""
    assert said(replace(of_kind("dtmf"), from_="+4526110203"), "sipgate") == [
        ("event", "dtmf"),
        ("callId", "1"),
        ("dtmf", "12"),
    ]


@pytest.mark.parametrize(
    ("known", "ends"),
    [
        (CallEvent(event="newCall", call_id="1"), ("anonymous", "anonymous")),
        (
            CallEvent(event="newCall", call_id="1", direction="out", extension="210", to="+457"),
            ("210", "457"),
        ),
        (
            CallEvent(event="newCall", call_id="1", direction="in", from_="+452", did="+457"),
            ("452", "457"),
        ),
        (
            CallEvent(event="hangup", call_id="1", direction="in", from_="+452", extension="210"),
            ("452", "210"),
        ),
    ],
)
def test_both_ends_are_always_named(known: CallEvent, ends: tuple[str, str]) -> None:
    """Zammad stores no call without them, and sipgate.io never leaves one out."""
    assert (value(known, "zammad", "from"), value(known, "zammad", "to")) == ends


@pytest.mark.parametrize(("vocabulary", "digits"), [("sipgate", "12"), ("zammad", None)])
def test_digits_are_told_by_sipgate_only(vocabulary: Vocabulary, digits: str | None) -> None:
    """Zammad knows none."""
    assert value(of_kind("dtmf"), vocabulary, "dtmf") == digits


def test_a_transferred_call_names_its_origin_last() -> None:
    """`parentCallId` is `origCallId` in sipgate's words."""
    event = CallEvent(event="newCall", call_id="2", parent_call_id="1")
    assert said(event, "sipgate")[-1] == ("origCallId", "1")


def test_zammad_hears_the_queue() -> None:
    """It is what zammad adds to sipgate's words."""
    assert said(SIPGATE_EVENT, "zammad") == [*said(SIPGATE_EVENT, "sipgate"), ("queue", "sales")]


def test_zammad_hears_the_origin_last() -> None:
    """Also behind the queue."""
    event = CallEvent(event="newCall", call_id="2", parent_call_id="1", queue="sales")
    assert [name for name, _ in said(event, "zammad")] == [
        "event",
        "callId",
        "from",
        "to",
        "queue",
        "origCallId",
    ]
