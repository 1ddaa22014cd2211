"""Lines of producers: what is forgiven and what is normalised."""

import json

import pytest

from callpost.model.decode import MalformedEvent, decode
from callpost.model.event import FIELDS, CallEvent, encode


def line(**members: object) -> bytes:
    """A line with the required fields and `members`; `from_` stands for `from`."""
    named = {name.rstrip("_"): value for name, value in members.items()}
    return json.dumps({"event": "newCall", "callId": "1", **named}).encode()


def raw(members: bytes) -> bytes:
    """A line with the required fields and members given as JSON text."""
    return b'{"event":"newCall","callId":"1",' + members + b"}"


def fault(line: bytes) -> tuple[str, str]:
    """The path and the message with which the line is refused."""
    with pytest.raises(MalformedEvent) as caught:
        decode(line)
    return caught.value.path, caught.value.message


def test_a_full_line_becomes_an_event() -> None:
    """Names on the wire become the fields of the event."""
    event = decode(line(from_="+4511223344", to="+4570305050", direction="in", user=["Alice"]))
    assert event == CallEvent(
        event="newCall",
        call_id="1",
        from_="+4511223344",
        to="+4570305050",
        direction="in",
        user=("Alice",),
    )


@pytest.mark.parametrize("absent", [None, ""])
@pytest.mark.parametrize("name", [each.name for each in FIELDS[2:] if each.name != "dtmf"])
def test_null_and_the_empty_string_mean_absent(name: str, absent: str | None) -> None:
    """For every optional field but the digits."""
    assert decode(line(**{name: absent})) == CallEvent(event="newCall", call_id="1")


@pytest.mark.parametrize("empty", [[], ["", None]])
def test_a_user_list_of_nobody_is_absent(empty: list[str | None]) -> None:
    """Empty members are dropped, and an empty list is no list."""
    assert decode(line(user=empty)).user is None


def test_empty_users_are_dropped() -> None:
    """Those who have a name stay, in order."""
    assert decode(line(user=["a", "", None, "b"])).user == ("a", "b")


@pytest.mark.parametrize("empty", [{}, {"a": "", "b": None}])
def test_data_without_values_is_absent(empty: dict[str, str | None]) -> None:
    """Empty values are dropped, and an empty map is no map."""
    assert decode(line(data=empty)).data is None


def test_empty_values_in_data_are_dropped() -> None:
    """What has a value stays."""
    assert decode(line(data={"a": "1", "b": "", "c": None})).data == {"a": "1"}


def test_white_space_around_an_absent_value_does_not_matter() -> None:
    """Producers format JSON as they like."""
    text = b'{ "event" : "newCall" , "callId" : "1" , "to" :  null  , "did" : "" }\r'
    assert decode(text) == CallEvent(event="newCall", call_id="1")


def test_empty_digits_are_digits() -> None:
    """A caller who pressed nothing in time is worth telling."""
    assert decode(b'{"event":"dtmf","callId":"1","dtmf":""}').dtmf == ""


def test_a_dtmf_event_needs_digits() -> None:
    """Its digits may be empty, never absent."""
    assert fault(b'{"event":"dtmf","callId":"1"}')[0] == "$.dtmf"


@pytest.mark.parametrize(
    "word", ["anonymous", "Restricted", "PRIVATE", "unavailable", "<unknown>", "<Withheld>"]
)
def test_a_hidden_caller_is_anonymous(word: str) -> None:
    """Whatever word the producer has for it."""
    assert decode(line(from_=word)).from_ == "anonymous"


@pytest.mark.parametrize("word", ["private line", "<private", "sip:anonymous@pbx", "unknown1"])
def test_only_the_word_alone_hides_a_caller(word: str) -> None:
    """A name that holds such a word is a name."""
    assert decode(line(from_=word)).from_ == word


def test_the_called_party_is_never_anonymous() -> None:
    """The words count in `from` only."""
    assert decode(line(to="Private")).to == "Private"


@pytest.mark.parametrize("name", ["time", "startTime", "ringTime", "answerTime", "endTime"])
def test_every_time_goes_to_utc(name: str) -> None:
    """Times carry any offset and are kept in UTC with milliseconds."""
    event = decode(line(**{name: "2026-11-21T16:40:00.12399+01:00"}))
    assert json.loads(encode(event))[name] == "2026-11-21T15:40:00.123Z"


@pytest.mark.parametrize(
    ("seconds", "kept"),
    [
        (b"5", b"5"),
        (b"5.0", b"5"),
        (b"-0.0", b"0"),
        (b"0.0004", b"0"),
        (b"1.23456", b"1.235"),
        (b"1e3", b"1000"),
        (b"999999999.9996", b"1000000000"),
        (b"1e-3", b"0.001"),
    ],
)
def test_durations_are_kept_to_the_millisecond(seconds: bytes, kept: bytes) -> None:
    """Whole seconds have no fraction, and none has an exponent."""
    event = decode(raw(b'"duration":' + seconds))
    assert encode(event) == raw(b'"duration":' + kept)


def test_a_ring_duration_alone_is_kept_to_the_millisecond() -> None:
    """It is rounded although nothing else of the event is a time."""
    event = decode(raw(b'"ringDuration":1.23456'))
    assert encode(event) == raw(b'"ringDuration":1.235')


def test_the_last_of_two_equal_names_wins() -> None:
    """A duplicate replaces the first, on the fast way and on the slow one."""
    assert decode(raw(b'"to":"1","to":"2","did":""')).to == "2"


def test_a_call_id_is_measured_in_characters() -> None:
    """250 characters of three octets each still fit."""
    assert decode(line(callId="\u20ac" * 250)).call_id == "\u20ac" * 250


def test_a_call_id_of_251_characters_is_refused() -> None:
    """The limit is the contract's."""
    assert fault(line(callId="x" * 251))[0] == "$.callId"


def test_an_escaped_backslash_before_u0000_is_text() -> None:
    """Only a real NUL is refused, not six characters that look like one."""
    assert decode(raw(rb'"to":"\\u0000"')).to == r"\u0000"
