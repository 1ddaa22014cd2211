"""`callpost check --connect`: tries each endpoint as the daemon would, and sends nothing.

Name, address, connection, proxy and TLS go through the daemon's own dialler and its guard, so
that what works here works there; what the peer would answer is not asked.
"""

import ssl
from collections.abc import Callable, Iterator
from typing import Final, assert_never

import trio
from msgspec.structs import replace

from callpost import __version__
from callpost.config import Config
from callpost.edge.dial import Certificates, Dialer, Link
from callpost.edge.dial.datagram import DatagramLink
from callpost.edge.dial.fault import EXPIRED
from callpost.edge.dial.tls import TlsContexts
from callpost.edge.send_http_negotiated.tls import SecureLink
from callpost.edge.send_http_negotiated.way import Way
from callpost.model.connection import Connection
from callpost.model.egress import Guard
from callpost.model.endpoint import (
    Endpoint,
    HttpEndpoint,
    Proxy,
    TcpEndpoint,
    Tls,
    UdpEndpoint,
)
from callpost.model.instant import utc_text
from callpost.model.outcome import LocalFault, Phase, Retry
from callpost.model.reasons import sentence_of
from callpost.model.subscription import Subscription

# Endpoints that are tried at the same moment: quick for a thousand, and no flood.
_TRIED_AT_ONCE: Final = 32
_STEPS: Final[tuple[Phase, ...]] = ("resolve", "connect", "tls")


async def try_endpoints(
    config: Config, tried: Callable[[], None] = lambda: None
) -> list[Connection]:
    """Try the endpoints of all subscriptions that are enabled; `tried` is called after each.

    In the nurseries lives one task for each endpoint, and what the dialler needs.
    """
    egress = config.egress
    dialer = Dialer(egress, Guard(deny=egress.deny, allow=egress.allow))
    found: dict[int, Connection] = {}
    places = trio.CapacityLimiter(_TRIED_AT_ONCE)

    async def find(number: int, subscription: Subscription, endpoint: Endpoint) -> None:
        async with places:
            found[number] = await _Visit(subscription.name, endpoint, dialer).made()
        tried()

    async with trio.open_nursery() as tending:
        await tending.start(dialer.tend)
        async with trio.open_nursery() as visits:
            for number, (subscription, endpoint) in enumerate(endpoints_of(config)):
                visits.start_soon(find, number, subscription, endpoint)
        tending.cancel_scope.cancel()
    return [connection for _, connection in sorted(found.items())]


def endpoints_of(config: Config) -> Iterator[tuple[Subscription, Endpoint]]:
    """What would be tried, in the order of the files."""
    for one in config.subscriptions:
        if one.enabled:
            for endpoint in (*one.endpoints, one.callback, one.report):
                if endpoint is not None:
                    yield one, endpoint


class _Visit:
    """One endpoint; as a dialler it stands between the way and the daemon's own, and listens."""

    def __init__(self, subscription: str, endpoint: Endpoint, dialer: Dialer) -> None:
        self._subscription = subscription
        self._endpoint = endpoint
        self._dialer = dialer
        self._began_at: dict[Phase, float] = {}
        self._ended_at = 0.0
        self._address = ""
        self._version = ""
        self._shakes_hands_later = False

    async def made(self) -> Connection:
        """Connect, hang up, and say how it went."""
        link = await self._linked(self._endpoint)
        self._ended_at = trio.current_time()
        if isinstance(link, Retry | LocalFault):
            return self._failed(await self._dated(link))
        if isinstance(link, SecureLink):
            self._version = link.version
        else:
            self._address = link.peer_address
        link.close()
        return self._connection(ok=True)

    @property
    def certificates(self) -> Certificates:
        """See the way's Dialer."""
        return self._dialer.certificates

    def tls_context(self, tls: Tls) -> ssl.SSLContext | Retry | LocalFault:
        """See the way's Dialer."""
        return self._dialer.tls_context(tls)

    async def connect(
        self,
        host: str,
        port: int,
        *,
        tls: ssl.SSLContext | None,
        connect_timeout_s: float,
        strict: bool,
    ) -> Link | Retry | LocalFault:
        """See the way's Dialer."""
        link = await self._dialer.connect(
            host,
            port,
            tls=tls,
            connect_timeout_s=connect_timeout_s,
            strict=strict,
            began=self._begin,
        )
        if isinstance(link, Link):
            self._address = link.peer_address
            self._version = link.tls_version
            if self._shakes_hands_later:
                self._begin("tls")
        return link

    async def _linked(
        self, endpoint: Endpoint
    ) -> Link | DatagramLink | SecureLink | Retry | LocalFault:
        timeout_s = _timeout_s(endpoint)
        match endpoint:
            case HttpEndpoint(http2=False, proxy=None):
                tls = endpoint.tls if endpoint.scheme == "https" else None
                return await self._dialled(tls, timeout_s)
            case HttpEndpoint():
                return await self._on_its_way(endpoint, timeout_s)
            case TcpEndpoint():
                return await self._dialled(endpoint.tls, timeout_s)
            case UdpEndpoint():
                self._begin("resolve")
                return await self._dialer.connect_datagram(
                    endpoint.host,
                    endpoint.port,
                    connect_timeout_s=timeout_s,
                    strict=endpoint.strict,
                )
            case _ as unreachable:
                assert_never(unreachable)

    async def _dialled(self, tls: Tls | None, timeout_s: float) -> Link | Retry | LocalFault:
        context = None if tls is None else self._dialer.tls_context(tls)
        if isinstance(context, Retry | LocalFault):
            return context
        endpoint = self._endpoint
        return await self.connect(
            endpoint.host,
            endpoint.port,
            tls=context,
            connect_timeout_s=timeout_s,
            strict=endpoint.strict,
        )

    async def _on_its_way(
        self, endpoint: HttpEndpoint, timeout_s: float
    ) -> Link | SecureLink | Retry | LocalFault:
        """Through the proxy, where there is one; TLS of its own for HTTP/2."""
        self._shakes_hands_later = endpoint.scheme == "https"
        way = Way(
            endpoint,
            dialer=self,
            vet=self._dialer.refusal,
            contexts=TlsContexts().context,
            version=__version__,
        )
        link = await way.connect(timeout_s)
        # Without TLS the way ends in the very link that was dialled.
        if isinstance(link, Link | SecureLink | Retry | LocalFault):
            return link
        raise AssertionError("the way leads over no link of the dialler's")

    async def _dated(self, failure: Retry | LocalFault) -> Retry | LocalFault:
        """Where the certificate has expired, shake hands without a look at it to learn when."""
        endpoint = self._endpoint
        tls = None if isinstance(endpoint, UdpEndpoint) else endpoint.tls
        if failure.reason != EXPIRED or tls is None or _proxy_of(endpoint) is not None:
            return failure
        context = self._dialer.tls_context(replace(tls, verify=False))
        if isinstance(failure, LocalFault) or isinstance(context, Retry | LocalFault):
            return failure
        link = await self._dialer.connect(
            endpoint.host,
            endpoint.port,
            tls=context,
            connect_timeout_s=_timeout_s(endpoint),
            strict=endpoint.strict,
        )
        if isinstance(link, Link):
            link.close()
        reason = self.certificates.dated(endpoint.host, endpoint.port, failure.reason)
        return replace(failure, reason=reason)

    def _begin(self, step: Phase) -> None:
        self._began_at[step] = trio.current_time()

    def _failed(self, failure: Retry | LocalFault) -> Connection:
        sentence = sentence_of(failure, within_s=_timeout_s(self._endpoint))
        return replace(self._connection(ok=False), reason=failure.reason, fault=sentence)

    def _connection(self, *, ok: bool) -> Connection:
        endpoint = self._endpoint
        proxy = _proxy_of(endpoint)
        ends = self.certificates.ends_at(endpoint.host, endpoint.port) if self._version else None
        return Connection(
            subscription=self._subscription,
            place=endpoint.place,
            endpoint=endpoint.origin,
            via="" if proxy is None else proxy.origin,
            ok=ok,
            address=self._address,
            resolve_ms=self._took_ms("resolve"),
            connect_ms=self._took_ms("connect"),
            tls_ms=self._took_ms("tls"),
            tls_version=self._version,
            certificate_ends_at=None if ends is None else utc_text(ends),
        )

    def _took_ms(self, step: Phase) -> float | None:
        """From its begin to that of the next step, or to the end of all."""
        if step not in self._began_at:
            return None
        later = _STEPS[_STEPS.index(step) + 1 :]
        ended_at = next((self._began_at[one] for one in later if one in self._began_at), None)
        ended_at = self._ended_at if ended_at is None else ended_at
        return round((ended_at - self._began_at[step]) * 1000, 1)


def _proxy_of(endpoint: Endpoint) -> Proxy | None:
    return endpoint.proxy if isinstance(endpoint, HttpEndpoint) else None


def _timeout_s(endpoint: Endpoint) -> float:
    return min(endpoint.timeouts.connect_s, endpoint.timeouts.whole_s)
