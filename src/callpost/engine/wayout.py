"""Whether this machine can reach out at all: faults of its own are charged to nobody.

One endpoint without a route is that endpoint's business; that nobody has got an answer, or at
least a refusal, for a while is the machine's.
"""

from typing import Final

import structlog

from callpost.model.outcome import LocalFault, Outcome

# How long there must be nothing but local faults before it is said.
_DOWN_AFTER_S: Final = 5.0


class WayOut:
    """Shared by all subscriptions; says once that it is shut and once that it is open again."""

    def __init__(self, log: structlog.typing.FilteringBoundLogger) -> None:
        self._log = log
        self._shut_by = ""
        self._failing_since: float | None = None

    @property
    def is_down(self) -> bool:
        """Attempts fail by faults of this machine only (`egress_down`)."""
        return bool(self._shut_by)

    @property
    def shut_by(self) -> str:
        """The fault that shuts it, "" where it is open."""
        return self._shut_by

    @property
    def failing_since(self) -> float | None:
        """Since when there has been nothing but faults of this machine; None where there is not."""
        return self._failing_since

    def learn(self, outcome: Outcome, now: float) -> None:
        """Take note of how an attempt ended."""
        if not isinstance(outcome, LocalFault):
            self._failing_since = None
            if self._shut_by:
                self._log.info("egress.came_back", reason=self._shut_by)
                self._shut_by = ""
        elif outcome.of_machine:
            if self._failing_since is None:
                self._failing_since = now
            if not self._shut_by and now - self._failing_since >= _DOWN_AFTER_S:
                self._shut_by = outcome.reason
                self._log.error("egress.went_down", reason=outcome.reason)
