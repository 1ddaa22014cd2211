"""When a delivery is tried again: the two built-in schedules, own tables, ages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callpost.model.schedule import (
    CDR,
    LIVE,
    GiveUp,
    Schedule,
    TryAgain,
    after_refused,
    after_retry,
    after_wish,
    own_schedule,
    shortened,
    with_ages,
)
from callpost.model.vocabulary import KINDS

LONG_S = 1e9


def pauses_of(schedule: Schedule, rounds: int) -> list[float]:
    """The longest pauses that follow the first `rounds` rounds of a young delivery."""
    steps = [
        after_retry(schedule, rounds=n, age_s=0.0, expires_in_s=LONG_S, dice=1.0)
        for n in range(1, rounds + 1)
    ]
    return [step.pause_s for step in steps if isinstance(step, TryAgain)]


def test_live_pauses_are_those_of_the_contract() -> None:
    """0.5 1 2 5 10 30 s, 1 2 5 5 5 minutes."""
    assert pauses_of(LIVE, 11) == [0.5, 1, 2, 5, 10, 30, 60, 120, 300, 300, 300]


def test_cdr_pauses_are_those_of_standard_webhooks() -> None:
    """5 s, 5 min, 30 min, 2, 5, 10, 14, 20, 24 h."""
    hours = [3600.0 * n for n in (2, 5, 10, 14, 20, 24)]
    assert pauses_of(CDR, 9) == [5, 300, 1800, *hours]


def test_the_cdr_schedule_ends_after_its_last_pause() -> None:
    """The tenth round that fails is the last."""
    step = after_retry(CDR, rounds=10, age_s=0.0, expires_in_s=LONG_S, dice=0.5)
    assert step == GiveUp("exhausted")


def test_an_old_hangup_is_tried_at_the_pace_of_a_cdr() -> None:
    """After 15 minutes the pauses are those of the cdr schedule, from five minutes up."""
    step = after_retry(LIVE, rounds=12, age_s=3600.0, expires_in_s=LONG_S, dice=1.0)
    assert step == TryAgain(7200.0)


@given(rounds=st.integers(1, 9), dice=st.floats(0, 1, exclude_max=True))
def test_a_pause_lies_between_half_and_whole(rounds: int, dice: float) -> None:
    """Pauses are drawn from U(d/2, d)."""
    whole = pauses_of(LIVE, 9)[rounds - 1]
    step = after_retry(LIVE, rounds=rounds, age_s=0.0, expires_in_s=LONG_S, dice=dice)
    assert isinstance(step, TryAgain)
    assert whole / 2 <= step.pause_s <= whole


def test_a_pause_that_would_outlive_the_delivery_is_not_begun() -> None:
    """What would expire while it waits is given up now."""
    step = after_retry(LIVE, rounds=6, age_s=40.0, expires_in_s=20.0, dice=1.0)
    assert step == GiveUp("expired")


@pytest.mark.parametrize(("rounds", "pause_s"), [(1, 5.0), (2, 60.0)])
def test_a_refusal_is_tried_twice_more(rounds: int, pause_s: float) -> None:
    """A refused delivery waits 5 s and then 60 s."""
    assert after_refused(rounds=rounds, expires_in_s=LONG_S, dice=1.0) == TryAgain(pause_s)


def test_the_third_refusal_is_the_last() -> None:
    """At most three rounds."""
    assert after_refused(rounds=3, expires_in_s=LONG_S, dice=1.0) == GiveUp("refused")


@pytest.mark.parametrize(
    ("schedule", "wish_s", "pause_s"),
    [(LIVE, 0.0, 1.0), (LIVE, 30.0, 30.0), (LIVE, 1e9, 900.0), (CDR, 1e9, 36000.0)],
)
def test_retry_after_is_obeyed_within_bounds(
    schedule: Schedule, wish_s: float, pause_s: float
) -> None:
    """At least a second, at most 15 minutes live and 10 hours for cdr."""
    step = after_wish(schedule, retry_after_s=wish_s, expires_in_s=LONG_S)
    assert step == TryAgain(pause_s)


def test_an_own_table_ends_after_its_last_pause() -> None:
    """A table without an age is as long as it is."""
    own = own_schedule((1.0, 2.0), max_age_s=None, max_rounds=None)
    assert pauses_of(own, 5) == [1.0, 2.0]


def test_an_own_table_with_an_age_repeats_its_last_pause() -> None:
    """The age ends it, not the table."""
    own = own_schedule((1.0, 2.0), max_age_s=60.0, max_rounds=None)
    assert pauses_of(own, 4) == [1.0, 2.0, 2.0, 2.0]


def test_a_table_without_pauses_means_one_attempt() -> None:
    """`pauses_s = []` asks for no retry at all."""
    own = own_schedule((), max_age_s=60.0, max_rounds=None)
    assert pauses_of(own, 2) == []


def test_rc_shortens_the_schedule() -> None:
    """`rc=2` allows two rounds after the first."""
    assert len(pauses_of(shortened(LIVE, 2), 9)) == 2


def test_single_ages_can_be_changed() -> None:
    """`max_age_s = { newCall = 60 }` leaves the other kinds alone."""
    changed = with_ages(LIVE, {"newCall": 60.0})
    assert (changed.max_age_s["newCall"], changed.max_age_s["answer"]) == (60.0, 900.0)


def test_every_kind_has_an_age() -> None:
    """No event can lack an age, in either schedule."""
    assert set(LIVE.max_age_s) == set(CDR.max_age_s) == set(KINDS)
