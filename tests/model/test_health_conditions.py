"""How an endpoint's health is told: its condition, since when, and when it is tried next."""

import pytest

from callpost.model.health import Health
from callpost.model.outcome import Delivered, Gone, LocalFault, Outcome, Retry

DOWN = Retry(reason="connect:refused", phase="connect")
BUSY = Retry(reason="http:429", http_status=429, retry_after_s=30.0)


def after(*ends: tuple[float, Outcome]) -> Health:
    """An endpoint whose attempts ended so, one after the other, at these times."""
    health = Health(concurrency=8)
    for now, outcome in ends:
        is_probe = health.begin()
        health.end(outcome, now, is_probe=is_probe, hold_s=30.0)
    return health


ROW = [(float(now), DOWN) for now in range(5)]


@pytest.mark.parametrize(
    ("ends", "told"),
    [
        ([], ("ok", None)),
        (ROW[:1], ("failing", 0.0)),
        (ROW[:4], ("failing", 0.0)),
        (ROW, ("down", 4.0)),
        ([*ROW, (5.0, Delivered())], ("ok", None)),
        ([*ROW[:2], (2.0, Delivered()), (3.0, DOWN)], ("failing", 3.0)),
        ([(1.0, BUSY)], ("held", 1.0)),
        ([(1.0, BUSY), (3.0, BUSY)], ("held", 1.0)),
        ([(2.0, Gone("http:410", 410))], ("gone", 2.0)),
        ([(2.0, Gone("http:410", 410)), (3.0, Gone("http:410", 410))], ("gone", 2.0)),
        ([(5.5, LocalFault("no_route"))], ("ok", None)),
    ],
)
def test_a_condition_is_told_with_its_beginning(
    ends: list[tuple[float, Outcome]], told: tuple[str, float | None]
) -> None:
    """What an attempt brought about holds since that attempt."""
    health = after(*ends)
    assert (health.condition(6.0), health.since(6.0)) == told


def test_a_wish_passes_by_itself() -> None:
    """After its Retry-After an endpoint is as well as any."""
    assert after((1.0, BUSY)).condition(31.0) == "ok"


def test_an_endpoint_that_was_gone_before_the_start_is_gone_since_nobody_knows_when() -> None:
    """The spool keeps that it is gone, not when that was said."""
    health = Health(concurrency=8, gone=True)
    assert (health.condition(0.0), health.since(0.0)) == ("gone", None)


def test_the_last_failure_is_remembered() -> None:
    """Also once it is well again."""
    assert after((0.0, DOWN), (1.0, Delivered())).reason == "connect:refused"


def test_an_open_breaker_tells_when_it_probes() -> None:
    """A second after the fifth failure."""
    assert after(*ROW).next_try_at(4.0) == 5.0


def test_while_the_probe_is_out_nobody_can_tell_the_next() -> None:
    """It depends on how that one ends."""
    health = after(*ROW)
    health.begin()
    assert health.next_try_at(5.0) is None


def test_attempts_that_are_out_are_counted() -> None:
    """Two are out, one has ended."""
    health = after((0.0, DOWN))
    health.begin()
    health.begin()
    assert (health.in_flight, health.failures) == (2, 1)


def test_an_attempt_that_never_came_back_opens_at_once() -> None:
    """Another would not come back either."""
    health = after((0.0, DOWN))
    assert (health.break_open(1.0), health.condition(1.0)) == (("opened",), "down")


def test_an_open_one_is_not_opened_again() -> None:
    """Its next probe stays where it was."""
    health = after(*ROW)
    assert (health.break_open(4.5), health.next_try_at(4.5)) == ((), 5.0)


def test_a_paused_one_is_down_since_it_fails() -> None:
    """Not since the restart that found it paused."""
    health = Health(concurrency=8)
    health.slow_down(1000.0, since=17.0)
    assert health.since(1000.0) == 17.0
