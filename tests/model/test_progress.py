"""When a courier is said to stand still, and when it only waits."""

from hypothesis import given
from hypothesis import strategies as st

from callpost.model.progress import WORK_GRACE_S, Idle, Out, Stall, idle_after, stall_of

EARLY = Out("evt_1", "primary", "http://crm.example:80", 0.0, 20.0)
LATE = Out("evt_2", "fallback-1", "tcp://10.0.0.9:4010", 3.0, 20.5)


def test_an_attempt_within_its_grace_is_no_stall() -> None:
    """Its time-out may have passed, the grace has not."""
    assert stall_of([EARLY], None, now=19.9) is None


def test_an_overdue_attempt_is_named() -> None:
    """Place, event and origin say which attempt it is."""
    stall = stall_of([EARLY], None, now=36.0)
    assert stall == Stall(
        reason="an attempt at primary has not come back 21 s after its time-out",
        since=0.0,
        event_id="evt_1",
        place="primary",
        endpoint="http://crm.example:80",
    )


def test_of_several_overdue_attempts_the_oldest_is_named() -> None:
    """It is the one that has waited longest to be missed."""
    stall = stall_of([LATE, EARLY], None, now=30.0)
    assert stall is not None
    assert stall.event_id == "evt_1"


def test_work_that_waits_beside_a_free_carrier_is_a_stall() -> None:
    """Nobody comes for it."""
    stall = stall_of([], Idle(10.0, 4), now=16.0)
    assert stall is not None
    assert stall.reason == "work waits although a carrier is free since 6 s"


def test_work_that_has_just_come_is_no_stall() -> None:
    """Whoever was rung for is on his way."""
    assert stall_of([], Idle(10.0, 4), now=10.0 + WORK_GRACE_S - 0.1) is None


def test_the_same_wait_is_recognised_at_the_next_look() -> None:
    """That tells a nudge in vain."""
    first, second = (stall_of([], Idle(0.0, 4), now=now) for now in (6.0, 11.0))
    assert first is not None
    assert first.is_that(second)


def test_another_attempt_is_another_stall() -> None:
    """A remedy that helps one attempt after the other is not in vain."""
    first, second = (stall_of([one], None, now=30.0) for one in (EARLY, LATE))
    assert first is not None
    assert not first.is_that(second)


looks = st.lists(st.tuples(st.booleans(), st.integers(0, 1), st.floats(0.01, 20.0)), max_size=30)


@given(looks)
def test_only_a_wait_without_a_step_grows_old(seen: list[tuple[bool, int, float]]) -> None:
    """The note is as old as the last step, or the last look that found nothing to do."""
    note: Idle | None = None
    now = began = 0.0
    steps = 0
    was_waiting = False
    for could_go, made, pause_s in seen:
        now += pause_s
        steps += made
        note = idle_after(note, could_go=could_go, steps=steps, now=now)
        if not (was_waiting and could_go and not made):
            began = now
        was_waiting = could_go
        assert note == (Idle(began, steps) if could_go else None)
