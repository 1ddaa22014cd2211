"""What is read when the page is asked for: the daemon as its operator is told of it."""

from collections.abc import Awaitable, Callable, Sequence

from msgspec import Struct

from callpost.model.condition import (
    ConfigFigures,
    HealthReport,
    SpoolFigures,
    SubscriptionState,
)


class Reading(Struct, frozen=True, kw_only=True):
    """`connections` are producers', `certificates` names (see condition.Certificate) and ends.

    Ends are in seconds since 1970.
    """

    health: HealthReport
    config: ConfigFigures
    spool: SpoolFigures
    connections: int
    subscriptions: Sequence[SubscriptionState]
    certificates: Sequence[tuple[str, float]] = ()


Read = Callable[[], Awaitable[Reading]]
