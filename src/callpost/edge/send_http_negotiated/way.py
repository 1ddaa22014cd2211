"""The way to one endpoint: the proxy if there is one, the tunnel, TLS with the choice of protocol.

Whatever is dialled, the proxy too, goes through the dialler, which resolves and vets it. A proxy
resolves the endpoint's name for itself, so all its addresses are vetted before it is asked.
"""

import ssl
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

import trio

from callpost.edge.http1 import Link
from callpost.edge.send_http_negotiated.tls import SecureLink
from callpost.edge.send_http_negotiated.tunnel import NoTunnel, open_tunnel
from callpost.model.endpoint import HttpEndpoint, Proxy, Tls
from callpost.model.outcome import LocalFault, Phase, Retry

# RFC 7301: what we like most comes first.
_PROTOCOLS: Final = ["h2", "http/1.1"]


class Certificates(Protocol):
    """Remembers when the certificates end that peers showed."""

    def saw(self, host: str, port: int, der: bytes | None) -> None:
        """A peer has shown this certificate."""
        ...

    def dated(self, host: str, port: int, reason: str) -> str:
        """The reason of a failed handshake, with the end of a certificate that has expired."""
        ...


class Dialer(Protocol):
    """What connects."""

    async def connect(
        self,
        host: str,
        port: int,
        *,
        tls: ssl.SSLContext | None,
        connect_timeout_s: float,
        strict: bool,
    ) -> Link | Retry | LocalFault:
        """A link, or why there is none."""
        ...

    def tls_context(self, tls: Tls) -> ssl.SSLContext | Retry | LocalFault:
        """A context, or which file could not be read."""
        ...

    @property
    def certificates(self) -> Certificates:
        """When the certificates end that peers showed."""
        ...


class Vet(Protocol):
    """Says why nothing may be sent to a host and port; None where it may."""

    def __call__(
        self, host: str, port: int, *, strict: bool
    ) -> Awaitable[Retry | LocalFault | None]:
        """`strict` for what a stranger has made."""
        ...


# Contexts for HTTP/2 alone, because the choice of protocols is written into them.
Contexts = Callable[[Tls], ssl.SSLContext | Retry | LocalFault]


class Way:
    """Connects to one endpoint."""

    def __init__(
        self, endpoint: HttpEndpoint, *, dialer: Dialer, vet: Vet, contexts: Contexts, version: str
    ) -> None:
        self._endpoint = endpoint
        self._dialer = dialer
        self._vet = vet
        self._contexts = contexts
        self._version = version
        self._context: ssl.SSLContext | None = None
        self._proxy_context: ssl.SSLContext | None = None

    async def connect(self, timeout_s: float) -> Link | SecureLink | Retry | LocalFault:
        """A link on which the endpoint, or a proxy that forwards to it, waits for requests.

        The time-out covers everything. What failed before the endpoint had a part in it is told
        with `proxy:` in front.
        """
        fault = self._prepared()
        if fault is not None:
            return fault
        by = trio.current_time() + timeout_s
        proxy = self._endpoint.proxy
        if proxy is None:
            link = await self._dialled(self._endpoint.host, self._endpoint.port, None, by)
        else:
            link = await self._proxied(proxy, by)
        if isinstance(link, Retry | LocalFault) or self._context is None:
            return link
        return await self._furthered(link, self._context, by)

    def _prepared(self) -> Retry | LocalFault | None:
        """Have the contexts ready, or say which file could not be read."""
        endpoint = self._endpoint
        if endpoint.scheme == "https" and self._context is None:
            source = self._contexts if endpoint.http2 else self._dialer.tls_context
            context = source(endpoint.tls)
            if isinstance(context, Retry | LocalFault):
                return context
            if endpoint.http2:
                context.set_alpn_protocols(_PROTOCOLS)
            self._context = context
        if endpoint.proxy and endpoint.proxy.scheme == "https" and self._proxy_context is None:
            # The endpoint's own settings, its client certificate say, are not for the proxy.
            context = self._dialer.tls_context(Tls())
            if isinstance(context, Retry | LocalFault):
                return context
            self._proxy_context = context
        return None

    async def _proxied(self, proxy: Proxy, by: float) -> Link | Retry | LocalFault:
        refusal: Retry | LocalFault | None = Retry(
            reason="timeout_connect", phase="resolve", timed_out=True
        )
        with trio.move_on_at(by):
            endpoint = self._endpoint
            refusal = await self._vet(endpoint.host, endpoint.port, strict=endpoint.strict)
        if refusal is not None:
            return refusal
        link = await self._dialled(proxy.host, proxy.port, self._proxy_context, by)
        if isinstance(link, Retry):
            return Retry(reason=f"proxy:{link.reason}", phase=link.phase, timed_out=link.timed_out)
        return link

    async def _dialled(
        self, host: str, port: int, tls: ssl.SSLContext | None, by: float
    ) -> Link | Retry | LocalFault:
        left_s = by - trio.current_time()
        return await self._dialer.connect(
            host, port, tls=tls, connect_timeout_s=left_s, strict=self._endpoint.strict
        )

    async def _furthered(
        self, link: Link, context: ssl.SSLContext, by: float
    ) -> SecureLink | Retry:
        """Through the tunnel, where there is a proxy, and TLS with the endpoint."""
        phase: Phase = "connect"
        secure: SecureLink | None = None
        try:
            with trio.move_on_at(by):
                if self._endpoint.proxy is not None:
                    await self._tunnel(link, self._endpoint.proxy)
                phase = "tls"
                secure = await SecureLink.over(link, context=context, host=self._endpoint.host)
        except NoTunnel as why:
            return Retry(reason=f"proxy:{why}", phase=phase)
        except OSError as error:
            reason = link.reason_of(error)
            if phase == "connect":
                return Retry(reason=f"proxy:{reason}", phase=phase)
            return Retry(reason=self._of_handshake(reason), phase=phase)
        finally:
            if secure is None:
                link.close()
        if secure is not None:
            endpoint = self._endpoint
            self._dialer.certificates.saw(endpoint.host, endpoint.port, secure.certificate)
        return secure or Retry(reason="timeout_connect", phase=phase, timed_out=True)

    def _of_handshake(self, reason: str) -> str:
        if not reason.startswith("tls:"):
            return f"tls:{reason}"
        endpoint = self._endpoint
        return self._dialer.certificates.dated(endpoint.host, endpoint.port, reason)

    async def _tunnel(self, link: Link, proxy: Proxy) -> None:
        host = self._endpoint.host
        authority = f"[{host}]" if ":" in host else host
        await open_tunnel(
            link, f"{authority}:{self._endpoint.port}", proxy.auth, version=self._version
        )
