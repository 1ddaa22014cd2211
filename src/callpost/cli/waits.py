"""When a pending delivery goes on: at its own time, and never before its endpoints may be tried.

A moment that has passed is not shown: what is due already waits for a breaker, a pause, a rest
that was asked for, or its turn.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from callpost.model.condition import SubscriptionState
from callpost.model.story import PendingDelivery

_SHUT = frozenset({"down", "held", "gone"})


class Waits:
    """What the subscriptions wait for at `now`; where no daemon runs there are no `states`."""

    def __init__(self, states: Iterable[SubscriptionState], now: datetime | None = None) -> None:
        self._states = {one.name: one for one in states}
        self._now = now or datetime.now(UTC)

    def told(self, one: PendingDelivery, moment: Callable[[str | None], str]) -> str:
        """When it goes on, in a few words; `moment` writes times."""
        state = self._states.get(one.subscription)
        if state is not None and state.condition != "active":
            return "paused"
        due_at = one.due_at if one.due_at and self._is_ahead(one.due_at) else None
        if state is None or any(door.condition not in _SHUT for door in state.endpoints):
            return moment(due_at) or "in turn"
        is_down = any(door.condition == "down" for door in state.endpoints)
        ahead = [door.next_try_at for door in state.endpoints if door.next_try_at]
        tries = sorted(at for at in ahead if self._is_ahead(at))
        if not tries:
            return "after the probe" if is_down else moment(due_at) or "in turn"
        following = max(tries[0], due_at or "")
        return f"{'probe ' if is_down else ''}{moment(following)}"

    def _is_ahead(self, text: str) -> bool:
        return datetime.fromisoformat(text) > self._now
