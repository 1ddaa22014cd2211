"""Rates from successive counts: what happened between two looks, by the second.

A count that has fallen is that of a daemon that started again: no rate is told from it.
"""

from collections import deque
from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from callpost.model.condition import Status, SubscriptionState

# As wide as a sparkline ever is.
_LOOKS_MAX: Final = 60


class Look(Struct, frozen=True, kw_only=True):
    """What the daemon said at `at_s`, a steady time."""

    at_s: float
    status: Status
    subscriptions: tuple[SubscriptionState, ...]


class Rates(Struct, frozen=True, kw_only=True):
    """By the second; `history` has the attempts of the last looks, the newest at the end."""

    attempts: float
    delivered: float
    accepted: float
    history: tuple[float, ...]
    by_name: dict[str, float]


class Observer:
    """Remembers the look before, and the rates of those before it."""

    def __init__(self) -> None:
        self._last: Look | None = None
        self._history: deque[float] = deque(maxlen=_LOOKS_MAX)

    def rates(self, look: Look) -> Rates:
        """The rates between the look before and this one; 0.0 at the first."""
        last, self._last = self._last or look, look
        passed_s = look.at_s - last.at_s
        status, before = look.status, last.status
        attempts = _rate(before.attempts, status.attempts, passed_s)
        self._history.append(attempts)
        earlier = {one.name: one.attempts for one in last.subscriptions}
        return Rates(
            attempts=attempts,
            delivered=_rate(before.delivered, status.delivered, passed_s),
            accepted=_rate(before.intake.accepted, status.intake.accepted, passed_s),
            history=tuple(self._history),
            by_name={
                one.name: _rate(earlier.get(one.name, 0), one.attempts, passed_s)
                for one in look.subscriptions
            },
        )


def sparkline(values: Sequence[float], width: int) -> str:
    """The last `width` values as bars, the highest of them full."""
    bars = " ▁▂▃▄▅▆▇█"
    shown = values[-width:] if width > 0 else ()
    most = max(shown, default=0.0)
    if most <= 0:
        return bars[0] * len(shown)
    # What is not nothing is seen, however little it is.
    return "".join(bars[0 if one <= 0 else max(1, round(8 * one / most))] for one in shown)


def _rate(before: int, now: int, passed_s: float) -> float:
    return (now - before) / passed_s if passed_s > 0 and now >= before else 0.0
