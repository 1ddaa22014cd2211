"""The two clocks: one that only goes forward, also over restarts, and one that people read."""

import time


class SystemClock:
    """`steady` is wall time at the start plus monotonic time since, never below `newest_at`.

    So ages and pauses survive a step of the wall clock while running, and a restart on a
    machine whose clock was set back does not make the spool's stamps lie in the future.
    """

    def __init__(self, newest_at: float = 0.0) -> None:
        self._offset_s = max(time.time(), newest_at) - time.monotonic()

    def steady(self) -> float:
        """Seconds for accepted_at, due_at and expires_at."""
        return self._offset_s + time.monotonic()

    def wall(self) -> float:
        """Seconds since 1970, as the machine's clock has them now."""
        return time.time()
