"""What is not wrong but worth a word before it runs: warnings about good subscriptions."""

from collections.abc import Iterator
from ipaddress import ip_address

from callpost.config.faults import Fault
from callpost.model.egress import Guard
from callpost.model.endpoint import Endpoint, HttpEndpoint, TcpEndpoint, UdpEndpoint
from callpost.model.limits import DATAGRAM_SAFE_BYTES
from callpost.model.subscription import Subscription


def cautions(file: str, subscription: Subscription, guard: Guard) -> Iterator[Fault]:
    """The warnings about one subscription, each endpoint by its place."""
    path = f"subscription.{subscription.name}"
    others = (subscription.callback, subscription.report)
    for endpoint in (*subscription.endpoints, *(one for one in others if one is not None)):
        for code, sentence in _about(endpoint, guard):
            yield Fault(file, path, code, f"{endpoint.place}: {sentence}")
    if subscription.stale == "skip" and subscription.after_gap == "skip_call":
        sentence = (
            "what stale skips is no gap, so the receiver may get the hangup of a call "
            "that it was never told of"
        )
        yield Fault(file, path, "stale", sentence)


def _about(endpoint: Endpoint, guard: Guard) -> Iterator[tuple[str, str]]:
    if _is_address(endpoint.host) and guard.refusal(endpoint.host) is not None:
        yield "egress", "the URL points to an address that [egress] denies"
    proxy = endpoint.proxy if isinstance(endpoint, HttpEndpoint) else None
    if proxy is not None and _is_address(proxy.host) and guard.refusal(proxy.host) is not None:
        yield "egress", "the proxy has an address that [egress] denies"
    match endpoint:
        case UdpEndpoint():
            yield "udp", f"what exceeds {DATAGRAM_SAFE_BYTES:,} bytes may be fragmented and lost"
        case HttpEndpoint(tls=tls) | TcpEndpoint(tls=tls):
            if tls is not None and not tls.verify:
                yield "tls", "tls.verify is off, so anybody on the way can read and answer"
    timeouts = endpoint.timeouts
    if timeouts.connect_s > timeouts.whole_s:
        yield "timeout", "connecting may take longer than the whole attempt, which ends first"


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
