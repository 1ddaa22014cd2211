"""Who fails, grouped by endpoint."""

from msgspec.structs import replace

from callpost.engine.hosts import troubled
from callpost.model.condition import HostTrouble
from conditions import a_subscription, an_endpoint

DOWN = an_endpoint("down", failures=9)
FAILING = replace(an_endpoint("failing", failures=2), since="2026-11-21T08:00:00.000Z")
ELSEWHERE = replace(an_endpoint("gone"), endpoint="https://b.example.com:443", reason="http:410")


def test_all_that_is_well_is_not_told() -> None:
    """Nothing to say."""
    assert troubled([a_subscription("crm"), a_subscription("two")]) == ()


def test_many_subscriptions_at_one_endpoint_are_one_line() -> None:
    """With all their names, and all that waits for them."""
    states = [replace(a_subscription(f"s{n}", DOWN), pending=10) for n in range(37)]
    assert troubled(states) == (
        HostTrouble(
            endpoint=DOWN.endpoint,
            condition="down",
            since=DOWN.since,
            reason=DOWN.reason,
            subscriptions=tuple(f"s{n}" for n in range(37)),
            pending=370,
        ),
    )


def test_the_worst_condition_of_an_endpoint_counts_with_its_own_beginning() -> None:
    """Not the earlier one of a lesser trouble."""
    (told,) = troubled([a_subscription("a", FAILING), a_subscription("b", DOWN)])
    assert (told.condition, told.since, told.subscriptions) == ("down", DOWN.since, ("a", "b"))


def test_of_equal_conditions_the_earliest_is_told() -> None:
    """With its reason."""
    early = replace(DOWN, since="2026-11-21T07:00:00.000Z", reason="connect:refused")
    (told,) = troubled([a_subscription("a", DOWN), a_subscription("b", early)])
    assert (told.since, told.reason) == (early.since, "connect:refused")


def test_the_worst_endpoint_stands_first_then_the_one_with_most_waiting() -> None:
    """What an operator looks at first."""
    third = replace(DOWN, endpoint="https://c.example.com:443")
    states = [
        replace(a_subscription("few", DOWN), pending=1),
        replace(a_subscription("many", third), pending=5),
        a_subscription("gone", ELSEWHERE),
    ]
    assert [one.subscriptions for one in troubled(states)] == [("gone",), ("many",), ("few",)]


def test_a_subscription_is_named_once_for_several_doors_at_one_endpoint() -> None:
    """A primary and its fallback on the same server."""
    state = replace(a_subscription("crm", FAILING, replace(DOWN, place="fallback-1")), pending=4)
    (told,) = troubled([state])
    assert (told.subscriptions, told.pending, told.condition) == (("crm",), 4, "down")
