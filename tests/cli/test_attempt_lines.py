"""One attempt, one line."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from callpost.cli.attempts import lines_of
from conditions import NOW, an_attempt

WHOLE = (
    "10:30:00  delivered   crm             hangup    call-17           #1   200      12.3 ms"
    "  crm.example.com"
)


@pytest.mark.parametrize(
    ("width", "line"),
    [
        (60, "10:30:00  delivered   crm             hangup    200"),
        (80, "10:30:00  delivered   crm             hangup    200      12.3 ms"),
        (120, WHOLE),
        (None, WHOLE),
    ],
)
def test_a_delivery_is_one_line(width: int | None, line: str) -> None:
    """In a narrow terminal what matters less is left out."""
    assert [one.plain for one in lines_of(an_attempt(), NOW, width)] == [line]


def test_a_failure_has_its_reason_behind_it() -> None:
    """On the same line where there is room."""
    told = lines_of(an_attempt("retry"), NOW, None)
    assert [one.plain.rpartition("  ")[2] for one in told] == ["503 Service Unavailable"]


def test_a_reason_without_room_stands_beneath() -> None:
    """Indented, so that the columns stay columns."""
    assert [one.plain for one in lines_of(an_attempt("retry"), NOW, 60)] == [
        "10:30:00  retry       crm             hangup    503",
        "    503 Service Unavailable",
    ]


def test_a_long_name_pushes_and_is_not_cut() -> None:
    """A name that is cut is nobody's name."""
    name = "the-crm-of-the-northern-region"
    assert name in lines_of(an_attempt(subscription=name), NOW, 80)[0].plain


def test_the_outcome_has_its_colour() -> None:
    """Good and bad are told apart from afar."""
    styles = [
        lines_of(an_attempt(outcome), NOW, None)[0].spans[0].style
        for outcome in ("delivered", "retry", "rejected")
    ]
    assert styles == ["green", "yellow", "red"]


@given(text=st.text(), outcome=st.sampled_from(["delivered", "retry"]), width=st.integers(40, 130))
def test_nothing_from_outside_breaks_a_line(text: str, outcome: str, width: int) -> None:
    """Neither a call's id nor a reason."""
    attempt = an_attempt(outcome, call_id=text, reason=text, subscription=text, endpoint=text)
    lines = [one.plain for one in lines_of(attempt, NOW, width)]
    controls = [char for line in lines for char in line if unicodedata.category(char) == "Cc"]
    assert (controls, max(map(cell_len, lines)) <= width) == ([], True)
