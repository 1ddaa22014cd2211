"""Stories on a terminal: what is told, in 80 columns and in 60."""

from datetime import datetime

import pytest
from msgspec.structs import replace

from callpost.cli.stories import call_told, events_told
from callpost.cli.waits import Waits
from callpost.model.story import AttemptStory, CallStory, DeliveryStory, EventStory

AT = "2026-11-21T13:03:22.123Z"
ATTEMPT = AttemptStory(
    attempt=1,
    at=AT,
    place="fallback-1",
    outcome="retry",
    reason="http_503",
    http_status=503,
    total_ms=41.26,
)
DELIVERY = DeliveryStory(
    subscription="crm-of-a-customer-with-a-long-name",
    seq=1,
    state="pending",
    reason="",
    replay=False,
    rounds=1,
    next_attempt_at="9999-11-21T13:05:10.000Z",
    expires_at="2026-11-22T13:03:22.123Z",
    ended_at=None,
    attempts=(ATTEMPT,),
)
EVENT = EventStory(
    event_id="evt_01937b1e5c6f7d3a9b2c4d5e6f708192",
    call_id="4f1c-2205",
    customer="acme",
    source="pbx-1",
    kind="newCall",
    caller="…203",
    called="sip:…ith@pbx.example",
    direction="in",
    accepted_at=AT,
    deliveries=(DELIVERY,),
)
CALL = CallStory(call_id="4f1c-2205", events=(EVENT,), more=False)


def text_of(story: CallStory, width: int | None) -> str:
    """What is written."""
    return "\n".join(line.plain for line in call_told(story, width, waits=Waits()))


def with_delivery(delivery: DeliveryStory) -> CallStory:
    """The call with this delivery alone."""
    return replace(CALL, events=(replace(EVENT, deliveries=(delivery,)),))


@pytest.mark.parametrize("width", [60, 80, 100])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    """Whatever is in it."""
    lines = call_told(CALL, width, waits=Waits())
    assert max(line.cell_len for line in lines) <= width


def test_the_day_and_the_zone_are_said_once() -> None:
    """Times are local and bare; one of another day has its date."""
    told = text_of(CALL, 80)
    local = datetime.fromisoformat(AT).astimezone()
    assert told.count(f"{local.date()}, times in {local:%Z}") == 1
    assert f"\n{local:%H:%M:%S}.123  newCall" in told
    assert "2026-11-22" in told


def test_in_a_pipe_times_are_rfc_3339() -> None:
    """So that a program needs to know no zone."""
    told = text_of(CALL, None)
    assert f"\n{AT}  newCall" in told
    assert "times in" not in told


def test_in_a_pipe_nothing_is_folded() -> None:
    """One line for each thing."""
    assert len(text_of(CALL, None).splitlines()) == 6


@pytest.mark.parametrize(
    ("delivery", "sentence"),
    [
        (
            DELIVERY,
            "next attempt at 9999-11-21T13:05:10.000Z, given up at 2026-11-22T13:03:22.123Z",
        ),
        (
            replace(DELIVERY, next_attempt_at="2020-01-02T03:04:05.000Z"),
            "pending, next in turn, given up at",
        ),
        (replace(DELIVERY, next_attempt_at=None), "pending, next in turn, given up at"),
        (replace(DELIVERY, replay=True), "seq 1 (replay): pending"),
        (
            replace(DELIVERY, state="dead", reason="expired", ended_at=AT, attempts=()),
            f"dead at {AT}, expired, 0 attempts",
        ),
        (
            replace(DELIVERY, state="delivered", ended_at=AT),
            f"delivered at {AT}, 1 attempt",
        ),
        (DELIVERY, f"{AT}  fallback-1  retry 503, 41.3 ms"),
        (
            replace(DELIVERY, attempts=(replace(ATTEMPT, http_status=None, reason="timeout"),)),
            f"{AT}  fallback-1  retry, timeout, 41.3 ms",
        ),
    ],
)
def test_each_fate_has_its_sentence(delivery: DeliveryStory, sentence: str) -> None:
    """What became of it, or what comes next."""
    assert sentence in text_of(with_delivery(delivery), None)


def test_what_a_delivery_waits_for_is_told() -> None:
    """A pause outlasts its own time."""
    waits = Waits(paused={DELIVERY.subscription: "operator"})
    told = "\n".join(line.plain for line in call_told(CALL, None, waits=waits))
    assert "pending, paused by an operator, given up at" in told


@pytest.mark.parametrize(("count", "shown"), [(9, 9), (10, 10), (11, 9), (200, 9)])
def test_of_many_attempts_the_first_and_the_last_are_told(count: int, shown: int) -> None:
    """And how many were left out."""
    attempts = tuple(replace(ATTEMPT, attempt=n) for n in range(count))
    told = text_of(with_delivery(replace(DELIVERY, attempts=attempts)), None)
    assert told.count("fallback-1") == shown
    assert (f"... {count - shown} further attempts" in told) is (count > shown)


def test_an_event_that_nobody_wanted_says_so() -> None:
    """It is a part of the call all the same."""
    assert "nobody wanted it" in text_of(replace(CALL, events=(replace(EVENT, deliveries=()),)), 80)


def test_a_story_that_goes_on_says_so() -> None:
    """With the option that shows more."""
    assert "--limit shows more" in text_of(replace(CALL, more=True), 80)


def test_nothing_reaches_the_terminal_that_moves_its_cursor() -> None:
    """Whatever a producer has put into an id."""
    assert "\x1b" not in text_of(replace(CALL, call_id="\x1b[2J"), 80)


def test_an_event_on_its_own_names_its_call() -> None:
    """There may be several with one id."""
    lines = [line.plain for line in events_told((EVENT, EVENT), 80, waits=Waits())]
    assert sum("call 4f1c-2205" in line for line in lines) == 2


def test_a_delivery_report_is_named_as_one() -> None:
    """Its kind is empty."""
    report = replace(EVENT, kind="", caller="", called="", direction="")
    assert "delivery report" in text_of(replace(CALL, events=(report,)), 80)
