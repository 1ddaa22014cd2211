"""What one subscription has done since the daemon's start; it outlives a change of its settings."""

from callpost.model.outcome import Outcome


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
