"""How long a subscription is allowed to fail before callpost pauses it."""

from typing import Final

# Half a day and a hundred tries: a receiver that was forgotten, not one that is rebooted.
FAILURES_MIN: Final = 100
FAILING_MIN_S: Final = 12 * 3600.0
# A receiver that fails for a moment is not worth a write to the spool.
WORTH_KEEPING_S: Final = 60.0


class Endurance:
    """Counts a subscription's failures in a row; since when they last outlives a restart."""

    def __init__(self, failing_since: float | None) -> None:
        self._failures = 0
        self.failing_since = failing_since
        self._kept = failing_since is not None

    def fail(self, now: float) -> None:
        """One more failure in a row."""
        self._failures += 1
        if self.failing_since is None:
            self.failing_since = now

    def succeed(self) -> bool:
        """The row is over; says whether its beginning was kept and must be forgotten."""
        was_kept, self._kept = self._kept, False
        self._failures = 0
        self.failing_since = None
        return was_kept

    def is_worth_keeping(self, now: float) -> bool:
        """Say once that the row has lasted long enough to be written down."""
        if self._kept or self.failing_since is None or now - self.failing_since < WORTH_KEEPING_S:
            return False
        self._kept = True
        return True

    def is_exhausted(self, now: float) -> bool:
        """It has failed often enough for long enough."""
        return (
            self.failing_since is not None
            and self._failures >= FAILURES_MIN
            and now - self.failing_since >= FAILING_MIN_S
        )
