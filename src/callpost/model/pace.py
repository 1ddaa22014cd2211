"""The rate limit of one subscription: evenly spaced, without bursts."""


class Pace:
    """At most `rate_per_s` deliveries begin in a second; 0 is no limit."""

    def __init__(self, rate_per_s: float) -> None:
        self._step_s = 1 / rate_per_s if rate_per_s else 0.0
        self._next_at = 0.0

    def opens_at(self) -> float:
        """When the next delivery may begin."""
        return self._next_at

    def step(self, now: float) -> None:
        """One delivery begins. What was not used before is not saved up."""
        self._next_at = max(self._next_at, now) + self._step_s if self._step_s else 0.0
