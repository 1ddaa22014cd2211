"""One HTTP endpoint's door through httpx: an attempt is a request on a kept or fresh connection.

What a peer or a proxy does is an outcome, never an exception. Redirects are never followed, and
nothing of the environment (proxies, netrc) is looked at.
"""

from functools import partial

import httpx
import trio

from callpost.edge.http1 import (
    Answer,
    Attempt,
    Digest,
    RequestHead,
)
from callpost.edge.send_http_negotiated.forwarding import as_forwarded
from callpost.edge.send_http_negotiated.way import Contexts, Dialer, Vet, Way
from callpost.edge.send_httpx.carrier import Carrier
from callpost.edge.send_httpx.request import request_of
from callpost.model.delivery import Message, Report
from callpost.model.endpoint import HttpEndpoint
from callpost.model.limits import Egress
from callpost.model.outcome import LocalFault, Retry


class HttpxSender:
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
        self._url = httpx.URL(endpoint.origin)
        # Those that rest, the one used last at the end.
        self._idle: list[Carrier] = []
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

    async def _exchange(self, attempt: Attempt, request: bytes) -> None:
        await attempt.exchanged(
            self._reusable(attempt.ended),
            connect=lambda: self._connected(attempt),
            exchange=partial(self._exchange_on, attempt=attempt, request=request),
        )

    async def _exchange_on(self, carrier: Carrier, attempt: Attempt, request: bytes) -> None:
        attempt.result = await carrier.exchange(
            request_of(request, self._url, is_http2=carrier.is_http2),
            first_byte_by=attempt.ended + self._endpoint.timeouts.first_byte_s,
            deadline=attempt.deadline,
        )
        attempt.ended = trio.current_time()
        if isinstance(attempt.result, Answer) and attempt.result.reusable:
            carrier.rest(attempt.ended)
            self._idle.append(carrier)

    async def _connected(self, attempt: Attempt) -> Carrier | None:
        """A fresh connection; None where there is none, and the attempt has its result."""
        began = trio.current_time()
        by = min(began + self._endpoint.timeouts.connect_s, attempt.deadline)
        link = await self._way.connect(by - began)
        attempt.ended = trio.current_time()
        if isinstance(link, Retry | LocalFault):
            attempt.result = link
            return None
        attempt.connect_ms = (attempt.ended - began) * 1000
        return Carrier(link, self._url, opened_at=attempt.ended)

    def _reusable(self, now: float) -> Carrier | None:
        """The idle connection used last, if it is young enough and its peer still there."""
        while self._idle:
            carrier = self._idle.pop()
            is_young = now < carrier.opened_at + self._egress.connection_max_age_s
            if carrier.wake(now) and is_young:
                return carrier
            carrier.close()
        return None
