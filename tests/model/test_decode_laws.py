"""What holds for every line, whatever its bytes."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from callpost.model.decode import MalformedEvent, decode
from callpost.model.event import CallEvent, encode, stored
from callpost.model.malformed import RULES
from examples import examples

MARKER = "Zq7Marker"

WORDS = st.sampled_from(["newCall", "dtmf", "hangup", "in", "busy", "SIP", "queue", "1#", ""])
TIMES = st.sampled_from(["2026-11-21T16:40:00+01:00", "2026-11-21T16:40:00.1Z", "0000", "x"])
TEXTS = st.text(max_size=6) | WORDS | TIMES | st.sampled_from(["\0", "<Private>", "\U0010ffff"])
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(0, 1e9) | TEXTS
VALUES = SCALARS | st.lists(SCALARS, max_size=3) | st.dictionaries(TEXTS, SCALARS, max_size=3)
NAMES = st.sampled_from([*RULES, "seq", "callid"]) | st.text(max_size=3)
OBJECTS = st.dictionaries(NAMES, VALUES, max_size=8)
VALID = st.fixed_dictionaries(
    {"event": st.sampled_from(["newCall", "hangup", "cdr"]), "callId": st.text(min_size=1)},
    optional={
        "from": st.none() | TEXTS,
        "user": st.lists(st.none() | TEXTS),
        "startTime": st.sampled_from(["2026-11-21T16:40:00.98765-03:30", ""]),
        "duration": st.floats(0, 1e9) | st.integers(0, 10**9),
        "ringDuration": st.floats(0, 1),
        "data": st.dictionaries(st.text(min_size=1), st.none() | TEXTS),
        "colour": SCALARS,
    },
)
LINES = (
    st.binary()
    | st.builds(lambda value: json.dumps(value).encode(), OBJECTS | VALID | VALUES)
    | st.builds(
        lambda value, cut, junk: json.dumps(value).encode()[:cut] + junk,
        VALID,
        st.integers(0, 200),
        st.binary(max_size=4),
    )
)


def decoded(text: bytes) -> CallEvent | None:
    """The event, unknown fields kept; None where the line is refused."""
    try:
        return decode(text, unknown_fields="data")
    except MalformedEvent:
        return None


@settings(max_examples=examples(2))
@given(LINES)
def test_no_line_raises_anything_but_a_malformed_event(text: bytes) -> None:
    """Whatever the bytes are, a producer gets an event or a fault, and the fault has a path."""
    try:
        decode(text)
    except MalformedEvent as malformed:
        assert malformed.path.startswith("$")  # noqa: PT017  the point is that nothing else is raised


@settings(max_examples=examples(2))
@given(LINES)
def test_what_was_decoded_survives_the_disk(text: bytes) -> None:
    """Encoding and decoding again changes nothing, to the byte."""
    event = decoded(text)
    assert event is None or encode(stored(encode(event))) == encode(event)


@settings(max_examples=examples(2))
@given(LINES)
def test_a_decoded_event_is_a_fixed_point(text: bytes) -> None:
    """What the daemon wrote is a line that it would accept, and the same event."""
    event = decoded(text)
    assert event is None or decode(encode(event)) == event == stored(encode(event))


@settings(max_examples=examples(2))
@given(LINES)
def test_the_fast_way_and_the_slow_way_agree(text: bytes) -> None:
    """A field that is absent in words sends a line the slow way, and to the same event."""
    event = decoded(text)
    if event is not None and event.queue is None:
        assert decoded(text.rstrip().removesuffix(b"}") + b',"queue":null}') == event


MARKED = st.recursive(
    st.just(MARKER) | st.text(max_size=3).map(lambda text: text + MARKER + text),
    lambda inner: st.lists(inner, min_size=1, max_size=2) | st.dictionaries(st.text(), inner),
    max_leaves=4,
)


@settings(max_examples=examples(2))
@given(st.sampled_from([*RULES, "seq", "colour"]), MARKED)
def test_no_message_quotes_the_bad_value(name: str, value: object) -> None:
    """A refusal goes to logs, and a value may be a number or a secret."""
    try:
        decode(json.dumps({"event": "newCall", "callId": "1", name: value}).encode())
    except MalformedEvent as malformed:
        assert MARKER not in f"{malformed} {malformed.path}"  # noqa: PT017  not every field refuses the marker
