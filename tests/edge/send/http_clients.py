"""Both of what speaks HTTP to an endpoint that wants neither HTTP/2 nor a proxy."""

from typing import Final

from callpost.edge.dial import Dialer
from callpost.edge.dial.tls import TlsContexts
from callpost.edge.send_http import HttpSender
from callpost.edge.send_httpx import HttpxSender
from callpost.model.endpoint import HttpClient, HttpEndpoint
from callpost.model.limits import Egress

CLIENTS: Final[tuple[HttpClient, ...]] = ("own", "httpx")


def http_sender(endpoint: HttpEndpoint, dialer: Dialer) -> HttpSender | HttpxSender:
    """What sends to the endpoint."""
    if endpoint.http_client == "own":
        return HttpSender(endpoint, dialer=dialer, egress=Egress(), version="1")
    return HttpxSender(
        endpoint,
        dialer=dialer,
        vet=dialer.refusal,
        contexts=TlsContexts().context,
        egress=Egress(),
        version="1",
    )
