"""Every format says the same, and each is read back by a reader that is not ours."""

import json
import re
from typing import Final
from urllib.parse import parse_qsl

import pytest
from defusedxml import ElementTree  # type: ignore[import-untyped]  # it ships no types
from hypothesis import given, settings
from hypothesis import strategies as st

from callpost.model.decode import decode
from callpost.model.event import FIELDS, CallEvent, encode
from callpost.model.formats import Content, content_of, render
from callpost.model.vocabulary import (
    KINDS,
    KINDS_OF,
    METHODS,
    Kind,
    Level,
    Method,
    Vocabulary,
)
from examples import examples

Said = list[tuple[str, str]]

VOCABULARIES: Final[tuple[Vocabulary, ...]] = ("callpost", "sipgate", "voipnow", "zammad")
FULL: Final = CallEvent(
    event="newCall",
    call_id="7",
    from_="+4511223344",
    to="sip:bob@pbx.example",
    direction="in",
    user=("Alice B", "Bob"),
    time="2026-11-21T16:40:00.123Z",
    duration=5,
    ring_duration=0.001,
    answered=True,
    q850=16,
    data={"a b": 'x<&>"\ty'},
)


def content(
    event: CallEvent,
    method: Method,
    *,
    level: Level = 2,
    vocabulary: Vocabulary = "callpost",
    previous_id: str = "evt_0",
) -> Content:
    """The event as the third delivery of its call."""
    return render(
        event,
        method=method,
        level=level,
        vocabulary=vocabulary,
        seq=3,
        previous_id=previous_id,
    )


def test_a_query_is_percent_encoded() -> None:
    """Brackets and spaces are encoded as RFC 3986 has it."""
    assert content(FULL, "GET1").content == (
        b"event=newCall&callId=7&from=%2B4511223344&to=sip%3Abob%40pbx.example&direction=in"
        b"&user%5B%5D=Alice%20B&user%5B%5D=Bob"
    )


def test_a_form_has_plus_for_space() -> None:
    """A form is encoded as browsers do."""
    assert content(FULL, "POSTARGS").content == (
        b"event=newCall&callId=7&from=%2B4511223344&to=sip%3Abob%40pbx.example&direction=in"
        b"&user%5B%5D=Alice+B&user%5B%5D=Bob&time=2026-11-21T16%3A40%3A00.123Z&duration=5"
        b"&ringDuration=0.001&answered=true&q850=16&data%5Ba+b%5D=x%3C%26%3E%22%09y"
        b"&seq=3&previousId=evt_0"
    )


def test_xml_is_one_document_on_one_line() -> None:
    """One child a field, and nothing in it that would break the line."""
    assert content(FULL, "POSTXML2").content == (
        b'<?xml version="1.0" encoding="UTF-8"?><callEvent version="1"><event>newCall</event>'
        b"<callId>7</callId><from>+4511223344</from><to>sip:bob@pbx.example</to>"
        b"<direction>in</direction><user>Alice B</user><user>Bob</user>"
        b"<time>2026-11-21T16:40:00.123Z</time><duration>5</duration>"
        b"<ringDuration>0.001</ringDuration><answered>true</answered><q850>16</q850>"
        b'<data><item key="a b">x&lt;&amp;&gt;&quot;&#9;y</item></data>'
        b"<seq>3</seq><previousId>evt_0</previousId></callEvent>"
    )


def test_json_is_the_event_object() -> None:
    """The object of section 1 of the contract, with what belongs to the delivery at its end."""
    assert content(FULL, "POSTJSON").content == (
        b'{"event":"newCall","callId":"7","from":"+4511223344","to":"sip:bob@pbx.example",'
        b'"direction":"in","user":["Alice B","Bob"],"time":"2026-11-21T16:40:00.123Z",'
        b'"duration":5,"ringDuration":0.001,"answered":true,"q850":16,'
        b'"data":{"a b":"x<&>\\"\\ty"},"seq":3,"previousId":"evt_0"}'
    )


@pytest.mark.parametrize(
    ("method", "content_type"),
    [
        ("GET1", ""),
        ("GET2", ""),
        ("POSTARGS", "application/x-www-form-urlencoded"),
        ("POSTXML1", "application/xml; charset=utf-8"),
        ("POSTXML2", "application/xml; charset=utf-8"),
        ("POSTJSON", "application/json"),
    ],
)
def test_every_method_has_its_content_type(method: Method, content_type: str) -> None:
    """A query has none."""
    assert content(FULL, method).content_type == content_type


@pytest.mark.parametrize(
    ("method", "level", "told"),
    [
        ("GET1", 2, False),
        ("POSTXML1", 2, False),
        ("GET2", 1, True),
        ("POSTXML2", 1, True),
        ("POSTARGS", 1, False),
        ("POSTARGS", 2, True),
        ("POSTJSON", 1, False),
        ("POSTJSON", 2, True),
    ],
)
@pytest.mark.parametrize("name", [b"q850", b"seq", b"previousId"])
def test_level_two_goes_where_it_belongs(
    method: Method,
    level: Level,
    told: bool,  # noqa: FBT001  pytest hands it over
    name: bytes,
) -> None:
    """The method fixes the level, but for POSTARGS and POSTJSON, which take the subscription's."""
    assert (name in content(FULL, method, level=level).content) == told


def test_the_first_of_a_call_has_no_previous_id() -> None:
    """There is no event before it to name."""
    assert b"previousId" not in content(FULL, "GET2", previous_id="").content


def test_fields_go_out_in_the_order_of_the_contract() -> None:
    """The same order in every format; here in JSON, with every field present."""
    values: dict[str, object] = dict.fromkeys((each.name for each in FIELDS), "1")
    numbers = dict.fromkeys(("duration", "ringDuration", "q850", "linkId"), 1)
    words: dict[str, object] = {
        "event": "dtmf",
        "direction": "in",
        "cause": "busy",
        "network": "SIP",
        "extensionType": "phone",
        "user": ["1"],
        "answered": True,
        "sipCode": 200,
        "data": {"1": "1"},
    }
    times = dict.fromkeys(
        ("time", "startTime", "ringTime", "answerTime", "endTime"), "2026-11-21T16:40:00Z"
    )
    event = decode(json.dumps(values | numbers | words | times).encode())
    names = [each.name for each in FIELDS]
    assert list(json.loads(content(event, "POSTJSON").content)) == [*names, "seq", "previousId"]


CHARACTERS: Final = st.characters(exclude_characters="\0", exclude_categories=["Cs"])
TEXTS: Final = st.text(CHARACTERS, min_size=1, max_size=6) | st.sampled_from(
    ["a\r\nb", "\t", " ", "\x85", "\u2028", "\ufffe", "\x1b[2J", '"]]>&<', "+45", "=&%;"]
)
MAYBE: Final = st.none() | TEXTS
MOMENTS: Final = st.none() | st.just("2026-11-21T16:40:00.123Z")
# Whole seconds are integers in a normalised event.
FRACTIONS: Final = (
    st.floats(0.001, 1e6).map(lambda s: round(s, 3)).filter(lambda s: not s.is_integer())
)
SECONDS: Final = st.none() | st.integers(0, 10**9) | FRACTIONS


def events(kinds: tuple[Kind, ...]) -> st.SearchStrategy[CallEvent]:
    """Normalised events of these kinds with any text in any field."""
    return st.builds(
        CallEvent,
        event=st.sampled_from(kinds),
        call_id=TEXTS,
        from_=MAYBE,
        to=MAYBE,
        direction=st.sampled_from([None, "in", "out"]),
        user=st.none() | st.lists(TEXTS, min_size=1, max_size=3).map(tuple),
        diversion=MAYBE,
        cause=st.sampled_from([None, "busy", "normalClearing", "unknown"]),
        dtmf=st.sampled_from([None, "", "12#"]),
        id=st.sampled_from([None, "evt_1"]),
        time=MOMENTS,
        from_name=MAYBE,
        extension=MAYBE,
        queue=MAYBE,
        parent_call_id=MAYBE,
        end_time=MOMENTS,
        duration=SECONDS,
        answered=st.none() | st.booleans(),
        q850=st.none() | st.integers(1, 127),
        link_id=st.none() | st.integers(-(2**53) + 1, 2**53 - 1),
        data=st.none() | st.dictionaries(TEXTS, TEXTS, min_size=1, max_size=3),
    )


def read_json(body: bytes) -> Said:
    """Names and values as a form has them, read from JSON."""
    said: Said = []
    for name, value in json.loads(body, parse_float=str, parse_int=str).items():
        match value:
            case list():
                said += [(f"{name}[]", item) for item in value]
            case dict():
                said += [(f"{name}[{key}]", item) for key, item in value.items()]
            case bool():
                said.append((name, "true" if value else "false"))
            case _:
                said.append((name, value))
    return said


def read_xml(body: bytes, lists: frozenset[str]) -> Said:
    """Names and values as a form has them, read from XML; `lists` names what is repeated."""
    said: Said = []
    for child in ElementTree.fromstring(body):
        items = [(f"{child.tag}[{item.get('key')}]", item.text or "") for item in child]
        name = f"{child.tag}[]" if child.tag in lists else child.tag
        said += items or [(name, child.text or "")]
    return said


def read_form(body: bytes) -> Said:
    """Names and values, read from a query or a form."""
    return parse_qsl(body.decode("ascii"), keep_blank_values=True, strict_parsing=True)


def possible_in_xml(said: Said) -> Said:
    """The same with U+FFFD for what XML 1.0 cannot hold (its section 2.2)."""
    impossible = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
    return [(impossible.sub("\ufffd", name), impossible.sub("\ufffd", v)) for name, v in said]


@pytest.mark.parametrize("vocabulary", VOCABULARIES)
@given(st.data())
def test_query_form_and_json_say_the_same(vocabulary: Vocabulary, data: st.DataObject) -> None:
    """The same names and values in the same order, at the same level."""
    event = data.draw(events(tuple(kind for kind in KINDS if kind in KINDS_OF[vocabulary])))
    said = read_json(content(event, "POSTJSON", vocabulary=vocabulary).content)
    form = read_form(content(event, "POSTARGS", vocabulary=vocabulary).content)
    query = read_form(content(event, "GET2", vocabulary=vocabulary).content)
    assert said == form == query


@pytest.mark.parametrize("vocabulary", VOCABULARIES)
@given(st.data())
def test_xml_says_the_same(vocabulary: Vocabulary, data: st.DataObject) -> None:
    """But for the characters that XML 1.0 cannot hold."""
    event = data.draw(events(tuple(kind for kind in KINDS if kind in KINDS_OF[vocabulary])))
    said = read_json(content(event, "POSTJSON", vocabulary=vocabulary).content)
    lists = frozenset(name.removesuffix("[]") for name, _ in said if name.endswith("[]"))
    xml = read_xml(content(event, "POSTXML2", vocabulary=vocabulary).content, lists)
    assert xml == possible_in_xml(said)


@pytest.mark.parametrize("vocabulary", VOCABULARIES)
@given(st.data())
def test_level_one_says_the_same_in_every_method(
    vocabulary: Vocabulary, data: st.DataObject
) -> None:
    """GET1, and POSTARGS and POSTJSON at level 1."""
    event = data.draw(events(tuple(kind for kind in KINDS if kind in KINDS_OF[vocabulary])))
    said = read_json(content(event, "POSTJSON", vocabulary=vocabulary, level=1).content)
    form = read_form(content(event, "POSTARGS", vocabulary=vocabulary, level=1).content)
    query = read_form(content(event, "GET1", vocabulary=vocabulary).content)
    assert said == form == query


@given(events(KINDS), st.sampled_from(METHODS), st.sampled_from(VOCABULARIES))
def test_no_content_breaks_its_line(
    event: CallEvent, method: Method, vocabulary: Vocabulary
) -> None:
    """On TCP one line is one event, so no content holds a line end, whatever the event holds."""
    body = content(event, method, vocabulary=vocabulary).content
    assert not {b"\n", b"\r", b"\0"}.intersection(body[at : at + 1] for at in range(len(body)))


@settings(max_examples=examples(2))
@given(
    events(KINDS),
    st.sampled_from(METHODS),
    st.sampled_from(VOCABULARIES),
    st.sampled_from((1, 2)),
    st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), max_size=20),
)
def test_the_shorter_way_from_disk_says_the_same(
    event: CallEvent, method: Method, vocabulary: Vocabulary, level: Level, previous_id: str
) -> None:
    """What is made of the stored bytes is what is made of the event, byte for byte."""
    rendered = content(event, method, level=level, vocabulary=vocabulary, previous_id=previous_id)
    assert rendered == content_of(
        encode(event),
        method=method,
        level=level,
        vocabulary=vocabulary,
        seq=3,
        previous_id=previous_id,
    )
