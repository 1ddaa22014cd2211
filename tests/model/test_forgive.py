"""Lines that the strict Struct refuses: which fault is told, in which words, at which path."""

import json

import pytest

from callpost.model.decode import MalformedEvent, decode
from callpost.model.event import FIELDS
from callpost.model.malformed import RULES


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


@pytest.mark.parametrize(
    ("members", "path"),
    [
        (b'"direction":"up"', "$.direction"),
        (b'"user":["a",2]', "$.user[1]"),
        (b'"user":["",null,2]', "$.user[2]"),
        (b'"user":"a"', "$.user"),
        (b'"data":{"key":1}', "$.data.key"),
        (b'"data":{"":"x"}', "$.data"),
        (b'"data":["x"]', "$.data"),
        (b'"to":12', "$.to"),
        (b'"from":true', "$.from"),
        (b'"from":"' + b"1" * 256 + b'"', "$.from"),
        (b'"q850":16.0', "$.q850"),
        (b'"q850":true', "$.q850"),
        (b'"q850":0', "$.q850"),
        (b'"sipCode":700', "$.sipCode"),
        (b'"answered":1', "$.answered"),
        (b'"answered":"true"', "$.answered"),
        (b'"duration":true', "$.duration"),
        (b'"duration":-1', "$.duration"),
        (b'"duration":1e400', "$.duration"),
        (b'"duration":1e10', "$.duration"),
        (b'"linkId":9007199254740992', "$.linkId"),
        (b'"linkId":' + b"1" * 5000, "$.linkId"),
        (b'"id":"a b"', "$.id"),
        (b'"id":"a.b"', "$.id"),
        (b'"id":"' + b"a" * 129 + b'"', "$.id"),
        (b'"dtmf":"12E"', "$.dtmf"),
        (b'"startTime":"2026-11-21T16:40:00"', "$.startTime"),
        (b'"endTime":"0001-01-01T00:00:00+01:00"', "$.endTime"),
        (rb'"to":"a\u0000b"', "$.to"),
        (rb'"user":["a","\u0000"]', "$.user[1]"),
        (rb'"data":{"k":"\u0000"}', "$.data.k"),
        (rb'"data":{"\u0000":"k"}', "$.data"),
        (b'"seq":1', "$.seq"),
        (b'"previousId":"x"', "$.previousId"),
        (b'"colour":"red"', "$.colour"),
        (b'"event":null', "$.event"),
        (b'"callId":""', "$.callId"),
    ],
)
def test_a_fault_has_the_path_of_its_field(members: bytes, path: str) -> None:
    """The producer is pointed to the one field that is at fault."""
    assert fault(raw(members))[0] == path


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"  ",
        b"null",
        b"[]",
        b'"newCall"',
        b"{",
        b"\xef\xbb\xbf" + line(),
        line() + b"x",
        line() + b"{}",
        raw(b'"to":"\xff"'),
        raw(b'"to":"\xed\xa0\x80"'),
        raw(b'"\xff":"a"'),
        raw(b'"to":"\x00"'),
        raw(b'"to":"\x1f"'),
        raw(rb'"to":"a\ud800"'),
        raw(rb'"to":"a\ud800b"'),
        raw(rb'"to":"a\udc00b"'),
        raw(rb'"to":"\ud800\u0041"'),
        raw(rb'"data":{"\ud800x":"1"}'),
        raw(rb'"\udc00x":"1"'),
        raw(b'"duration":NaN'),
        raw(b'"to":1,,'),
        raw(b'"deep":' + b"[" * 30_000),
        raw(b'"deep":' + b"[" * 30_000 + b"]" * 30_000),
        b"[" * 60_000,
        b'{"a":' * 10_000,
    ],
)
def test_a_line_that_is_no_json_object_is_a_fault_of_the_whole(text: bytes) -> None:
    """Where no field can be named, the path is `$`."""
    assert fault(text)[0] == "$"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "The event is empty."),
        (b"[]", "An event must be a JSON object."),
        (b'{"callId":"1"}', "`event` is required."),
        (b'{"event":"newCall"}', "`callId` is required."),
        (line(direction="up"), "`direction` must be one of in, out, internal."),
        (line(seq=1), "`seq` is set by the daemon and may not be sent."),
        (raw(b'"to":"\xff"'), "The event is not valid UTF-8 at byte 38."),
        (line()[:-1], "The event is not valid JSON: it ends too early."),
        (line() + b"x", "The event is not valid JSON: something follows its end."),
        (raw(b'"to":?'), "The event is not valid JSON: the fault is at byte 37."),
        (
            raw(rb'"to":"\ud800"'),
            "The event is not valid JSON: it holds half of a surrogate pair.",
        ),
        (
            line(colour="red"),
            (
                "`colour` is not a field of an event; "
                "what has no field of its own belongs under `data`."
            ),
        ),
    ],
)
def test_a_fault_is_one_clear_sentence(text: bytes, message: str) -> None:
    """It names the field and the fault."""
    assert fault(text)[1] == message


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("callid", "callId"),
        ("call_id", "callId"),
        ("Call-ID", "callId"),
        ("answerd", "answered"),
        ("extensiontype", "extensionType"),
    ],
)
def test_a_name_close_to_a_field_is_recognised(name: str, meant: str) -> None:
    """The producer is told which field was meant."""
    assert f"did you mean `{meant}`?" in fault(line(**{name: "x"}))[1]


def test_a_long_name_is_shown_in_part() -> None:
    """A name may be as long as a line, a message may not."""
    assert len(fault(line(**{"x" * 50_000: 1}))[1]) < 200


def test_a_name_is_shown_without_control_characters() -> None:
    """A name goes to logs and terminals."""
    assert fault(line(**{"\x1b[2J": 1}))[0] == "$.\ufffd[2J"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b'"red"', "red"),
        (b"5", "5"),
        (b"5.0", "5"),
        (b"1e-7", "0.0000001"),
        (b"1e22", "1" + "0" * 22),
        (b"true", "true"),
        (b"false", "false"),
        (b'{ "a" : [1, null] }', '{"a":[1,null]}'),
    ],
)
def test_unknown_fields_can_be_kept_in_data(value: bytes, text: str) -> None:
    """Each as a string, whatever it was."""
    event = decode(raw(b'"colour":' + value), unknown_fields="data")
    assert event.data == {"colour": text}


def test_data_of_the_producer_wins_over_an_unknown_field() -> None:
    """What was put under `data` on purpose is not replaced."""
    event = decode(line(colour="red", data={"colour": "blue"}), unknown_fields="data")
    assert event.data == {"colour": "blue"}


@pytest.mark.parametrize("nothing", [b"null", b'""'])
def test_an_unknown_field_without_a_value_is_absent(nothing: bytes) -> None:
    """Absence needs no room in `data`."""
    assert decode(raw(b'"colour":' + nothing), unknown_fields="data").data is None


@pytest.mark.parametrize(
    "members",
    [
        b'"seq":1',
        b'"deep":' + b"[" * 900 + b"]" * 900,
        rb'"colour":"\u0000"',
        rb'"\u0000":"red"',
        b'"":"red"',
    ],
)
def test_not_every_unknown_field_can_be_kept(members: bytes) -> None:
    """The daemon's own fields, NUL, and what is nested beyond reason are refused all the same."""
    with pytest.raises(MalformedEvent):
        decode(raw(members), unknown_fields="data")


def test_every_field_has_its_rule() -> None:
    """No field can be refused without words for it."""
    assert list(RULES) == [each.name for each in FIELDS]
