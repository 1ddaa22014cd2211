"""When a pending delivery goes on: at its own time, and never before its endpoints may be tried.

A moment that has passed is not told: what is due already waits for a breaker, a pause, a rest
that was asked for, or its turn.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final, assert_never

from msgspec import Struct

from callpost.model.condition import CONDITION_OF, EndpointState, SubscriptionState
from callpost.model.delivery import Pause
from callpost.model.report import reports_of

_SHUT: Final = frozenset({"down", "held", "gone"})
# Endpoints that are no way out for what waits for the others.
_REPORT: Final = "report"
_APART: Final = frozenset({_REPORT, "callback"})
_PAUSES: Final = {condition: pause for pause, condition in CONDITION_OF.items()}


class Paused(Struct, frozen=True):
    """Nothing goes until it is resumed; `by` says who has paused it."""

    by: Pause


class InTurn(Struct, frozen=True):
    """It goes as soon as those before it leave a place."""


class Attempt(Struct, frozen=True):
    """It goes at this moment."""

    at: str


class Probe(Struct, frozen=True):
    """It goes when the breaker lets one through; "": a probe is out, and its end decides."""

    at: str = ""


Wait = Paused | InTurn | Attempt | Probe


class Waits:
    """What the subscriptions wait for at `now`.

    A daemon that runs tells their `states`; a spool without one knows who has `paused` them.
    """

    def __init__(
        self,
        states: Iterable[SubscriptionState] = (),
        now: datetime | None = None,
        *,
        paused: Mapping[str, Pause] = MappingProxyType({}),
    ) -> None:
        self._paused = dict(paused)
        self._doors: dict[str, list[EndpointState]] = {}
        self._now = now or datetime.now(UTC)
        for state in states:
            doors = state.endpoints
            self._doors[state.name] = [one for one in doors if one.place not in _APART]
            self._doors[reports_of(state.name)] = [one for one in doors if one.place == _REPORT]
            self._paused[state.name] = _PAUSES[state.condition]

    def of(self, subscription: str, due_at: str | None) -> Wait:
        """What a delivery for it waits for that is due by itself then; None: at once."""
        if by := self._paused.get(subscription):
            return Paused(by)
        ahead = due_at if due_at and self._is_ahead(due_at) else None
        its_own = Attempt(ahead) if ahead else InTurn()
        doors = self._doors.get(subscription, [])
        if not doors or any(door.condition not in _SHUT for door in doors):
            return its_own
        is_down = any(door.condition == "down" for door in doors)
        tries = [door.next_try_at for door in doors if door.next_try_at]
        following = min(filter(self._is_ahead, tries), default=None)
        if following is None:
            return Probe() if is_down else its_own
        if ahead and ahead > following:
            return Attempt(ahead)
        return Probe(following) if is_down else Attempt(following)

    def _is_ahead(self, text: str) -> bool:
        return datetime.fromisoformat(text) > self._now


def in_a_column(wait: Wait, moment: Callable[[str | None], str]) -> str:
    """A few words; `moment` writes times."""
    match wait:
        case Paused():
            return "paused"
        case InTurn():
            return "in turn"
        case Attempt(at=at):
            return moment(at)
        case Probe(at=""):
            return "after the probe"
        case Probe(at=at):
            return f"probe {moment(at)}"
        case _:
            assert_never(wait)


def in_a_sentence(wait: Wait, moment: Callable[[str], str]) -> str:
    """The same where there is room to say why."""
    match wait:
        case Paused(by="auto"):
            return "paused after long failure"
        case Paused(by="gone"):
            return "paused because its endpoints are gone (410)"
        case Paused():
            return "paused by an operator"
        case InTurn():
            return "next in turn"
        case Attempt(at=at):
            return f"next attempt at {moment(at)}"
        case Probe(at=""):
            return "breaker open, next attempt after the probe"
        case Probe(at=at):
            return f"breaker open, next probe at {moment(at)}"
        case _:
            assert_never(wait)
