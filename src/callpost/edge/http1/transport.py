"""The same exchange behind httpx's own seam, for whoever wants to speak httpx.

One connection per request, nothing is kept open; what fails is an `httpx.TransportError`.
"""

import ssl
from typing import Protocol

import httpx
import trio

from callpost.edge.http1.connection import Answer, Connection, Link
from callpost.model.outcome import LocalFault, Retry


class Dialer(Protocol):
    """What connects."""

    async def connect(
        self, host: str, port: int, *, tls: ssl.SSLContext | None, connect_timeout_s: float
    ) -> Link | Retry | LocalFault:
        """A link, or why there is none."""
        ...


class Http1Transport(httpx.AsyncBaseTransport):
    """Hands to an `httpx.AsyncClient` what `Connection` does; `timeout_s` is the whole one."""

    def __init__(
        self, *, dialer: Dialer, tls: ssl.SSLContext | None = None, timeout_s: float = 15.0
    ) -> None:
        self._dialer = dialer
        self._tls = tls
        self._timeout_s = timeout_s

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request; the body of the answer is cut at 16 KiB."""
        now = trio.current_time()
        deadline = now + self._timeout_s
        url = request.url
        port = url.port or (443 if url.scheme == "https" else 80)
        link = await self._dialer.connect(
            url.raw_host.decode(), port, tls=self._tls, connect_timeout_s=self._timeout_s
        )
        if isinstance(link, Retry | LocalFault):
            raise httpx.ConnectError(link.reason, request=request)
        connection = Connection(link, opened_at=now)
        try:
            line = b"%b %b HTTP/1.1\r\n" % (request.method.encode(), url.raw_path)
            headers = b"".join(b"%b: %b\r\n" % pair for pair in request.headers.raw)
            answer = await connection.exchange(
                b"%b%b\r\n%b" % (line, headers, await request.aread()),
                first_byte_by=deadline,
                deadline=deadline,
            )
        finally:
            connection.close()
        if not isinstance(answer, Answer):
            raise httpx.ReadError(answer.reason, request=request)
        return httpx.Response(answer.status, headers=list(answer.headers), content=answer.body)
