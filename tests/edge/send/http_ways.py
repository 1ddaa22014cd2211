"""The ways on which HTTP reaches a receiver: plainly, over HTTP/2, through a proxy.

The receiver is known by a name that leads to loopback, and its certificate is for that name.
"""

import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import trio
import trustme
from msgspec import Struct
from msgspec.structs import replace

from callpost.edge.dial import Dialer
from callpost.edge.dial.tls import TlsContexts
from callpost.edge.send_http import HttpSender
from callpost.edge.send_http_negotiated import NegotiatingHttpSender
from callpost.edge.send_http_negotiated.way import Vet
from callpost.edge.send_httpx import HttpxSender
from callpost.model.egress import Guard
from callpost.model.endpoint import BasicAuth, HttpClient, HttpEndpoint, Proxy, Tls
from callpost.model.limits import Egress
from http_proxy import ForwardProxy
from http_receivers import Receiver

NAME: Final = "crm.example"
LOOPBACK: Final = "127.0.0.1"
Serve = Callable[..., Awaitable[int]]


class Way(Struct, frozen=True, kw_only=True):
    """How a receiver is reached; `peer_speaks` is what it offers in ALPN."""

    tls: bool = False
    http2: bool = False
    proxied: bool = False
    peer_speaks: tuple[str, ...] = ("h2", "http/1.1")
    client: HttpClient = "own"


_OWN_WAYS: Final = {
    "plain": Way(),
    "http2": Way(tls=True, http2=True),
    "http2 wanted": Way(tls=True, http2=True, peer_speaks=("http/1.1",)),
    "forwarded": Way(proxied=True),
    "tunnelled": Way(tls=True, proxied=True),
    "http2 tunnelled": Way(tls=True, http2=True, proxied=True),
}
# Each of them through httpx too, "secured" because its HTTP/1.1 over TLS is code of its own.
_HTTPX_WAYS: Final = {**_OWN_WAYS, "secured": Way(tls=True)}
WAYS: Final = _OWN_WAYS | {
    f"httpx {name}": replace(way, client="httpx") for name, way in _HTTPX_WAYS.items()
}


class Roads:
    """Opens senders to receivers and closes them at the end; diallers live in the nursery."""

    def __init__(
        self, nursery: trio.Nursery, serve: Serve, authority: trustme.CA, folder: Path
    ) -> None:
        self.proxy = ForwardProxy(credentials="callpost:pr0xy")
        self.serve = serve
        self._nursery = nursery
        self._authority = authority
        authority.cert_pem.write_to_path(str(folder / "ca.pem"))
        self.trusting = Tls(ca_file=str(folder / "ca.pem"))
        self._opened: list[HttpSender | NegotiatingHttpSender | HttpxSender] = []

    def server_context(self, *names: str, speaks: tuple[str, ...]) -> ssl.SSLContext:
        """A server's context with a certificate for `names`."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._authority.issue_cert(*names).configure_cert(context)
        context.set_alpn_protocols(list(speaks))
        return context

    async def to(
        self,
        receiver: Receiver,
        way: Way,
        **keys: Any,  # noqa: ANN401 - those of `to_port`
    ) -> HttpSender | NegotiatingHttpSender | HttpxSender:
        """A sender to a receiver that is started for it."""
        context = self.server_context(NAME, speaks=way.peer_speaks) if way.tls else None
        port = await self.serve(receiver.serve, tls=context)
        return await self.to_port(port, way, **keys)

    async def to_port(
        self,
        port: int,
        way: Way,
        *,
        egress: Egress | None = None,
        answers: tuple[str, ...] = (LOOPBACK,),
        vet: Vet | None = None,
        **keys: Any,  # noqa: ANN401 - any field of an endpoint
    ) -> HttpSender | NegotiatingHttpSender | HttpxSender:
        """A sender to whatever listens there; a name has these answers, unless `vet` is set."""
        if way.proxied and "proxy" not in keys:
            proxy_port = await self.serve(self.proxy.serve)
            credentials = BasicAuth("callpost", "pr0xy")
            keys["proxy"] = Proxy("http", LOOPBACK, proxy_port, credentials)
        endpoint = HttpEndpoint(
            **{
                "place": "primary",
                "scheme": "https" if way.tls else "http",
                "host": NAME,
                "port": port,
                "target": "/calls?key=abc",
                "method": "POSTJSON",
                "level": 2,
                "tls": self.trusting if way.tls else Tls(),
                "http2": way.http2,
                "http_client": way.client,
                **keys,
            }
        )
        return await self._open(endpoint, egress or Egress(), answers, vet)

    def close(self) -> None:
        """Close what was opened."""
        for sender in self._opened:
            sender.close()

    async def _open(
        self, endpoint: HttpEndpoint, egress: Egress, answers: tuple[str, ...], vet: Vet | None
    ) -> HttpSender | NegotiatingHttpSender | HttpxSender:
        guard = Guard(deny=egress.deny, allow=egress.allow)
        dialer = Dialer(egress, guard, look_up=_known(answers))
        await self._nursery.start(dialer.tend)
        sender: HttpSender | NegotiatingHttpSender | HttpxSender
        if endpoint.http2 or endpoint.proxy or endpoint.http_client == "httpx":
            is_own = endpoint.http_client == "own"
            sender = (NegotiatingHttpSender if is_own else HttpxSender)(
                endpoint,
                dialer=dialer,
                vet=vet or dialer.refusal,
                contexts=TlsContexts().context,
                egress=egress,
                version="1.2",
            )
        else:
            sender = HttpSender(endpoint, dialer=dialer, egress=egress, version="1.2")
        self._opened.append(sender)
        return sender


def _known(answers: tuple[str, ...]) -> Callable[[str], tuple[str, ...]]:
    """A resolver; `localhost` is what it always is."""
    return lambda name: (LOOPBACK,) if name == "localhost" else answers
