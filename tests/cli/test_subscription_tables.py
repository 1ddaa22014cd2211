"""Subscriptions as a table, and one in detail."""

import pytest
from msgspec.structs import replace

from callpost.cli.couriers import detail, is_failing, overview, state_of
from callpost.model.condition import EndpointCondition
from conditions import NOW, SUBSCRIPTIONS, a_subscription, an_endpoint

AT_60 = """\
NAME   STATE   PENDING         LAG  LAST FAILURE
popup  down      1,200  1 h 28 min  503 Service Unavailable
crm    ok            0
ops    paused        0
"""
AT_80 = """\
NAME   STATE   PENDING         LAG  DELIVERED  DEAD  LAST FAILURE
popup  down      1,200  1 h 28 min        118    12  503 Service Unavailable
crm    ok            0                    118     0
ops    paused        0                    118     0
"""
AT_120 = """\
NAME   STATE   PENDING         LAG  IN FLIGHT  DELIVERED  DEAD  FROM  ENDPOINT         LAST FAILURE
popup  down      1,200  1 h 28 min          0        118    12  file  crm.example.com  503 Service Unavailable
crm    ok            0                      0        118     0  file  crm.example.com
ops    paused        0                      0        118     0  file  crm.example.com
"""  # noqa: E501 - as wide as the terminal
OF_CUSTOMERS_AT_110 = """\
NAME   STATE   PENDING         LAG  DELIVERED  DEAD  CUSTOMER  ENDPOINT         LAST FAILURE
popup  down      1,200  1 h 28 min        118    12            crm.example.com  503 Service Unavailable
crm    ok            0                    118     0  acme      crm.example.com
ops    paused        0                    118     0            crm.example.com
"""  # noqa: E501 - as wide as the terminal
AUTO = (
    "paused        since 2026-11-20 17:00, after long failure; it resumes by itself when its"
    " endpoint answers"
)
DETAIL_AT_60 = """\
popup: down
behind        1,200 pending, the oldest 1 h 28 min old, 0 in
              flight
deliveries    120 attempts, 118 delivered, 0 dead since the
              start
dead letters  12 kept
delivered     last at 10:29
failed        last at 10:29: 503 Service Unavailable
primary       https://crm.example.com:443, POSTJSON, at
              least once, down since 09:02, 12 failures in a
              row, 503 Service Unavailable, next try in 1
              min
"""


@pytest.mark.parametrize(
    ("width", "text"), [(60, AT_60), (80, AT_80), (120, AT_120), (None, AT_120)]
)
def test_the_furthest_behind_comes_first(width: int | None, text: str) -> None:
    """In a narrow terminal the less important columns are left out."""
    lines = overview(SUBSCRIPTIONS, width)
    assert "".join(f"{line.plain}\n" for line in lines) == text


def test_whose_they_are_is_told_where_there_are_customers() -> None:
    """Before where they were made; one of everybody's is nobody's."""
    crm, popup, ops = SUBSCRIPTIONS
    lines = overview((replace(crm, customer="acme"), popup, replace(ops, customer="*")), 110)
    assert "".join(f"{line.plain}\n" for line in lines) == OF_CUSTOMERS_AT_110


def test_one_is_shown_with_each_endpoint() -> None:
    """How long it is down, why, and when it is tried again."""
    lines = detail(SUBSCRIPTIONS[1], NOW, 60)
    assert "".join(f"{line.plain}\n" for line in lines) == DETAIL_AT_60


def test_what_was_made_over_the_api_says_so() -> None:
    """And in which dialect."""
    made = replace(SUBSCRIPTIONS[1], origin="telecomx")
    told = [line.plain for line in detail(made, NOW, None)]
    assert "made over     the API (telecomx)" in told


def test_a_try_that_is_due_waits_for_a_delivery() -> None:
    """A probe is an ordinary delivery, and there may be none."""
    due = replace(an_endpoint("down"), next_try_at="2026-11-21T10:29:00.000Z")
    told = "".join(line.plain for line in detail(a_subscription("popup", due), NOW, None))
    assert told.endswith("next try with the next delivery")


def test_who_paused_it_is_told() -> None:
    """An operator, callpost, or its endpoints."""
    told = [
        detail(replace(SUBSCRIPTIONS[2], condition=condition), NOW, None)[1].plain
        for condition in ("paused", "paused_auto", "paused_gone")
    ]
    assert told == [
        "paused        since 2026-11-20 17:00, by an operator",
        AUTO,
        "paused        since 2026-11-20 17:00, because its endpoints say that they are gone",
    ]


@pytest.mark.parametrize(
    ("conditions", "word"),
    [
        (("ok",), "ok"),
        (("failing",), "failing"),
        (("down", "ok"), "fallback"),
        (("ok", "down"), "ok"),
        (("down", "gone"), "down"),
        (("held",), "held"),
        (("gone",), "gone"),
    ],
)
def test_a_subscription_is_as_well_as_its_best_endpoint(
    conditions: tuple[EndpointCondition, ...], word: str
) -> None:
    """While a fallback takes its events it is not down."""
    assert state_of(a_subscription("crm", *map(an_endpoint, conditions))).text == word


def test_a_courier_that_makes_no_progress_is_failing() -> None:
    """Although its endpoints are well."""
    stalled = replace(a_subscription("crm"), stalled="no attempt for 2 min")
    assert (is_failing(stalled), state_of(stalled).text) == (True, "stalled")


def test_a_subscription_with_a_failing_fallback_is_failing() -> None:
    """It is one fault away from standing still."""
    assert is_failing(a_subscription("crm", an_endpoint(), an_endpoint("down")))


def test_a_paused_one_that_was_well_is_not_failing() -> None:
    """It is as its operator wants it."""
    assert not is_failing(SUBSCRIPTIONS[2])
