"""Figures as people read them."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callpost.cli.figures import (
    counted,
    day,
    host,
    moment,
    seconds_since,
    seconds_until,
    size,
    span,
)

NOW = datetime(2026, 11, 21, 10, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0.0, "0 s"),
        (-3.0, "0 s"),
        (59.9, "59 s"),
        (60.0, "1 min"),
        (119.0, "1 min"),
        (3_600.0, "1 h"),
        (5_290.0, "1 h 28 min"),
        (86_400.0, "1 d"),
        (90_000.0, "1 d 1 h"),
    ],
)
def test_a_span_has_its_largest_units(seconds: float, told: str) -> None:
    """Nobody acts on the seconds of an hour."""
    assert span(seconds) == told


@pytest.mark.parametrize(
    ("count", "told"),
    [(0, "0 B"), (1_023, "1023 B"), (1_024, "1.0 KiB"), (8_589_934_592, "8.0 GiB"), (-1, "0 B")],
)
def test_a_size_has_a_binary_unit(count: int, told: str) -> None:
    """As the configuration writes sizes."""
    assert size(count) == told


def test_one_is_not_plural() -> None:
    """A count and its noun agree."""
    assert [counted(count, "fault") for count in (0, 1, 1_204)] == [
        "0 faults",
        "1 fault",
        "1,204 faults",
    ]


def test_a_moment_of_today_has_no_date() -> None:
    """What happened today is told by the clock."""
    assert moment("2026-11-21T09:02:00.000Z", NOW) == "09:02"


def test_a_moment_of_another_day_has_its_date() -> None:
    """Else yesterday's fault would look like today's."""
    assert moment("2026-11-20T09:02:00.000Z", NOW) == "2026-11-20 09:02"


def test_a_moment_is_told_by_the_clock_on_the_wall() -> None:
    """The operator's time zone, not the daemon's."""
    there = NOW.astimezone(timezone(timedelta(hours=1)))
    assert moment("2026-11-21T09:02:00.000Z", there) == "10:02"


def test_what_is_no_moment_is_shown_as_it_is() -> None:
    """A daemon of another version is no reason to fall."""
    assert (moment("soon", NOW), moment(None, NOW), seconds_since("soon", NOW)) == ("soon", "", 0.0)


@pytest.mark.parametrize(
    ("when", "told"),
    [
        ("2026-12-01T12:00:00.000Z", "2026-12-01, in 10 days"),
        ("2026-11-22T12:00:00.000Z", "2026-11-22, in 1 day"),
        ("2026-11-21T08:59:00.000Z", "2026-11-21, 1 h 31 min ago"),
    ],
)
def test_a_day_says_how_far_it_is(when: str, told: str) -> None:
    """Nobody counts days on a calendar."""
    assert day(when, NOW) == told


@pytest.mark.parametrize(
    ("origin", "told"),
    [
        ("https://crm.example.com:443", "crm.example.com"),
        ("https://crm.example.com:8443", "crm.example.com:8443"),
        ("http://crm.example.com:80", "http://crm.example.com"),
        ("tcp://10.0.0.9:4010", "tcp://10.0.0.9:4010"),
        ("/etc/callpost/client.pem", "/etc/callpost/client.pem"),
    ],
)
def test_a_host_has_what_does_not_go_without_saying(origin: str, told: str) -> None:
    """The usual scheme and port are left out, others are not."""
    assert host(origin) == told


def test_a_moment_that_has_come_is_not_ahead() -> None:
    """Neither is what is no moment."""
    ahead = [seconds_until(text, NOW) for text in ("2026-11-21T10:31:00Z", "2026-11-20", "soon")]
    assert ahead == [60.0, 0.0, 0.0]


@given(st.text())
def test_no_text_is_too_strange_for_a_moment(text: str) -> None:
    """Whatever an answer holds, telling it does not fail."""
    moment(text, NOW)
    day(text, NOW)
    assert seconds_since(text, NOW) >= 0
