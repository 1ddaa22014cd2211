"""One HTTP endpoint's door: an attempt is a request on a kept or fresh connection.

What a peer does is an outcome, never an exception. A redirect is never followed, and of a
redirect only its host is told.
"""

import ssl
from typing import Protocol

import trio

from callpost.edge.http1 import (
    Answer,
    Attempt,
    Connection,
    Digest,
    Link,
    RequestHead,
)
from callpost.model.delivery import Message, Report
from callpost.model.endpoint import HttpEndpoint, Tls
from callpost.model.limits import Egress
from callpost.model.outcome import LocalFault, Outcome, Retry, of_status


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


class HttpSender:
    """Sends to one HTTP endpoint; idle connections are kept, the one used last goes first."""

    def __init__(
        self, endpoint: HttpEndpoint, *, dialer: Dialer, egress: Egress, version: str
    ) -> None:
        self._endpoint = endpoint
        self._dialer = dialer
        self._egress = egress
        self._head = RequestHead(endpoint, version=version)
        self._idle: list[Connection] = []
        self._context: ssl.SSLContext | None = None
        self._plain: dict[int, Outcome] = {}
        self._digest = Digest.of(endpoint.auth)

    async def send(self, message: Message) -> Report:
        """Make one attempt, within the endpoint's time-outs."""
        attempt = Attempt(self._endpoint.timeouts.whole_s)
        if self._digest is None:
            await self._exchange(attempt, self._head.request(message))
        else:
            await self._digest.attempt(attempt, self._head, message, self._exchange)
        now = message.sent_at + attempt.total_s
        return attempt.report(self._outcome(attempt, now=now))

    def headers(self, message: Message) -> tuple[tuple[str, str], ...]:
        """See ports.Sender."""
        return self._head.shown(message)

    def close(self) -> None:
        """Drop the connections that are idle."""
        while self._idle:
            self._idle.pop().close()

    async def _exchange(self, attempt: Attempt, request: bytes) -> None:
        # Of the two exchanges of a Digest attempt the second begins where the first ended.
        connection = self._reusable(attempt.ended)
        attempt.reused = connection is not None
        while connection is not None or (connection := await self._connected(attempt)):
            attempt.result = await connection.exchange(
                request,
                first_byte_by=attempt.ended + self._endpoint.timeouts.first_byte_s,
                deadline=attempt.deadline,
            )
            attempt.ended = trio.current_time()
            if isinstance(attempt.result, Answer) and attempt.result.reusable:
                connection.rest(attempt.ended)
                self._idle.append(connection)
            if not (attempt.reused and attempt.died_unanswered):
                return
            # The peer closed it while our request was on its way: that is the connection's
            # end and says nothing of the endpoint, so it is not charged.
            attempt.reused = False
            connection = None

    async def _connected(self, attempt: Attempt) -> Connection | None:
        """A fresh connection; None where there is none, and the attempt has its result."""
        context = self._tls_context()
        if isinstance(context, Retry | LocalFault):
            attempt.result = context
            return None
        began = trio.current_time()
        link = await self._dialer.connect(
            self._endpoint.host,
            self._endpoint.port,
            tls=context,
            connect_timeout_s=min(self._endpoint.timeouts.connect_s, attempt.deadline - began),
            strict=self._endpoint.strict,
        )
        attempt.ended = trio.current_time()
        if isinstance(link, Retry | LocalFault):
            attempt.result = link
            return None
        attempt.connect_ms = (attempt.ended - began) * 1000
        return Connection(link, opened_at=attempt.ended)

    def _tls_context(self) -> ssl.SSLContext | Retry | LocalFault | None:
        if self._endpoint.scheme == "http":
            return None
        if self._context is None:
            context = self._dialer.tls_context(self._endpoint.tls)
            if isinstance(context, Retry | LocalFault):
                return context
            self._context = context
        return self._context

    def _reusable(self, now: float) -> Connection | None:
        """The idle connection used last, if it is young enough and its peer still there."""
        while self._idle:
            connection = self._idle.pop()
            is_young = now < connection.opened_at + self._egress.connection_max_age_s
            if connection.wake(now) and is_young:
                return connection
            connection.close()
        return None

    def _outcome(self, attempt: Attempt, *, now: float) -> Outcome:
        result = attempt.result
        if (
            isinstance(result, Answer)
            and not 300 <= result.status <= 399
            and not result.header(b"retry-after")
        ):
            return self._plain_outcome(result.status)
        return attempt.outcome(host=self._endpoint.host, now=now)

    def _plain_outcome(self, status: int) -> Outcome:
        # They are few and always the same: finding one costs 0.05 us, making it 0.2.
        outcome = self._plain.get(status)
        if outcome is None:
            outcome = self._plain[status] = of_status(status, f"http_{status}")
        return outcome
