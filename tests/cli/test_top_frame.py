"""The live view: its rates, its order, and that a frame fits."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from rich.cells import cell_len

from callpost.cli.top.frame import ORDERS, Order, Room, frame, page
from callpost.cli.top.rates import Look, Observer, Rates, sparkline
from callpost.model.condition import Status
from conditions import BAD_DAY, NOW, SUBSCRIPTIONS, WELL, a_subscription, an_endpoint

AT_60_BY_20 = """\
10:30:00  callpost 0.1.0 degraded: No endpoint can be
reached from this machine.
0.0/s accepted, 25.0/s attempts, 20.0/s delivered
1,204 pending, the oldest 1 h 28 min old, 37 in flight, 12
dead, 2 paused

NAME   STATE     RATE         LAG  PENDING  FAILED
crm    ok      25.0/s                    0       0
ops    paused   0.0/s                    0       0
popup  down     0.0/s  1 h 28 min    1,200      12
sorted by rate   q quits   s sorts otherwise
"""


def seen(status: Status = WELL, *, at_s: float = 0.0, attempts: int = 120) -> Look:
    """A look at which `crm` has made so many attempts."""
    crm, *others = SUBSCRIPTIONS
    return Look(
        at_s=at_s,
        status=status,
        subscriptions=(replace(crm, attempts=attempts), *others),
    )


def two_looks() -> tuple[Look, Rates]:
    """The second of two looks, 2 s apart, with 50 attempts between them."""
    observer = Observer()
    observer.rates(seen())
    later = replace(BAD_DAY, attempts=WELL.attempts + 50, delivered=WELL.delivered + 40)
    second = seen(later, at_s=2.0, attempts=170)
    return second, observer.rates(second)


def told(order: Order, room: Room, fault: str = "") -> list[str]:
    """A frame's lines."""
    look, rates = two_looks()
    lines = frame(look, rates, order=order, now=NOW, room=room, fault=fault)
    return [line.plain for line in lines]


def test_rates_are_by_the_second() -> None:
    """Between two looks, not since the start."""
    _, rates = two_looks()
    assert (rates.attempts, rates.delivered, rates.by_name["crm"]) == (25.0, 20.0, 25.0)


def test_a_daemon_that_started_again_has_no_negative_rate() -> None:
    """Its counts began at nothing."""
    observer = Observer()
    observer.rates(seen(at_s=0.0))
    rates = observer.rates(seen(replace(WELL, attempts=3), at_s=1.0, attempts=1))
    assert (rates.attempts, rates.by_name["crm"]) == (0.0, 0.0)


def test_a_frame_fits_sixty_by_twenty() -> None:
    """The totals, and the busiest first."""
    assert told("rate", Room(60, 20)) == AT_60_BY_20.splitlines()


@pytest.mark.parametrize(
    ("order", "first"),
    [("rate", "crm"), ("lag", "popup"), ("failures", "popup"), ("name", "crm")],
)
def test_the_order_is_the_operators(order: Order, first: str) -> None:
    """The first row is the one that has most of it."""
    rows = told(order, Room(100, 20))
    heading = next(place for place, line in enumerate(rows) if line.startswith("NAME"))
    assert rows[heading + 1].split()[0] == first


def test_a_daemon_that_does_not_answer_is_told_in_the_first_line() -> None:
    """The last figures stay beneath it."""
    assert told("rate", Room(100, 20), "callpost is not running.")[0] == (
        "10:30:00  callpost is not running."
    )


def test_the_highest_bar_is_full_and_a_small_one_is_seen() -> None:
    """Nothing is empty that is not nothing."""
    assert sparkline([0.0, 0.1, 50.0, 100.0], 10) == " ▁▄█"


def test_each_subscription_has_one_line_however_long_its_endpoint() -> None:
    """A row that folds takes the room of another one."""
    look, rates = two_looks()
    far = a_subscription("far", replace(an_endpoint(), endpoint=f"http://{'a' * 60}.example:80"))
    seen_too = replace(look, subscriptions=(*look.subscriptions, far))
    lines = frame(seen_too, rates, order="name", now=NOW, room=Room(80, 20))
    rows = [line.plain for line in lines if line.plain.startswith(("crm", "far", "ops", "popup"))]
    assert len(rows) == len(seen_too.subscriptions)
    assert rows[1].endswith("aaa…")


def test_the_subscriptions_that_are_not_shown_are_counted() -> None:
    """A screen that is full does not look like all there is."""
    assert told("rate", Room(80, 8))[-1].startswith("sorted by rate   1 more below")


def test_a_page_has_every_subscription_and_no_keys() -> None:
    """On paper there is no height, and nobody presses keys."""
    look, rates = two_looks()
    lines = [line.plain for line in page(look, rates, order="name", now=NOW, width=1000)]
    assert [line.split()[0] for line in lines[-3:]] == ["crm", "ops", "popup"]


@given(
    order=st.sampled_from(ORDERS),
    width=st.integers(2, 200),
    height=st.integers(2, 60),
    fault=st.text(),
)
def test_no_frame_is_larger_than_the_terminal(
    order: Order, width: int, height: int, fault: str
) -> None:
    """Whatever its size, nothing scrolls or wraps."""
    lines = told(order, Room(width, height), fault)
    controls = [char for line in lines for char in line if unicodedata.category(char) == "Cc"]
    widest = max(map(cell_len, lines))
    assert (controls, widest <= width, len(lines) <= height) == ([], True, True)
