"""What the operator's door needs of the house, as Protocols; the daemon hands it over."""

from collections.abc import AsyncIterator
from contextlib import AbstractContextManager
from typing import Literal, Protocol

from callpost.model.changes import Reloaded
from callpost.model.condition import HealthReport, Status, SubscriptionState
from callpost.model.delivery import Attempted
from callpost.model.purge import Criteria, Purged
from callpost.model.replay import Replayed, Selection
from callpost.model.story import CallStory, DeadPage, EventStory, PendingPage
from callpost.model.trial import Trial

LogLevel = Literal["debug", "info", "warning", "error"]


class Operating(Protocol):
    """Sees and changes what the daemon does; raises UnknownSubscription, BadCursor, CannotNow."""

    def health(self) -> HealthReport:
        """Say whether it lives, is ready, and what is wrong."""
        ...

    async def status(self) -> Status:
        """Tell the one screen."""
        ...

    async def subscriptions(self) -> tuple[SubscriptionState, ...]:
        """Tell of every subscription, in the order of the configuration."""
        ...

    async def subscription(self, name: str) -> SubscriptionState:
        """Tell of one."""
        ...

    def pause(self, name: str) -> None:
        """Keep its events and send nothing."""
        ...

    def resume(self, name: str) -> None:
        """Let it send again, whoever paused it."""
        ...

    async def test(self, name: str) -> Trial:
        """Send newCall and hangup of a made-up call to each of its doors."""
        ...

    async def replay(
        self, selection: Selection, *, limit: int, cursor: str, dry_run: bool
    ) -> Replayed:
        """Deliver again what is selected, at most `limit` of it (0: all), on from `cursor`."""
        ...


class Records(Protocol):
    """Reads what the spool holds, in threads; raises BadCursor, SpoolUnreadable."""

    async def pending(self, *, subscription: str, limit: int, cursor: str) -> PendingPage:
        """Read a page of what is pending, the oldest first; "" as name means all."""
        ...

    async def dead(self, selection: Selection, *, limit: int, cursor: str) -> DeadPage:
        """Read a page of dead letters, the newest first."""
        ...

    async def call(self, call_id: str, *, customer: str, limit: int) -> CallStory | None:
        """Tell the story of a call; None where nothing of it is kept."""
        ...

    async def events(self, event_id: str, *, customer: str) -> tuple[EventStory, ...]:
        """Tell of the events with this id (one for each customer and source that has it)."""
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
