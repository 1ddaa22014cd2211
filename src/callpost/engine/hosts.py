"""Who fails, by endpoint: a provider that is down shows as one line, not as 37 subscriptions."""

from collections.abc import Iterable
from typing import Final

from callpost.model.condition import (
    EndpointCondition,
    EndpointState,
    HostTrouble,
    SubscriptionState,
)

# The worst last.
_BY_GRAVITY: Final[tuple[EndpointCondition, ...]] = ("ok", "failing", "held", "down", "gone")


def troubled(states: Iterable[SubscriptionState]) -> tuple[HostTrouble, ...]:
    """The endpoints that are not `ok`, the worst first, then those for which most waits.

    Of several subscriptions that fail at one, the worst condition counts, the earliest `since`
    with its reason, and what is pending for all of them.
    """
    found: dict[str, dict[str, tuple[SubscriptionState, EndpointState]]] = {}
    for state in states:
        for endpoint in state.endpoints:
            if endpoint.condition == "ok":
                continue
            at_host = found.setdefault(endpoint.endpoint, {})
            known = at_host.get(state.name)
            if known is None or _gravity(endpoint) > _gravity(known[1]):
                at_host[state.name] = (state, endpoint)
    told = (_told(origin, list(at_host.values())) for origin, at_host in found.items())
    return tuple(sorted(told, key=lambda one: (-_BY_GRAVITY.index(one.condition), -one.pending)))


def _told(origin: str, there: list[tuple[SubscriptionState, EndpointState]]) -> HostTrouble:
    worst = max((endpoint for _, endpoint in there), key=_gravity)
    alike = [one for _, one in there if one.condition == worst.condition]
    # RFC 3339 in UTC sorts as text; one that does not say since when has nothing to add.
    first = min(alike, key=lambda one: one.since or "~")
    return HostTrouble(
        endpoint=origin,
        condition=worst.condition,
        since=first.since,
        reason=first.reason,
        subscriptions=tuple(state.name for state, _ in there),
        pending=sum(state.pending for state, _ in there),
    )


def _gravity(endpoint: EndpointState) -> int:
    return _BY_GRAVITY.index(endpoint.condition)
