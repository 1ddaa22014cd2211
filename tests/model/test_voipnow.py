"""What a receiver of VoipNow's call events hears, as seen from an extension."""

import pytest

from callpost.model.event import CallEvent
from callpost.model.flow import seen_from
from callpost.model.vocabulary import Cause, Kind, Level
from callpost.model.voipnow import voipnow

INCOMING = CallEvent(
    event="newCall",
    call_id="7",
    from_="+4511223344",
    to="+4570305050",
    direction="in",
    user=("0003*210",),
    from_name="Alice",
)
OUTGOING = CallEvent(
    event="newCall", call_id="7", from_="0003*210", to="+4511223344", direction="out"
)
INTERNAL = CallEvent(
    event="newCall", call_id="7", from_="0003*210", to="0003*211", direction="internal"
)


def heard(event: CallEvent, *viewed_from: str, level: Level = 1) -> dict[str, str | int]:
    """The parameters by their names."""
    return dict(voipnow(event, level, seen_from(event, viewed_from)))


def test_an_incoming_call_is_seen_from_the_extension_called() -> None:
    """The dialled number is the DID, and the extension is the subscribed one that takes part."""
    assert voipnow(INCOMING, 1, seen_from(INCOMING, ("0003*999", "0003*210"))) == [
        ("CallID", "7"),
        ("CallerIDNum", "+4511223344"),
        ("CallerIDName", "Alice"),
        ("CalledDID", "+4570305050"),
        ("CalledExtension", "0003*210"),
        ("CallStatus", "CALLING"),
        ("CallFlow", "IN"),
        ("CalledNumber", "+4570305050"),
    ]


def test_an_outgoing_call_is_seen_from_the_extension_that_calls() -> None:
    """Nobody of ours is called."""
    assert voipnow(OUTGOING, 1, seen_from(OUTGOING, ("0003*210",))) == [
        ("CallID", "7"),
        ("CallerIDNum", "0003*210"),
        ("CallStatus", "CALLING"),
        ("CallFlow", "OUT"),
        ("CallerExtension", "0003*210"),
        ("CalledNumber", "+4511223344"),
    ]


@pytest.mark.parametrize(
    ("viewed_from", "flow"), [("0003*210", "OUT"), ("0003*211", "IN"), ("0003*212", "IN")]
)
def test_an_internal_call_has_two_sides(viewed_from: str, flow: str) -> None:
    """It goes out for the one who calls, and comes in for the one who is called."""
    assert heard(INTERNAL, viewed_from)["CallFlow"] == flow


@pytest.mark.parametrize("viewed_from", ["0003*210", "0003*211"])
def test_both_sides_of_an_internal_call_name_both_extensions(viewed_from: str) -> None:
    """Who called and who was called is the same from either side."""
    event = heard(INTERNAL, viewed_from)
    assert (event["CallerExtension"], event["CalledExtension"]) == ("0003*210", "0003*211")


def test_a_did_of_its_own_is_the_did() -> None:
    """Where the producer tells the DID apart from the number in `to`."""
    event = CallEvent(event="newCall", call_id="7", to="210", did="+4570305050", direction="in")
    assert heard(event)["CalledDID"] == "+4570305050"


def test_an_extension_called_is_no_did() -> None:
    """A producer that tells the extension in `to` has told no DID."""
    event = CallEvent(event="newCall", call_id="7", to="0003*210", direction="in")
    assert "CalledDID" not in heard(event, "0003*210")


def test_without_a_subscribed_extension_the_events_own_is_told() -> None:
    """A subscription to a whole customer has no extension to look from."""
    event = CallEvent(event="newCall", call_id="7", extension="0003*210", direction="in")
    assert heard(event)["CalledExtension"] == "0003*210"


@pytest.mark.parametrize(
    ("kind", "status"), [("newCall", "CALLING"), ("answer", "ANSWER"), ("hangup", "UNKNOWN")]
)
def test_every_kind_has_its_status(kind: Kind, status: str) -> None:
    """CALLING, ANSWER, and at the end what became of it."""
    assert heard(CallEvent(event=kind, call_id="7"))["CallStatus"] == status


@pytest.mark.parametrize(
    ("cause", "answered", "basic", "additional"),
    [
        ("normalClearing", True, "ANSWER", "ANSWER"),
        ("normalClearing", None, "ANSWER", "ANSWER"),
        ("busy", False, "UNKNOWN", "BUSY"),
        ("cancel", False, "UNKNOWN", "CANCEL"),
        ("noAnswer", None, "UNKNOWN", "NOANSWER"),
        ("congestion", False, "UNKNOWN", "CONGESTION"),
        ("notFound", False, "UNKNOWN", "CHANUNAVAIL"),
        ("forwarded", True, "ANSWER", "ANSWER"),
        ("forwarded", False, "UNKNOWN", "UNKNOWN"),
        ("unknown", None, "UNKNOWN", "UNKNOWN"),
        (None, True, "ANSWER", "ANSWER"),
    ],
)
def test_a_hangup_tells_what_became_of_the_call(
    cause: Cause | None,
    answered: bool | None,  # noqa: FBT001  pytest hands it over
    basic: str,
    additional: str,
) -> None:
    """At level 1 whether it was answered, at level 2 in Telphin's words."""
    event = CallEvent(event="hangup", call_id="7", cause=cause, answered=answered)
    levels: tuple[Level, Level] = (1, 2)
    assert [heard(event, level=level)["CallStatus"] for level in levels] == [basic, additional]


@pytest.mark.parametrize(
    ("kind", "direction", "event_type"),
    [
        ("newCall", "in", 0),
        ("newCall", "out", 1),
        ("hangup", "in", 2),
        ("hangup", "out", 2),
        ("answer", "in", 3),
        ("answer", "out", 4),
    ],
)
def test_every_event_has_its_type(kind: Kind, direction: str, event_type: int) -> None:
    """The numbers are those of VoipNow's subscriptions."""
    event = CallEvent(event=kind, call_id="7", direction="out" if direction == "out" else "in")
    assert heard(event, level=2)["EventType"] == event_type


def test_level_two_adds_what_telphin_adds() -> None:
    """Times and durations are counted in microseconds."""
    event = CallEvent(
        event="hangup",
        call_id="7",
        id="evt_1",
        time="1970-01-01T00:00:01.5Z",
        duration=12.345,
        diversion="+4570305052",
        leg_id="leg",
    )
    assert voipnow(event, 2, seen_from(event, ()))[-6:] == [
        ("EventID", "evt_1"),
        ("EventType", 2),
        ("EventTime", 1_500_000),
        ("Duration", 12_345_000),
        ("Diversion", "+4570305052"),
        ("SubCallID", "leg"),
    ]


@pytest.mark.parametrize("name", ["EventID", "EventType", "EventTime", "Duration", "Diversion"])
def test_level_one_has_no_more_than_voipnow(name: str) -> None:
    """VoipNow's own nine parameters."""
    event = CallEvent(
        event="hangup",
        call_id="7",
        id="evt_1",
        time="1970-01-01T00:00:01.500Z",
        duration=1,
        diversion="1",
    )
    assert name not in heard(event)


def test_a_kind_that_voipnow_lacks_has_no_status() -> None:
    """It can only have matched under other settings, and goes out with what there is."""
    event = CallEvent(event="ringing", call_id="7")
    assert heard(event, level=2) == {"CallID": "7", "CallFlow": "IN"}
