"""What each subscription has done since the daemon's start, and what all of them have done.

It outlives a change of a subscription's settings, and in the sum its removal.
"""

from callpost.model.outcome import Outcome
from callpost.model.report import is_of_reports


class Figures:
    """Counts and moments, written where outcomes are learnt; times are on the steady clock."""

    __slots__ = (
        "attempts",
        "delivered",
        "died",
        "last_delivered_at",
        "last_failed_at",
        "last_failure",
    )

    def __init__(self) -> None:
        self.attempts = 0
        self.delivered = 0
        self.died = 0
        self.last_delivered_at: float | None = None
        self.last_failed_at: float | None = None
        self.last_failure = ""

    def fail(self, outcome: Outcome, now: float) -> None:
        """Take note of an attempt that did not deliver."""
        self.last_failed_at = now
        self.last_failure = outcome.reason

    def add(self, other: "Figures") -> None:
        """Count what the other has counted."""
        self.attempts += other.attempts
        self.delivered += other.delivered
        self.died += other.died


class Books:
    """The figures of all subscriptions, by the spool's numbers, and the sum of those removed."""

    def __init__(self) -> None:
        self._present: dict[int, Figures] = {}
        self._removed = Figures()

    def of(self, number: int, name: str) -> Figures:
        """Those of one queue, told also of the couriers before the present one."""
        if is_of_reports(name):
            # They are neither told nor in the sum.
            return Figures()
        return self._present.setdefault(number, Figures())

    def close(self, number: int) -> None:
        """It was removed, and has come to its end."""
        self._removed.add(self._present.pop(number, Figures()))

    def total(self) -> Figures:
        """The counts of all that there are and were."""
        total = Figures()
        for one in (self._removed, *self._present.values()):
            total.add(one)
        return total
