"""The breaker of one endpoint, the pace and the endurance of a subscription: laws of time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callpost.model.endurance import FAILING_MIN_S, FAILURES_MIN, WORTH_KEEPING_S, Endurance
from callpost.model.health import OPENS_AFTER_FAILURES, PROBE_LAST_S, Change, Health
from callpost.model.outcome import (
    Delivered,
    Gone,
    LocalFault,
    Outcome,
    Refused,
    Rejected,
    Retry,
)
from callpost.model.pace import Pace

DOWN = Retry(reason="connect:refused", phase="connect")
BUSY = Retry(reason="http_429", http_status=429, retry_after_s=30.0)


def attempt(
    health: Health, outcome: Outcome, now: float, *, hold_s: float = 0.0
) -> tuple[Change, ...]:
    """One attempt from begin to end, at once."""
    is_probe = health.begin()
    return health.end(outcome, now, is_probe=is_probe, hold_s=hold_s)


def an_open_one(now: float = 0.0) -> Health:
    """An endpoint whose breaker has just opened."""
    health = Health(concurrency=8)
    for _ in range(OPENS_AFTER_FAILURES):
        attempt(health, DOWN, now)
    return health


def test_the_fifth_failure_in_a_row_opens() -> None:
    """Four do not."""
    health = Health(concurrency=8)
    changes = [attempt(health, DOWN, 0.0) for _ in range(5)]
    assert changes == [(), (), (), (), ("opened",)]


@pytest.mark.parametrize(
    "answer", [Delivered(), Refused("http_409", 409), Rejected("http_422", 422), BUSY]
)
def test_any_answer_ends_the_row(answer: Outcome) -> None:
    """An endpoint that answers lives, whatever it says."""
    health = Health(concurrency=8)
    for outcome in [DOWN] * 4 + [answer] + [DOWN] * 4:
        attempt(health, outcome, 0.0)
    assert not health.is_open


def test_local_faults_neither_open_nor_heal() -> None:
    """They say nothing of the endpoint."""
    health = Health(concurrency=8)
    for outcome in [DOWN] * 4 + [LocalFault("no_route")] * 10:
        attempt(health, outcome, 0.0)
    assert (health.is_open, attempt(health, DOWN, 0.0)) == (False, ("opened",))


def test_an_open_one_admits_one_probe_at_a_time() -> None:
    """While the probe is out nothing else goes."""
    health = an_open_one()
    health.begin()
    assert health.opens_at(100.0) == float("inf")


def test_failures_that_were_out_do_not_put_the_probe_off() -> None:
    """Eight attempts that fail together open the breaker; the probe is due a second later."""
    health = Health(concurrency=8)
    for _ in range(8):
        health.begin()
    for _ in range(8):
        health.end(DOWN, 0.0, is_probe=False)
    assert health.opens_at(0.0) == 1.0


def test_a_success_closes_and_begins_slowly() -> None:
    """After the probe one attempt at a time, then two, then four."""
    health = an_open_one()
    attempt(health, Delivered(), 1.0)
    allowed = []
    for _ in range(4):
        out = 0
        while health.has_room():
            health.begin()
            out += 1
        allowed.append(out)
        health.end(Delivered(), 2.0, is_probe=False)
        for _ in range(out - 1):
            health.abandon(is_probe=False)
    assert allowed == [1, 2, 4, 8]


def test_a_held_endpoint_opens_when_it_said() -> None:
    """Retry-After holds the endpoint, however many were out."""
    health = Health(concurrency=8)
    health.begin()
    attempt(health, BUSY, 10.0, hold_s=30.0)
    assert health.opens_at(11.0) == 40.0


def test_a_probe_that_is_asked_to_wait_closes_and_holds() -> None:
    """429 is an answer: the breaker closes, and the endpoint is left alone for a while."""
    assert attempt(an_open_one(), BUSY, 1.0, hold_s=30.0) == ("closed", "held")


def test_it_is_said_once_that_it_is_gone() -> None:
    """Attempts that were out together bring the news together."""
    health = Health(concurrency=8)
    assert [attempt(health, Gone("http_410", 410), 0.0) for _ in range(2)] == [("gone",), ()]


def test_a_gone_endpoint_stays_gone_until_reset() -> None:
    """No time heals it."""
    health = Health(concurrency=8)
    attempt(health, Gone("http_410", 410), 0.0)
    before = health.opens_at(1e9)
    health.reset()
    assert (before, health.opens_at(1e9)) == (float("inf"), 1e9)


@given(st.lists(st.sampled_from([DOWN, BUSY, Delivered(), LocalFault("x")]), max_size=60))
def test_it_always_opens_again_within_its_bounds(outcomes: list[Outcome]) -> None:
    """Whatever has happened, the next attempt is at most a minute or its Retry-After away."""
    health, now = Health(concurrency=3), 0.0
    for outcome in outcomes:
        now = max(now, health.opens_at(now))
        attempt(health, outcome, now, hold_s=30.0)
    assert health.opens_at(now) - now <= PROBE_LAST_S


def test_a_pace_spaces_evenly() -> None:
    """Four a second begin a quarter of a second apart."""
    pace = Pace(4.0)
    opened = []
    for _ in range(4):
        opened.append(pace.opens_at())
        pace.step(pace.opens_at())
    assert opened == [0.0, 0.25, 0.5, 0.75]


def test_an_idle_pace_saves_nothing_up() -> None:
    """After an hour of silence there is no burst."""
    pace = Pace(4.0)
    pace.step(3600.0)
    assert pace.opens_at() == 3600.25


def test_no_rate_is_no_limit() -> None:
    """0 never waits."""
    pace = Pace(0.0)
    pace.step(5.0)
    assert pace.opens_at() == 0.0


@pytest.mark.parametrize(
    ("failures", "lasting_s", "exhausted"),
    [
        (FAILURES_MIN, FAILING_MIN_S, True),
        (FAILURES_MIN - 1, FAILING_MIN_S, False),
        (FAILURES_MIN, FAILING_MIN_S - 1, False),
    ],
)
def test_patience_ends_by_count_and_by_time(
    failures: int, lasting_s: float, *, exhausted: bool
) -> None:
    """Both a hundred failures and half a day."""
    endurance = Endurance(None)
    for _ in range(failures):
        endurance.fail(0.0)
    assert endurance.is_exhausted(lasting_s) is exhausted


def test_a_long_failure_is_written_down_once() -> None:
    """Not the first failure, and not every one."""
    endurance = Endurance(None)
    endurance.fail(0.0)
    told = [endurance.is_worth_keeping(now) for now in (1.0, WORTH_KEEPING_S, 100.0)]
    assert told == [False, True, False]


def test_only_a_failure_that_was_written_down_must_be_forgotten() -> None:
    """A success after a short failure costs no write."""
    short, kept = Endurance(None), Endurance(5.0)
    short.fail(0.0)
    assert (short.succeed(), kept.succeed()) == (False, True)
