"""Criteria of a purge: at least one, and none that could mean anybody."""

import pytest

from callpost.model.purge import Criteria, fault_of, note_on


@pytest.mark.parametrize(
    ("criteria", "field"),
    [
        (Criteria(), None),
        (Criteria(number="1" * 256), "number"),
        (Criteria(number="+45\x1b[2J"), "number"),
        (Criteria(number="\u202e3020116254+"), "number"),
        (Criteria(number="Anonymous"), "number"),
        (Criteria(number="<anonymous>"), "number"),
        (Criteria(call_id="c" * 256), "callId"),
        (Criteria(customer="c" * 256), "customer"),
    ],
)
def test_a_fault_names_the_criterion_and_quotes_nothing(
    criteria: Criteria, field: str | None
) -> None:
    """What was asked for is what is to vanish."""
    fault = fault_of(criteria)
    assert fault is not None
    assert (fault[0], str(criteria.number or criteria.call_id or "\0") in fault[1]) == (
        field,
        False,
    )


@pytest.mark.parametrize(
    "criteria",
    [
        Criteria(number="+4526110203"),
        Criteria(number="\u0639\u0644\u06cc\u200c\u0631\u0636\u0627"),
        Criteria(number="\u7530\u4e2d\u3000\u592a\u90ce"),
        Criteria(number="acme\u3164"),
        Criteria(call_id="c/1"),
        Criteria(customer="acme", before=0.0),
    ],
)
def test_one_criterion_is_enough(criteria: Criteria) -> None:
    """A time is one, the beginning of all times too; and a name stands for a number."""
    assert fault_of(criteria) is None


def test_which_are_given_may_be_told() -> None:
    """In the log, where their values must not stand."""
    assert Criteria(number="1", before=0.0).names == ("number", "before")


@pytest.mark.parametrize(
    ("number", "country", "has_found", "noted"),
    [
        ("26 11 02 03", "", True, True),
        ("26 11 02 03", "", False, True),
        ("(020) 7946-0018", "", True, True),
        ("0045 26110203", "", True, True),
        ("+45 26 11 02 03", "", False, True),
        ("+45 26 11 02 03", "", True, False),
        ("26 11 02 03", "DK", False, False),
        ("101", "", False, False),
        ("sip:26110203@pbx.example", "", False, False),
        ("", "", False, False),
    ],
)
def test_how_numbers_are_compared_is_noted_where_no_country_is_set(
    number: str, country: str, *, has_found: bool, noted: bool
) -> None:
    """Of a number without its code, and of one of which nothing is found."""
    note = note_on(Criteria(number=number), country=country, has_found=has_found)
    assert bool(note) == noted


@pytest.mark.parametrize(
    ("number", "has_found", "noted"),
    [
        ("abc", False, True),
        ("abc", True, False),
        ("sip:alice", False, False),
        ("<SIPS:alice>", False, False),
        ("alice@pbx.example", False, False),
        ("*", False, True),
    ],
)
def test_what_is_no_number_is_told_where_nothing_is_found(
    number: str, *, has_found: bool, noted: bool
) -> None:
    """It may be mistyped; in any country, and without quoting it."""
    note = note_on(Criteria(number=number), country="DK", has_found=has_found)
    assert ("has no digit" in note, number != "*" and number in note) == (noted, False)
