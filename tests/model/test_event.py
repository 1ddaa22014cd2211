"""The event as it is kept: canonical JSON, stamps, and the table of its fields."""

import msgspec
import pytest
from msgspec.structs import replace

from callpost.model.event import (
    FIELDS,
    CallEvent,
    encode,
    plain_decimal,
    stamped,
    stored,
    without_digits,
)

BARE = CallEvent(event="newCall", call_id="1")


def test_canonical_json_has_fields_in_order_and_none_that_is_absent() -> None:
    """The order is the Struct's, whatever the order in which fields were given."""
    event = CallEvent(data={"k": "v"}, to="2", from_="1", call_id="7", event="hangup")
    assert encode(event) == (
        b'{"event":"hangup","callId":"7","from":"1","to":"2","data":{"k":"v"}}'
    )


def test_what_was_encoded_comes_back() -> None:
    """The spool gives back the event that it was given."""
    event = CallEvent(event="cdr", call_id="7", user=("Alice",), duration=5, answered=False)
    assert stored(encode(event)) == event


def test_a_whole_duration_stays_without_a_fraction() -> None:
    """Five seconds are `5` on disk and after the disk."""
    event = CallEvent(event="cdr", call_id="7", duration=5)
    assert encode(stored(encode(event))) == b'{"event":"cdr","callId":"7","duration":5}'


def test_damaged_bytes_are_told_from_events() -> None:
    """A torn body raises, it does not become another event."""
    with pytest.raises(msgspec.DecodeError):
        stored(b'{"event":"newCall"')


def test_stamps_fill_in_what_is_absent() -> None:
    """An event without `id` and `time` gets both."""
    event = stamped(BARE, id="evt_1", time="2026-11-21T16:40:00.000Z")
    assert (event.id, event.time) == ("evt_1", "2026-11-21T16:40:00.000Z")


def test_stamps_leave_the_producers_id_alone() -> None:
    """The producer's own `id` and `time` are never replaced."""
    own = CallEvent(event="newCall", call_id="1", id="mine", time="2025-01-01T00:00:00.000Z")
    assert stamped(own, id="evt_1", time="2026-11-21T16:40:00.000Z") == own


def test_stamps_fill_in_one_of_the_two() -> None:
    """With an `id` of its own an event still gets the time of its arrival."""
    own = CallEvent(event="newCall", call_id="1", id="mine")
    event = stamped(own, id="evt_1", time="2026-11-21T16:40:00.000Z")
    assert (event.id, event.time) == ("mine", "2026-11-21T16:40:00.000Z")


def test_level_one_is_the_first_ten_fields() -> None:
    """The basic fields are those of the contract, in its order."""
    assert [each.name for each in FIELDS if each.level == 1] == [
        "event",
        "callId",
        "from",
        "to",
        "direction",
        "user",
        "answeringNumber",
        "diversion",
        "cause",
        "dtmf",
    ]


def test_level_two_is_the_rest_in_order() -> None:
    """The additional fields are those of the contract, in its order."""
    assert " ".join(each.name for each in FIELDS if each.level == 2) == (
        "id time network fromName toName did extension extensionType queue customer source legId "
        "parentCallId startTime ringTime answerTime endTime duration ringDuration answered q850 "
        "sipCode linkId data"
    )


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (5, "5"),
        (5.0, "5"),
        (0.001, "0.001"),
        (12.345, "12.345"),
        (1e-7, "0.0000001"),
        (1e22, "10000000000000000000000"),
        (-(2**53) + 1, "-9007199254740991"),
    ],
)
def test_numbers_are_plain_decimals(number: float, text: str) -> None:
    """No exponent, and no fraction where there is none."""
    assert plain_decimal(number) == text


@pytest.mark.parametrize(
    ("event", "kept"),
    [
        (CallEvent(event="dtmf", call_id="1", dtmf="4711"), ""),
        (CallEvent(event="dtmf", call_id="1", dtmf=""), ""),
        (CallEvent(event="hangup", call_id="1", dtmf="4711"), None),
        (CallEvent(event="hangup", call_id="1"), None),
    ],
)
def test_an_event_can_be_had_without_digits(event: CallEvent, kept: str | None) -> None:
    """A dtmf event keeps the field, for it must have it."""
    assert without_digits(event) == replace(event, dtmf=kept)
