"""What is logged of all that is told; it may change while everybody holds a logger.

A line below the level costs a call and no more, so the loggers' own class is changed, not a
setting that each of them would ask for.
"""

import logging
from typing import Final

import structlog
from structlog.typing import FilteringBoundLogger

from callpost.edge.logs.attempts import Attempts, FailuresOnly, NoAttempts
from callpost.model.delivery import Attempted
from callpost.model.limits import Log, LogLevel

_LEVELS: Final = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}


def loggers(settings: Log) -> type[FilteringBoundLogger]:
    """A class of loggers of its own: what `Threshold` does to it concerns nobody else."""
    everything = structlog.make_filtering_bound_logger(logging.DEBUG)
    kind: type[FilteringBoundLogger] = type("Logger", (everything,), {})
    _set_level(kind, settings.level)
    return kind


class Threshold:
    """Of one log and its attempts; `kind` is the class of its loggers, made by `loggers`."""

    def __init__(self, kind: type[FilteringBoundLogger], attempts: Attempts, settings: Log) -> None:
        self.level: LogLevel = settings.level
        self._kind = kind
        self._attempts = attempts
        self._chosen = self._choose(settings)

    def obey(self, settings: Log) -> None:
        """Log by these settings from now on; the format stays."""
        self.level = settings.level
        self._chosen = self._choose(settings)
        _set_level(self._kind, settings.level)

    def attempted(self, attempt: Attempted) -> None:
        """Write the line of an attempt, if it is wanted."""
        self._chosen.attempted(attempt)

    def _choose(self, settings: Log) -> Attempts:
        if _LEVELS[settings.level] > logging.INFO:
            return NoAttempts()
        return FailuresOnly(self._attempts) if settings.attempts == "failures" else self._attempts


def _set_level(kind: type[FilteringBoundLogger], level: LogLevel) -> None:
    of_level = structlog.make_filtering_bound_logger(_LEVELS[level])
    for name, method in vars(of_level).items():
        if not name.startswith("__"):
            setattr(kind, name, method)
