"""What the operator's door needs of the house, as Protocols; the daemon hands it over."""

from collections.abc import AsyncIterator
from contextlib import AbstractContextManager
from typing import Literal, Protocol

from callpost.model.changes import Reloaded
from callpost.model.condition import HealthReport, Status, SubscriptionState, Unserved
from callpost.model.delivery import Attempted
from callpost.model.purge import Criteria, Purged

LogLevel = Literal["debug", "info", "warning", "error"]


class Operating(Protocol):
    """Sees how the daemon is; everything but health may raise CannotNow."""

    def health(self) -> HealthReport:
        """Say whether it lives, is ready, and what is wrong."""
        ...

    async def status(self) -> Status:
        """Tell the one screen."""
        ...

    async def subscriptions(self) -> tuple[SubscriptionState, ...]:
        """Tell of every subscription, in the order of the configuration."""
        ...


class Roster(Protocol):
    """Knows what is not in force, too."""

    def unserved(self) -> tuple[Unserved, ...]:
        """Tell of every subscription that gets nothing: it is disabled, or left out."""
        ...


class Purging(Protocol):
    """Removes personal data; raises CannotNow, SpoolUnreadable."""

    async def purge(self, criteria: Criteria, *, dry_run: bool) -> Purged:
        """Remove what meets all of the criteria, or say how much there is."""
        ...


class Settings(Protocol):
    """The configuration in force."""

    async def reload(self, *, dry_run: bool) -> Reloaded:
        """Read, check, compare, swap; returns once it is in force, or why it is not."""
        ...

    async def effective(self) -> dict[str, object]:
        """Show the configuration in force, its secrets masked, as JSON-able values."""
        ...

    @property
    def log_level(self) -> LogLevel:
        """From which level on lines are logged."""
        ...

    def set_log_level(self, level: LogLevel) -> None:
        """Log from this level on, until the next reload or start."""
        ...


class Metrics(Protocol):
    """The figures as Prometheus reads them."""

    async def page(self) -> tuple[bytes, str]:
        """Render all figures; returns them with their content type."""
        ...


class Live(Protocol):
    """The attempts as they happen."""

    def listen(self) -> AbstractContextManager[AsyncIterator[Attempted | int]]:
        """Hear of each attempt from now on; a number says how many were missed before it.

        It ends when the house stops. What the reader is too slow for is missed: it never waits.
        """
        ...
