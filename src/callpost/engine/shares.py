"""How much of the spool each customer may take by events over the API: a quarter, within `retain`.

So no customer's token fills the disk and has the events of all others refused. What is counted
is forgotten with the process.
"""

from collections import deque
from collections.abc import Callable
from typing import Final

from callpost.engine.ports import Clock
from callpost.model.limits import SpoolLimits

_PARTS: Final = 4
# An event is forgotten this part of the time later than it could be.
_STEPS: Final = 24
# What an event takes beside its own bytes, and for each delivery: rows, and their indexes.
_EVENT_BYTES: Final = 512
_DELIVERY_BYTES: Final = 128


class Shares:
    """Counts what customers have taken of a spool with these limits."""

    def __init__(self, limits: Callable[[], SpoolLimits], clock: Clock) -> None:
        self._limits = limits
        self._clock = clock
        # For each customer (when a step began, bytes taken in it), the oldest first.
        self._taken: dict[str, deque[tuple[float, int]]] = {}

    def has_room(self, customer: str) -> bool:
        """Whether the customer may take more."""
        limits = self._limits()
        steps = self._taken.get(customer, deque())
        while steps and steps[0][0] < self._clock.steady() - limits.retain_s:
            steps.popleft()
        return sum(taken for _, taken in steps) < limits.max_bytes // _PARTS

    def take(self, customer: str, event_bytes: int, deliveries: int) -> None:
        """Count an event that was accepted."""
        step_s, now = self._limits().retain_s / _STEPS, self._clock.steady()
        steps = self._taken.setdefault(customer, deque())
        taken = event_bytes + _EVENT_BYTES + deliveries * _DELIVERY_BYTES
        if steps and now - steps[-1][0] < step_s:
            began, before = steps.pop()
            steps.append((began, before + taken))
        else:
            steps.append((now, taken))
