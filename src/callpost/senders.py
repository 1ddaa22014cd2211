"""Which sender knows the way to an endpoint: the one table of the transports."""

from collections.abc import Callable
from typing import assert_never

from callpost import __version__
from callpost.edge.dial import Dialer, TenantsDialer
from callpost.edge.dial.tls import TlsContexts
from callpost.edge.send_http import HttpSender
from callpost.edge.send_tcp import TcpSender
from callpost.edge.send_udp import UdpSender
from callpost.engine.ports import Sender, SenderFactory
from callpost.model.endpoint import Endpoint, HttpEndpoint, TcpEndpoint, UdpEndpoint
from callpost.model.limits import Egress


def sender_factory(dialer: Dialer, egress: Egress) -> SenderFactory:
    """A new transport is one line here, one Struct in `endpoint` and one `edge/send_x`."""
    contexts = TlsContexts()

    def open_sender(endpoint: Endpoint, tenant: str) -> Sender:
        own = dialer.on_behalf_of(tenant)
        match endpoint:
            case HttpEndpoint(http_client="own", http2=False, proxy=None):
                return HttpSender(endpoint, dialer=own, egress=egress, version=__version__)
            case HttpEndpoint():
                return _other_http_sender(endpoint, own, contexts, egress)
            case TcpEndpoint():
                return TcpSender(endpoint, dialer=own, egress=egress)
            case UdpEndpoint():
                return UdpSender(endpoint, dialer=own, egress=egress)
            case _ as unreachable:
                assert_never(unreachable)

    return open_sender


def _other_http_sender(
    endpoint: HttpEndpoint, dialer: TenantsDialer, contexts: TlsContexts, egress: Egress
) -> Sender:
    return _other_way(endpoint)(
        endpoint,
        dialer=dialer,
        vet=dialer.refusal,
        contexts=contexts.context,
        egress=egress,
        version=__version__,
    )


def _other_way(endpoint: HttpEndpoint) -> Callable[..., Sender]:
    """What these stand on takes some 30 ms to import, and most installations never need it."""
    if endpoint.http_client == "httpx":
        from callpost.edge.send_httpx import HttpxSender  # noqa: PLC0415 - see above

        return HttpxSender
    from callpost.edge.send_http_negotiated import NegotiatingHttpSender  # noqa: PLC0415 - see above

    return NegotiatingHttpSender
