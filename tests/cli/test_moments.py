"""Moments as operators type them."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callpost.cli.moments import NotAMoment, moment

NOW = datetime(2026, 11, 21, 16, 40, 30, tzinfo=UTC)
COPENHAGEN = ZoneInfo("Europe/Copenhagen")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("30s", "2026-11-21T16:40:00+00:00"),
        ("10m", "2026-11-21T16:30:30+00:00"),
        ("10 min", "2026-11-21T16:30:30+00:00"),
        ("2h", "2026-11-21T14:40:30+00:00"),
        ("3d", "2026-11-18T16:40:30+00:00"),
        ("1w", "2026-11-14T16:40:30+00:00"),
        ("now", "2026-11-21T16:40:30+00:00"),
        ("today", "2026-11-20T23:00:00+00:00"),
        ("yesterday", "2026-11-19T23:00:00+00:00"),
        ("2026-11-21", "2026-11-20T23:00:00+00:00"),
        ("2026-07-01", "2026-06-30T22:00:00+00:00"),
        ("2026-11-21T10:00", "2026-11-21T09:00:00+00:00"),
        (" 2026-11-21 10:00:30 ", "2026-11-21T09:00:30+00:00"),
        ("2026-11-21T10:00:00Z", "2026-11-21T10:00:00+00:00"),
        ("2026-11-21 10:00:00.5+02:00", "2026-11-21T08:00:00.500000+00:00"),
    ],
)
def test_a_moment_is_read_as_it_is_meant(text: str, named: str) -> None:
    """Spans count back; a day without an offset is one in the operator's zone, by its rules."""
    assert moment(text, now=NOW, zone=COPENHAGEN).isoformat() == named


@pytest.mark.parametrize(
    "text",
    [
        *("", "lunch", "10", "-10m", "m", "1.5h", "٣d", "999999999d", "10m\n5"),
        *("2026-13-01", "2026-02-30", "2026-11-21T25:00", "2026-11-21T10"),
        "0001-01-01T00:00:00+23:59",
    ],
)
def test_what_is_no_moment_is_refused(text: str) -> None:
    """In one sentence."""
    with pytest.raises(NotAMoment, match="is no moment: say 10m"):
        moment(text, now=NOW)


@given(text=st.text(max_size=40))
def test_any_text_is_a_moment_or_refused(text: str) -> None:
    """Nothing else is ever raised, and what comes is in UTC."""
    try:
        named = moment(text, now=NOW)
    except NotAMoment:
        return
    assert named.utcoffset() == timedelta(0)


@given(
    when=st.datetimes(datetime(1971, 1, 1), datetime(2200, 1, 1)),  # noqa: DTZ001 - a zone is drawn below
    minutes=st.integers(-14 * 60, 14 * 60),
)
def test_what_is_written_with_its_offset_comes_back(when: datetime, minutes: int) -> None:
    """To the millisecond, in any zone."""
    zoned = when.replace(microsecond=0, tzinfo=timezone(timedelta(minutes=minutes)))
    assert moment(zoned.isoformat(), now=NOW) == zoned


@given(
    count=st.integers(0, 9_999),
    unit=st.sampled_from([("s", 1), ("m", 60), ("h", 3600), ("d", 86400)]),
)
def test_a_span_lies_so_far_back(count: int, unit: tuple[str, int]) -> None:
    """Exactly."""
    named = moment(f"{count}{unit[0]}", now=NOW)
    assert NOW - named == timedelta(seconds=count * unit[1])
