"""One dispatcher as busy as it can be: what a delivery costs it, and how many it makes.

The clock runs from the first event to the last outcome that is on disk; for a peer, which keeps
none, to the last request at the receiver. A warm-up goes before, and is not counted.
"""

from collections.abc import Callable
from typing import Final

from msgspec import Struct

from bench.daemons import Daemon
from bench.nginx import Nginx
from bench.peers import Peer
from bench.producers import feed

# Connections are open, caches warm, code paths specialised by the interpreter.
_WARM_UP_EVENTS: Final = 2_000
# Slower than anything that is worth a benchmark.
_DELIVERIES_PER_S_MIN: Final = 200
_START_S: Final = 30.0


class Cost(Struct, frozen=True):
    """CPU of the dispatcher's process for each delivery, and deliveries in a second."""

    cpu_us: float
    per_s: float


def bound_s(deliveries: int) -> float:
    """How long so many deliveries may take at the very most."""
    return _START_S + deliveries / _DELIVERIES_PER_S_MIN


def saturate(
    daemon: Daemon,
    events: int,
    *,
    fan_out: int = 1,
    spread: int = 0,
    warm_up: int = _WARM_UP_EVENTS,
    tag: str = "call",
    afterwards: Callable[[], None] = lambda: None,
) -> Cost:
    """Feed as fast as it is taken, each event for `fan_out` subscriptions.

    What happens in `afterwards`, when all is settled, counts for the CPU and not for the rate.
    """
    deliveries = events * fan_out
    if warm_up:
        feed(daemon.door, warm_up, tag=f"warm-{tag}", spread=spread)
        daemon.wait_until_settled(within_s=bound_s(warm_up * fan_out))
    before_s = daemon.cpu_s()
    fed = feed(daemon.door, events, tag=tag, spread=spread)
    settled_at = daemon.wait_until_settled(within_s=bound_s(deliveries))
    afterwards()
    return Cost(
        cpu_us=(daemon.cpu_s() - before_s) * 1e6 / deliveries,
        per_s=deliveries / (settled_at - fed.began_at),
    )


def saturate_peer(peer: Peer, events: int, nginx: Nginx) -> Cost:
    """The same for a peer, which gives no replies."""
    seen = nginx.requests()
    feed(peer.door, _WARM_UP_EVENTS, tag="warm", replies=False)
    seen += _WARM_UP_EVENTS
    nginx.wait_for(seen, sender=peer, within_s=bound_s(_WARM_UP_EVENTS))
    before_s = peer.cpu_s()
    fed = feed(peer.door, events, replies=False)
    arrived_at = nginx.wait_for(seen + events, sender=peer, within_s=bound_s(events))
    return Cost(
        cpu_us=(peer.cpu_s() - before_s) * 1e6 / events,
        per_s=events / (arrived_at - fed.began_at),
    )
