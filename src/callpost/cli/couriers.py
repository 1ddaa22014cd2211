"""Subscriptions for people: a table of them, and one in detail.

Pure: the daemon's answers, the time and the room in, lines out.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final, assert_never

from rich.text import Text

from callpost.cli.figures import counted, host, moment, seconds_until, span
from callpost.cli.names import why_unserved
from callpost.cli.standing import STYLES
from callpost.cli.tables import Cell, Column, labelled, sentence, table
from callpost.model.condition import (
    EndpointCondition,
    EndpointState,
    SubscriptionCondition,
    SubscriptionState,
    Unserved,
)

_COLUMNS: Final = (
    Column(title="NAME", least=12, unbroken=True),
    Column(title="STATE"),
    Column(title="PENDING", right=True),
    Column(title="LAG", right=True, rank=1),
    Column(title="IN FLIGHT", right=True, rank=7),
    Column(title="DELIVERED", right=True, rank=4),
    Column(title="DEAD", right=True, rank=3),
    Column(title="CUSTOMER", least=8, unbroken=True, rank=5, spare=True),
    Column(title="FROM", rank=8),
    Column(title="ENDPOINT", least=24, rank=6),
    Column(title="LAST FAILURE", least=24, rank=2),
)
# From the best to the worst: a subscription is as well as its best endpoint, which takes what
# the others do not.
_BY_HOPE: Final[tuple[EndpointCondition, ...]] = ("ok", "failing", "held", "down", "gone")


def is_failing(one: SubscriptionState) -> bool:
    """Some endpoint of it is not well, or it makes no progress."""
    return bool(one.stalled) or any(door.condition != "ok" for door in one.endpoints)


def overview(
    states: Sequence[SubscriptionState], width: int | None, unserved: Sequence[Unserved] = ()
) -> list[Text]:
    """A row for each, the furthest behind first, and last those that get nothing."""
    ranked = sorted(states, key=lambda one: (-one.lag_s, -one.pending, one.name))
    idle = sorted(unserved, key=lambda one: one.name)
    rows = [*map(_row, ranked), *map(_row_unserved, idle)]
    return table(_COLUMNS, rows, width)


def state_of(one: SubscriptionState) -> Cell:
    """One word: paused, or how its endpoints are."""
    if one.condition != "active":
        return Cell("paused", "yellow")
    if one.stalled:
        return Cell("stalled", "bold red")
    conditions = [door.condition for door in one.endpoints]
    if not conditions:
        return Cell("ok", STYLES["ok"])
    best = min(conditions, key=_BY_HOPE.index)
    if best == "ok" and conditions[0] != "ok":
        return Cell("fallback", "yellow")
    return Cell(best, STYLES[best])


def primary(one: SubscriptionState) -> str:
    """Where it goes first."""
    return host(one.endpoints[0].endpoint) if one.endpoints else ""


def detail(one: SubscriptionState, now: datetime, width: int | None) -> list[Text]:
    """Everything about one subscription."""
    state = state_of(one)
    lines = sentence(Cell(f"{one.name}: {state.text}", f"bold {state.style}"), width)
    for label, cell in _particulars(one, now):
        lines += labelled(label, cell, width)
    for door in one.endpoints:
        lines += labelled(door.place, Cell(_door(door, now), STYLES[door.condition]), width)
    return lines


def detail_unserved(one: Unserved, width: int | None) -> list[Text]:
    """Everything about one that gets nothing."""
    state = _state_unserved(one)
    lines = sentence(Cell(f"{one.name}: {state.text}", f"bold {state.style}"), width)
    lines += labelled("gets", f"nothing: {why_unserved(one)}", width)
    for label, cell in _whose(one):
        lines += labelled(label, cell, width)
    return lines


def _row_unserved(one: Unserved) -> tuple[Cell | str, ...]:
    figures = ("",) * 5
    return (one.name, _state_unserved(one), *figures, _customer(one), one.origin, "", one.reason)


def _state_unserved(one: Unserved) -> Cell:
    match one.condition:
        case "disabled":
            return Cell("disabled", "yellow")
        case "left_out":
            return Cell("left out", "bold red")
        case _:
            assert_never(one.condition)


def _row(one: SubscriptionState) -> tuple[Cell | str, ...]:
    failing = [door for door in one.endpoints if door.condition != "ok"]
    return (
        one.name,
        state_of(one),
        f"{one.pending:,}",
        span(one.lag_s) if one.lag_s >= 1 else "",
        f"{one.in_flight:,}",
        f"{one.delivered:,}",
        f"{one.dead:,}",
        _customer(one),
        one.origin,
        primary(one),
        failing[0].reason or one.last_failure if failing else "",
    )


def _particulars(one: SubscriptionState, now: datetime) -> Iterator[tuple[str, Cell | str]]:
    if one.stalled:
        yield "stalled", Cell(one.stalled, "red")
    if one.condition != "active":
        since = f"since {moment(one.since, now)}, " if one.since else ""
        yield "paused", Cell(f"{since}{_why_paused(one.condition)}", "yellow")
    yield from _whose(one)
    oldest = f", the oldest {span(one.lag_s)} old" if one.lag_s >= 1 else ""
    yield "behind", f"{one.pending:,} pending{oldest}, {one.in_flight:,} in flight"
    attempts = counted(one.attempts, "attempt")
    ends = f"{one.delivered:,} delivered, {one.died:,} dead since the start"
    yield "deliveries", f"{attempts}, {ends}"
    yield "dead letters", f"{one.dead:,} kept"
    if one.last_delivered_at:
        yield "delivered", f"last at {moment(one.last_delivered_at, now)}"
    if one.last_failed_at:
        reason = f": {one.last_failure}" if one.last_failure else ""
        yield "failed", f"last at {moment(one.last_failed_at, now)}{reason}"


def _whose(one: SubscriptionState | Unserved) -> Iterator[tuple[str, str]]:
    if customer := _customer(one):
        yield "customer", customer
    if one.origin != "file":
        yield "made over", f"the API ({one.origin})"


def _customer(one: SubscriptionState | Unserved) -> str:
    """Whose it is, "" where it is nobody's or everybody's."""
    return "" if one.customer == "*" else one.customer


def _why_paused(condition: SubscriptionCondition) -> str:
    """Why nothing is sent, "" where it is."""
    match condition:
        case "active":
            return ""
        case "paused":
            return "by an operator"
        case "paused_auto":
            return "after long failure; it resumes by itself when its endpoint answers"
        case "paused_gone":
            return "because its endpoints say that they are gone"
        case _:
            assert_never(condition)


def _door(door: EndpointState, now: datetime) -> str:
    parts = [door.endpoint, door.method, door.guarantee.replace("_", " ")]
    since = f" since {moment(door.since, now)}" if door.since and door.condition != "ok" else ""
    parts.append(f"{door.condition}{since}")
    if door.failures:
        parts.append(f"{counted(door.failures, 'failure')} in a row")
    if door.reason and door.condition != "ok":
        parts.append(door.reason)
    if door.next_try_at:
        parts.append(_next_try(door.next_try_at, now))
    if door.in_flight:
        parts.append(f"{door.in_flight:,} in flight")
    return ", ".join(parts)


def _next_try(at: str, now: datetime) -> str:
    """Most are seconds away; one that is due goes with the next delivery that may go."""
    left_s = seconds_until(at, now)
    return f"next try in {span(left_s)}" if left_s >= 1 else "next try with the next delivery"
