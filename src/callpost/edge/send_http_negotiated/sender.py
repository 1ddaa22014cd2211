"""One HTTP endpoint's door where HTTP/2 is wanted or a proxy stands in the way.

What a peer or a proxy does is an outcome, never an exception. Over HTTP/2 the attempts share a
connection; over HTTP/1.1, which a peer may choose, each has one of its own.
"""

from functools import partial
from typing import Final

import trio

from callpost.edge.http1 import (
    Answer,
    Attempt,
    Connection,
    Digest,
    RequestHead,
)
from callpost.edge.send_http_negotiated.forwarding import as_forwarded
from callpost.edge.send_http_negotiated.http2 import Http2Connection
from callpost.edge.send_http_negotiated.tls import SecureLink
from callpost.edge.send_http_negotiated.way import Contexts, Dialer, Vet, Way
from callpost.model.delivery import Message, Report
from callpost.model.endpoint import HttpEndpoint
from callpost.model.limits import Egress
from callpost.model.outcome import LocalFault, Retry

_Carrier = Connection | Http2Connection


class NegotiatingHttpSender:
    """Sends to one HTTP endpoint; `vet` and `contexts` are as in `way`."""

    def __init__(
        self,
        endpoint: HttpEndpoint,
        *,
        dialer: Dialer,
        vet: Vet,
        contexts: Contexts,
        egress: Egress,
        version: str,
    ) -> None:
        self._endpoint = endpoint
        self._egress = egress
        self._way = Way(endpoint, dialer=dialer, vet=vet, contexts=contexts, version=version)
        self._head = RequestHead(as_forwarded(endpoint), version=version)
        # Those of HTTP/1.1 that rest, the one used last at the end.
        self._idle: list[Connection] = []
        # Those of HTTP/2, resting or not.
        self._shared: list[Http2Connection] = []
        # What can be shared is made by one and awaited by the others.
        self._is_shared = endpoint.http2
        self._connecting = trio.Lock()
        self._digest = Digest.of(endpoint.auth)

    async def send(self, message: Message) -> Report:
        """Make one attempt, within the endpoint's time-outs."""
        attempt = Attempt(self._endpoint.timeouts.whole_s)
        if self._digest is None:
            await self._exchange(attempt, self._head.request(message))
        else:
            await self._digest.attempt(attempt, self._head, message, self._exchange)
        now = message.sent_at + attempt.total_s
        return attempt.report(attempt.outcome(host=self._endpoint.host, now=now))

    def headers(self, message: Message) -> tuple[tuple[str, str], ...]:
        """See ports.Sender."""
        return self._head.shown(message)

    def close(self) -> None:
        """Drop the connections that are idle."""
        while self._idle:
            self._idle.pop().close()
        for connection in [one for one in self._shared if not one.is_busy]:
            self._drop(connection)

    async def _exchange(self, attempt: Attempt, request: bytes) -> None:
        await attempt.exchanged(
            self._reusable(attempt.ended),
            connect=lambda: self._connected(attempt),
            exchange=partial(self._exchange_on, attempt=attempt, request=request),
        )

    async def _exchange_on(self, carrier: _Carrier, attempt: Attempt, request: bytes) -> None:
        try:
            attempt.result = await carrier.exchange(
                request,
                first_byte_by=attempt.ended + self._endpoint.timeouts.first_byte_s,
                deadline=attempt.deadline,
            )
        except BaseException:
            if isinstance(carrier, Http2Connection) and not carrier.is_busy:
                self._drop(carrier)
            raise
        attempt.ended = trio.current_time()
        match carrier:
            case Connection():
                if isinstance(attempt.result, Answer) and attempt.result.reusable:
                    carrier.rest(attempt.ended)
                    self._idle.append(carrier)
            case Http2Connection(is_busy=False):
                if carrier.has_room and self._is_young(carrier, attempt.ended):
                    carrier.rest(attempt.ended)
                else:
                    self._drop(carrier)

    async def _connected(self, attempt: Attempt) -> _Carrier | None:
        """A connection to use; None where there is none, and the attempt has its result."""
        began = trio.current_time()
        by = min(began + self._endpoint.timeouts.connect_s, attempt.deadline)
        carrier = await (self._joined(attempt, by) if self._is_shared else self._fresh(by))
        attempt.ended = trio.current_time()
        if isinstance(carrier, Retry | LocalFault):
            attempt.result = carrier
            return None
        if not attempt.reused:
            attempt.connect_ms = (attempt.ended - began) * 1000
        return carrier

    async def _joined(self, attempt: Attempt, by: float) -> _Carrier | Retry | LocalFault:
        """What another attempt has made meanwhile, else one's own."""
        with trio.move_on_at(by) as waiting:
            await self._connecting.acquire()
        if waiting.cancelled_caught:
            return _TOO_LATE
        try:
            carrier = self._reusable(trio.current_time())
            attempt.reused = carrier is not None
            if carrier is None and self._is_shared:
                return await self._fresh(by)
        finally:
            self._connecting.release()
        # The other one has found that the peer speaks HTTP/1.1: everybody connects at once.
        return carrier or await self._fresh(by)

    async def _fresh(self, by: float) -> _Carrier | Retry | LocalFault:
        link = await self._way.connect(by - trio.current_time())
        if isinstance(link, Retry | LocalFault):
            return link
        now = trio.current_time()
        if not self._endpoint.http2:
            return Connection(link, opened_at=now)
        self._is_shared = isinstance(link, SecureLink) and link.protocol == "h2"
        if not self._is_shared:
            return Connection(link, opened_at=now)
        return await self._begun(Http2Connection(link, opened_at=now), by)

    async def _begun(self, connection: Http2Connection, by: float) -> _Carrier | Retry:
        """The connection once the peer has said how it wants to be used."""
        reason = "timeout_connect"
        try:
            with trio.move_on_at(by) as waiting:
                reason = await connection.begin()
        finally:
            if reason:
                connection.close()
        if reason:
            return Retry(reason=reason, phase="connect", timed_out=waiting.cancelled_caught)
        self._shared.append(connection)
        return connection

    def _reusable(self, now: float) -> _Carrier | None:
        """A shared connection with room, else the idle one used last; young, and still there."""
        for shared in list(self._shared):
            is_open = shared.is_busy or shared.wake(now)
            if is_open and shared.has_room and self._is_young(shared, now):
                return shared
            if not shared.is_busy:
                self._drop(shared)
        while self._idle:
            idle = self._idle.pop()
            if idle.wake(now) and self._is_young(idle, now):
                return idle
            idle.close()
        return None

    def _is_young(self, carrier: _Carrier, now: float) -> bool:
        return now < carrier.opened_at + self._egress.connection_max_age_s

    def _drop(self, connection: Http2Connection) -> None:
        connection.close()
        self._shared.remove(connection)


_TOO_LATE: Final = Retry(reason="timeout_connect", phase="connect", timed_out=True)
