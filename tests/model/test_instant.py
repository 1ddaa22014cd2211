"""RFC 3339 in every spelling becomes UTC with milliseconds, and nothing else is a time."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callpost.model.instant import in_utc, microseconds, utc_text


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-11-21T16:40:00.123Z", "2026-11-21T16:40:00.123Z"),
        ("2026-11-21T16:40:00Z", "2026-11-21T16:40:00.000Z"),
        ("2026-11-21t16:40:00z", "2026-11-21T16:40:00.000Z"),
        ("2026-11-21T16:40:00+01:00", "2026-11-21T15:40:00.000Z"),
        ("2026-11-21T16:40:00-00:00", "2026-11-21T16:40:00.000Z"),
        ("2026-12-31T20:00:00-05:30", "2027-01-01T01:30:00.000Z"),
        ("2026-11-21T16:40:00.5Z", "2026-11-21T16:40:00.500Z"),
        ("2026-11-21T16:40:00.9999999999999Z", "2026-11-21T16:40:00.999Z"),
        ("2026-12-31T23:59:60.250Z", "2027-01-01T00:00:00.250Z"),
        ("2024-02-29T00:00:00.000Z", "2024-02-29T00:00:00.000Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z"),
    ],
)
def test_a_time_goes_out_in_utc_with_milliseconds(text: str, utc: str) -> None:
    """Any offset and any fraction are accepted; finer than a millisecond is cut off."""
    assert in_utc(text) == utc


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2026-11-21",
        "2026-11-21T16:40:00",
        "2026-11-21 16:40:00Z",
        "2026-11-21T16:40Z",
        "2026-11-21T16:40:00.Z",
        "2026-11-21T16:40:00,5Z",
        "2026-02-29T00:00:00.000Z",
        "2026-13-01T00:00:00Z",
        "2026-11-21T24:00:00Z",
        "2026-11-21T16:40:61Z",
        "2026-11-21T16:40:60Z",
        "2026-11-21T16:40:00+24:00",
        "2026-11-21T16:40:00+0100",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+00:01",
        "9999-12-31T23:59:00-00:01",
        "9999-12-31T23:59:60Z",
        "\uff12026-11-21T16:40:00Z",
        "2026-11-21T16:40:00.123Z\n",
    ],
)
def test_what_is_no_time_is_none(text: str) -> None:
    """A time needs an offset, and the day that it names must exist."""
    assert in_utc(text) is None


@given(
    st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(2200, 1, 1)),  # noqa: DTZ001  the offset is drawn apart
    st.integers(-1439, 1439),
)
def test_the_moment_stays_the_same(moment: datetime, offset_min: int) -> None:
    """What goes out is the same moment, at most a millisecond before."""
    local = moment.replace(tzinfo=timezone(timedelta(minutes=offset_min)))
    utc = in_utc(local.isoformat())
    assert utc is not None
    lost = local - datetime.fromisoformat(utc)
    assert timedelta(0) <= lost < timedelta(milliseconds=1)


def test_a_wall_clock_becomes_text() -> None:
    """Seconds since 1970 become RFC 3339 with milliseconds and `Z`."""
    wall_s = datetime(2026, 11, 21, 16, 40, 0, 123_000, tzinfo=UTC).timestamp()
    assert utc_text(wall_s) == "2026-11-21T16:40:00.123Z"


def test_a_text_becomes_microseconds() -> None:
    """The count of microseconds since 1970 is exact."""
    assert microseconds("1970-01-02T00:00:00.001Z") == 86_400_001_000
