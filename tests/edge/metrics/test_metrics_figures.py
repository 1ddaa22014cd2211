"""What is counted as it happens."""

import time
from bisect import bisect_left

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callpost.edge.metrics import Figures
from callpost.edge.metrics.figures import ATTEMPT_BOUNDS_S, LAG_BOUNDS_S, NAMED_MAX, Histogram
from edge.metrics.readings import an_attempt

# The promise is 2 us for an attempt; on a busy machine a measure can be three times too long.
ATTEMPT_MAX_US = 6.0
ATTEMPTS = 100_000


def test_attempts_are_counted_by_subscription_and_outcome() -> None:
    """Each pair for itself."""
    figures = Figures()
    for subscription, outcome in [
        ("a", "retry"),
        ("a", "delivered"),
        ("a", "retry"),
        ("b", "gone"),
    ]:
        figures.attempted(an_attempt(subscription, outcome))
    assert figures.attempts == {"a": {"retry": 2, "delivered": 1}, "b": {"gone": 1}}


def test_beyond_the_bound_all_subscriptions_are_counted_together() -> None:
    """Nothing that was counted before is lost."""
    figures = Figures(named_max=2)
    for subscription in ("a", "b", "a", "c", "a", "d"):
        figures.attempted(an_attempt(subscription))
    assert figures.attempts == {"": {"delivered": 6}}


def test_a_removed_subscription_makes_room_for_another() -> None:
    """However many come and go, those of now are told apart."""
    figures = Figures(named_max=2)
    for number in range(5):
        figures.attempted(an_attempt(f"s{number}"))
        figures.removed(f"s{number}")
    figures.attempted(an_attempt("s5"))
    assert figures.attempts == {"s5": {"delivered": 1}}


def test_up_to_the_bound_they_are_told_apart() -> None:
    """As many as the bound says."""
    figures = Figures()
    for number in range(NAMED_MAX):
        figures.attempted(an_attempt(f"s{number}"))
    assert len(figures.attempts) == NAMED_MAX


def test_where_none_is_to_be_named_none_is() -> None:
    """Not even the first."""
    figures = Figures(named_max=0)
    figures.attempted(an_attempt("a"))
    assert figures.attempts == {"": {"delivered": 1}}


def test_events_and_refusals_and_deaths_are_counted() -> None:
    """As the engine tells of them."""
    figures = Figures()
    figures.accepted(3, duplicates=1)
    figures.accepted(2, duplicates=0)
    figures.refused("invalid")
    figures.died("crm", "expired")
    figures.died("erp", "expired")
    assert (figures.events, figures.duplicates, figures.refusals, figures.deaths) == (
        5,
        1,
        {"invalid": 1},
        {"expired": 2},
    )


def test_the_last_commit_is_remembered_with_its_time() -> None:
    """For those who look at one."""
    figures = Figures()
    figures.committed(0.5)
    figures.committed(0.25)
    assert (figures.commit_s, figures.commit_times.total) == (0.25, 0.75)


@pytest.mark.parametrize("bounds", [ATTEMPT_BOUNDS_S, LAG_BOUNDS_S])
@given(values=st.lists(st.floats(0, 200_000)))
def test_a_bucket_holds_what_is_not_above_its_bound(
    bounds: tuple[float, ...], values: list[float]
) -> None:
    """And so all that lies in the buckets below it; the last holds everything."""
    histogram = Histogram(bounds)
    for value in values:
        histogram.observe(value)
    expected = [sum(value <= bound for value in values) for bound in bounds] + [len(values)]
    assert [count for _, count in histogram.cumulated()] == expected


@pytest.mark.parametrize("bounds", [ATTEMPT_BOUNDS_S, LAG_BOUNDS_S])
def test_buckets_rise(bounds: tuple[float, ...]) -> None:
    """Else values would be looked for in the wrong ones."""
    assert [bisect_left(bounds, bound) for bound in bounds] == list(range(len(bounds)))


def test_counting_an_attempt_takes_next_to_nothing() -> None:
    """Its delivery with it; measured, 0.5 us."""
    figures, attempt = Figures(), an_attempt()
    began = time.process_time()
    for _ in range(ATTEMPTS):
        figures.attempted(attempt)
        figures.delivered(0.013)
    took_us = (time.process_time() - began) / ATTEMPTS * 1e6
    assert took_us < ATTEMPT_MAX_US
