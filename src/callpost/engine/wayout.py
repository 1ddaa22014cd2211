"""Whether this machine can reach out at all: faults of its own are charged to nobody."""

import structlog

from callpost.model.outcome import LocalFault, Outcome


class WayOut:
    """Shared by all subscriptions; says once that it is shut and once that it is open again."""

    def __init__(self, log: structlog.typing.FilteringBoundLogger) -> None:
        self._log = log
        self._shut_by = ""

    @property
    def is_down(self) -> bool:
        """The last attempt of anybody failed by a fault of this machine (`egress_down`)."""
        return bool(self._shut_by)

    def learn(self, outcome: Outcome) -> None:
        """Take note of how an attempt ended."""
        if isinstance(outcome, LocalFault):
            if not self._shut_by:
                self._log.error("egress.went_down", reason=outcome.reason)
            self._shut_by = outcome.reason
        elif self._shut_by:
            self._log.info("egress.came_back", reason=self._shut_by)
            self._shut_by = ""
