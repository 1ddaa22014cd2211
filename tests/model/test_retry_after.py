"""Retry-After in every form that RFC 9110 allows and some that it does not."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callpost.model.retry_after import MAX_S, retry_after_s

# 1994-11-06T08:49:37Z, the moment of RFC 9110's own examples.
_MOMENT = 784_111_777.0


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0),
        ("120", 120.0),
        (" 7 ", 7.0),
        ("1.5", 1.5),
        ("-5", 0.0),
        ("9" * 400, MAX_S),
        ("Sun, 06 Nov 1994 08:49:37 GMT", 37.0),
        ("Sunday, 06-Nov-94 08:49:37 GMT", 37.0),
        ("Sun Nov  6 08:49:37 1994", 37.0),
        ("sun, 06 nov 1994 08:49:60 gmt", 59.0),
        ("Sun, 06 Nov 1993 08:49:37 GMT", 0.0),
        ("Sun, 06 Nov 9999 08:49:37 GMT", MAX_S),
        ("Tuesday, 06-Nov-43 08:49:37 GMT", MAX_S),
        ("Wednesday, 06-Nov-46 08:49:37 GMT", 0.0),
    ],
)
def test_a_time_to_stay_away_is_read(value: str, seconds: float) -> None:
    """Seconds and the three formats of a date give seconds from now."""
    assert retry_after_s(value, now=_MOMENT - 37) == seconds


@pytest.mark.parametrize(
    "value",
    [
        "",
        "soon",
        "inf",
        "nan",
        "1e9",
        "0x10",
        "Sun, 31 Feb 1994 08:49:37 GMT",
        "٣",
        "1 2",
        "Sun, 06 Foo 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 25:00:00 GMT",
        "1994-11-06",
    ],
)
def test_nonsense_asks_for_nothing(value: str) -> None:
    """What is neither seconds nor a date is as if it were not there."""
    assert retry_after_s(value, now=_MOMENT) is None


@given(value=st.text(max_size=60), now=st.floats(0, 4e9))
def test_any_text_gives_a_sane_number_or_none(value: str, now: float) -> None:
    """Whatever a receiver writes, arithmetic with it stays finite."""
    seconds = retry_after_s(value, now=now)
    assert seconds is None or (math.isfinite(seconds) and 0 <= seconds <= MAX_S)
