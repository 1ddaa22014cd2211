"""One number, found in whatever spelling and field it stands, and no other."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from callpost.model.event import CallEvent, encode
from callpost.model.numbers import Numbers
from callpost.model.party import Party

NUMBERS = Numbers("DK")
SPELLINGS = (
    "+4526110203",
    "4526110203",
    "004526110203",
    "26110203",
    "26 11 02 03",
    "+45 26-11-02-03",
    "(+45) 26.11.02.03",
    "sip:+4526110203@pbx.example",
    "sips:26110203:secret@pbx.example:5061;transport=tls",
    "sip:+4526110203@pbx.example;user=phone?Subject=x",
    "tel:+45-2611-0203",
    "tel:26110203;phone-context=+45",
    '"Alice" <sip:%2B4526110203@pbx.example>',
    "<sip:26110203@10.0.0.1>",
)


def is_in(number: str, **fields: str | tuple[str, ...] | dict[str, str]) -> bool:
    """Whether the number takes part in an event with these fields."""
    event = replace(CallEvent(event="newCall", call_id="4526110203", id="4526110203"), **fields)
    return Party(number, NUMBERS).takes_part_in(encode(event))


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("asked", SPELLINGS)
def test_every_spelling_finds_every_other(spelling: str, asked: str) -> None:
    """Whoever asks need not know how the switch writes."""
    assert is_in(asked, from_=spelling)


@pytest.mark.parametrize(
    "field", ["from_", "to", "did", "diversion", "answering_number", "extension", "from_name"]
)
def test_it_is_found_in_every_field(field: str) -> None:
    """A switch that knows no name writes the number there."""
    assert is_in("+4526110203", **{field: "26110203"})


def test_it_is_found_among_users_and_in_data() -> None:
    """Where a producer puts what has no field."""
    assert is_in("+4526110203", user=("Bob", "26110203"))
    assert is_in("+4526110203", data={"callback": "+4526110203"})


@pytest.mark.parametrize(
    "other",
    ["+4526110204", "+14526110203", "6110203", "+45261102031", "sip:alice@26110203.example"],
)
def test_another_number_is_not_found(other: str) -> None:
    """Nor the ids of the event, which are no numbers."""
    assert not is_in("+4526110203", from_=other)


@pytest.mark.parametrize(
    ("asked", "written", "found"),
    [
        ("210", "210", True),
        ("210", "sip:210@pbx.example", True),
        ("210", "2100", False),
        ("0003*210", "0003*210", True),
        ("sip:Alice.Smith@pbx.example", "sip:alice.smith@pbx.example;transport=udp", True),
        ("sip:alice@pbx.example", "sip:alice@other.example", False),
        ("alice", "alice", True),
        ("søren", "Søren", True),
        ("112", "112", True),
    ],
)
def test_what_is_no_number_of_any_country_is_found_as_it_is(
    asked: str,
    written: str,
    found: bool,  # noqa: FBT001 - a row of the table
) -> None:
    """Extensions, addresses, short numbers."""
    assert is_in(asked, to=written) is found


@given(st.text(min_size=1, max_size=300), st.binary(max_size=300))
def test_no_text_and_no_body_breaks_it(asked: str, body: bytes) -> None:
    """A number of 200 characters, a body that a failing disk has made."""
    assert Party(asked, NUMBERS).takes_part_in(body) in {True, False}


@given(st.from_regex(r"\+45[2-9][0-9]{7}", fullmatch=True))
def test_whoever_is_written_is_found(number: str) -> None:
    """Whether or not it is a number of that country."""
    assert is_in(number, from_=number)
