"""What is not wrong but worth a word before it runs: warnings about good subscriptions."""

from collections.abc import Iterator

from callpost.config.faults import Fault
from callpost.model.endpoint import Endpoint, HttpEndpoint, TcpEndpoint, UdpEndpoint
from callpost.model.limits import DATAGRAM_SAFE_BYTES
from callpost.model.subscription import Subscription


def cautions(file: str, subscription: Subscription) -> Iterator[Fault]:
    """The warnings about one subscription, each endpoint by its place."""
    others = (subscription.callback, subscription.report)
    for endpoint in (*subscription.endpoints, *(one for one in others if one is not None)):
        path = f"subscription.{subscription.name}"
        for code, sentence in _about(endpoint):
            yield Fault(file, path, code, f"{endpoint.place}: {sentence}")


def _about(endpoint: Endpoint) -> Iterator[tuple[str, str]]:
    match endpoint:
        case UdpEndpoint():
            yield "udp", f"what exceeds {DATAGRAM_SAFE_BYTES:,} bytes may be fragmented and lost"
        case HttpEndpoint(tls=tls) | TcpEndpoint(tls=tls):
            if tls is not None and not tls.verify:
                yield "tls", "tls.verify is off, so anybody on the way can read and answer"
    timeouts = endpoint.timeouts
    if timeouts.connect_s > timeouts.whole_s:
        yield "timeout", "connecting may take longer than the whole attempt, which ends first"
