"""The dialler: resolves once per connect, asks the guard about every answer, connects.

What is dialled is an address that was vetted, never the name again, so that a name which
changes its mind (DNS rebinding) gains nothing.
"""

import socket
import ssl
from collections.abc import Callable
from ipaddress import ip_address
from typing import Final

import trio
from msgspec import Struct

from callpost.edge.dial.certificates import Certificates
from callpost.edge.dial.datagram import DatagramLink, datagram_link
from callpost.edge.dial.link import Link
from callpost.edge.dial.places import Places
from callpost.edge.dial.race import first_connected
from callpost.edge.dial.resolve import LookUp, Resolver, Verdict
from callpost.edge.dial.sockets import family_of
from callpost.edge.dial.tls import TlsContexts, shake_hands
from callpost.edge.dial.watch import Watch
from callpost.model.egress import Guard
from callpost.model.endpoint import Tls
from callpost.model.limits import Egress
from callpost.model.outcome import LocalFault, Phase, Retry

_DENIED: Final = Retry(reason="egress_denied", phase="connect")


class Dialer:
    """Connects to hosts, which are A-labels or numeric addresses without brackets.

    `look_up` stands in for the system's resolver. The `tenant` of a call is whose share of the
    threads that look up names and of the places at a host it takes; see `on_behalf_of`.
    """

    def __init__(self, egress: Egress, guard: Guard, *, look_up: LookUp | None = None) -> None:
        self._egress = egress
        self._guard = guard
        self._resolver = Resolver(look_up)
        self._contexts = TlsContexts()
        self._places = Places(per_host=egress.max_connections_per_host)
        self._watch = Watch()
        self.certificates = Certificates()

    def obey(self, egress: Egress, guard: Guard) -> None:
        """Reach out by these from now on; links that stand already stay as they are."""
        self._egress = egress
        self._guard = guard
        self._places = Places(per_host=egress.max_connections_per_host)

    def on_behalf_of(self, tenant: str) -> "TenantsDialer":
        """The same dialler, for the senders of one tenant."""
        return TenantsDialer(self, tenant)

    async def connect(
        self,
        host: str,
        port: int,
        *,
        tls: ssl.SSLContext | None,
        connect_timeout_s: float,
        strict: bool = False,
        began: Callable[[Phase], None] = lambda _: None,
        tenant: str = "",
    ) -> Link | Retry | LocalFault:
        """A link to `host`; the time-out covers name, place, connect and TLS handshake.

        `began` is told of each step. A place is waited for where `max_connections_per_host`
        links stand already; that none became free in time is nobody's fault. `strict` is as in
        the guard, here and below.
        """
        if self._guard.port_refusal(port, strict=strict) is not None:
            return _DENIED
        link = await self._linked(host, port, tls, _Terms(connect_timeout_s, strict, began, tenant))
        if isinstance(link, LocalFault) and link.reason.endswith("no_descriptors"):
            self._places.close_idle()
        return link

    async def _linked(
        self,
        host: str,
        port: int,
        tls: ssl.SSLContext | None,
        terms: "_Terms",
    ) -> Link | Retry | LocalFault:
        phase: Phase | None = "resolve"
        terms.began("resolve")
        with trio.move_on_after(max(0.0, terms.timeout_s)):
            addresses = await self._vetted(host, strict=terms.strict, tenant=terms.tenant)
            if not isinstance(addresses, list):
                return addresses
            phase = None
            with await self._places.take(host, port, terms.tenant) as place:
                phase = "connect"
                terms.began("connect")
                source = self._egress.source_address
                sock = await first_connected(addresses, port=port, source=source)
                if tls is not None and isinstance(sock, socket.socket):
                    phase = "tls"
                    terms.began("tls")
                    sock = await self._secured(sock, host, port, tls)
                if isinstance(sock, socket.socket):
                    return Link(
                        sock, place, watch=self._watch, keepalive_s=self._egress.keepalive_s
                    )
                return sock
        if phase is None:
            return LocalFault("max_connections_per_host", of_machine=False)
        return Retry(reason="timeout_connect", phase=phase, timed_out=True)

    async def _secured(
        self, sock: socket.socket, host: str, port: int, tls: ssl.SSLContext
    ) -> socket.socket | Retry:
        secured = await shake_hands(sock, host, tls)
        if isinstance(secured, Retry):
            return Retry(
                reason=self.certificates.dated(host, port, secured.reason), phase=secured.phase
            )
        self.certificates.saw(host, port, secured.getpeercert(binary_form=True))
        return secured

    async def tend(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """End the waits on links at their deadlines, and close those that rest too long.

        It runs for as long as links are used: setting a deadline before it runs is an error,
        and where it is cancelled the users of links must be cancelled too.
        """
        await self._watch.run(task_status=task_status)

    async def connect_datagram(
        self,
        host: str,
        port: int,
        *,
        connect_timeout_s: float,
        strict: bool = False,
        tenant: str = "",
    ) -> DatagramLink | Retry | LocalFault:
        """A way to send datagrams to the first vetted address of `host`."""
        if self._guard.port_refusal(port, strict=strict) is not None:
            return _DENIED
        with trio.move_on_after(max(0.0, connect_timeout_s)):
            addresses = await self._vetted(host, strict=strict, tenant=tenant)
            if not isinstance(addresses, list):
                return addresses
            return datagram_link(addresses[0], port, source=self._egress.source_address)
        return Retry(reason="timeout_connect", phase="resolve", timed_out=True)

    def tls_context(self, tls: Tls) -> ssl.SSLContext | Retry | LocalFault:
        """A context for `connect`; a file that cannot be read is an outcome."""
        return self._contexts.context(tls)

    async def refusal(
        self, host: str, port: int, *, strict: bool = False, tenant: str = ""
    ) -> Retry | LocalFault | None:
        """Why nobody who resolves `host` anew, a proxy, may be sent there; None where one may.

        A dialler picks one of the addresses that are allowed; a proxy picks for itself, so all
        of them must be. A name that cannot be resolved here cannot be vetted.
        """
        if self._guard.port_refusal(port, strict=strict) is not None:
            return _DENIED
        answers = await self._answers(host, tenant)
        if not isinstance(answers, tuple):
            return answers
        if any(self._guard.refusal(address, strict=strict) is not None for address in answers):
            return _DENIED
        return None

    async def _vetted(
        self, host: str, *, strict: bool, tenant: str
    ) -> list[str] | Retry | LocalFault:
        answers = await self._answers(host, tenant)
        if not isinstance(answers, tuple):
            return answers
        reachable = [address for address in answers if self._family_fits(address)]
        if not reachable:
            return Retry(reason="dns:no_address_of_this_family", phase="resolve")
        allowed = [
            address for address in reachable if self._guard.refusal(address, strict=strict) is None
        ]
        return allowed or _DENIED

    async def _answers(self, host: str, tenant: str) -> Verdict:
        return (host,) if _is_address(host) else await self._resolver.addresses(host, tenant)

    def _family_fits(self, address: str) -> bool:
        version = "6" if ":" in address else "4"
        source = self._egress.source_address
        return self._egress.ip in {"auto", version} and (
            not source or family_of(source) == family_of(address)
        )


class _Terms(Struct, frozen=True):
    """On what terms a link is asked for."""

    timeout_s: float
    strict: bool
    began: Callable[[Phase], None]
    tenant: str


class TenantsDialer:
    """The dialler as the senders of one tenant have it; see Dialer."""

    __slots__ = ("_dialer", "_tenant")

    def __init__(self, dialer: Dialer, tenant: str) -> None:
        self._dialer = dialer
        self._tenant = tenant

    @property
    def certificates(self) -> Certificates:
        """See Dialer."""
        return self._dialer.certificates

    def tls_context(self, tls: Tls) -> ssl.SSLContext | Retry | LocalFault:
        """See Dialer."""
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
        """See Dialer."""
        return await self._dialer.connect(
            host,
            port,
            tls=tls,
            connect_timeout_s=connect_timeout_s,
            strict=strict,
            tenant=self._tenant,
        )

    async def connect_datagram(
        self, host: str, port: int, *, connect_timeout_s: float, strict: bool
    ) -> DatagramLink | Retry | LocalFault:
        """See Dialer."""
        return await self._dialer.connect_datagram(
            host, port, connect_timeout_s=connect_timeout_s, strict=strict, tenant=self._tenant
        )

    async def refusal(self, host: str, port: int, *, strict: bool) -> Retry | LocalFault | None:
        """See Dialer."""
        return await self._dialer.refusal(host, port, strict=strict, tenant=self._tenant)


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
