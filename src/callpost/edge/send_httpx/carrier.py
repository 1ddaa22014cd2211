"""One connection with httpx on it, for one exchange at a time: a request goes out, an answer comes.

Nothing here raises for what a peer does. That an exchange has its connection to itself, over
HTTP/2 too, is what keeps a time-out of one from ending the others.
"""

from typing import Final

import httpcore
import httpx
import trio

from callpost.edge.http1 import Answer, ExchangeFailure, Link
from callpost.edge.send_http_negotiated.tls import SecureLink
from callpost.edge.send_httpx.answers import CheckedHttp2, Fields, is_exact, word_of
from callpost.edge.send_httpx.stream import Course, EndlessHead, Enough, LinkStream
from callpost.model.limits import ANSWER_MAX_BYTES

# The headers that somebody reads.
_KEPT: Final = frozenset({b"retry-after", b"location", b"www-authenticate", b"content-type"})
_VERSIONS: Final = frozenset({b"HTTP/1.0", b"HTTP/1.1", b"HTTP/2"})


class Carrier:
    """A connection to the endpoint at `url`; `opened_at` is trio's time."""

    def __init__(self, link: Link | SecureLink, url: httpx.URL, *, opened_at: float) -> None:
        self.opened_at = opened_at
        self.is_http2 = isinstance(link, SecureLink) and link.protocol == "h2"
        self._link = link
        self._stream = LinkStream(link, is_http2=self.is_http2)
        # httpcore wants to know whose the connection is; nothing is dialled by it.
        origin = httpcore.URL(
            scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=b"/"
        ).origin
        self._connection: CheckedHttp2 | httpcore.AsyncHTTP11Connection
        if self.is_http2:
            self._connection = CheckedHttp2(origin, self._stream, self._stream.answered)
        else:
            self._connection = httpcore.AsyncHTTP11Connection(origin=origin, stream=self._stream)
        self._transport = _SingleTransport(self._connection)

    async def exchange(
        self, request: httpx.Request, *, first_byte_by: float, deadline: float
    ) -> Answer | ExchangeFailure:
        """Like `http1.Connection.exchange`; what is not reusable is closed."""
        first_byte_by = min(first_byte_by, deadline)
        exchange = _Exchange()
        try:
            with trio.CancelScope(deadline=first_byte_by) as scope:
                self._stream.course = course = Course(scope, deadline=deadline)
                await exchange.run(self._transport, request, course)
            result = exchange.result(course, timed_out=scope.cancelled_caught)
            result = _reason_of_time_out(result, short=first_byte_by < deadline)
        except BaseException:
            self.close()
            raise
        if isinstance(result, Answer) and self._is_reusable(exchange, course):
            return result
        self.close()
        if isinstance(result, Answer):
            return Answer(result.status, result.headers, result.body, reusable=False)
        return result

    def rest(self, now: float) -> None:
        """No exchange for now; the connection may be closed behind our back."""
        self._link.rest(now)

    def wake(self, now: float) -> bool:
        """Whether another exchange may use it after `rest`.

        What came over HTTP/2 meanwhile is read with the next answer: it may be no more than a
        ping.
        """
        return self._link.wake(now) and (self.is_http2 or self._link.peer_is_idle())

    def close(self) -> None:
        """Close it without waiting."""
        self._link.close()

    def _is_reusable(self, exchange: "_Exchange", course: Course) -> bool:
        # Where the peer has closed httpcore may take the connection for idle.
        if course.reason or not exchange.is_whole or not self._connection.is_idle():
            return False
        match self._connection:
            case CheckedHttp2() as connection:
                return connection.is_available() and not connection.is_leaving
            case _:
                return course.is_kept and is_exact(
                    course.kept,
                    body_bytes=len(exchange.body),
                    is_chunked=b"transfer-encoding" in exchange.headers,
                )


class _SingleTransport(httpx.AsyncHTTPTransport):
    """httpx's own transport, on a connection that stands already instead of on a pool.

    A pool would dial for itself, and is the most of what httpx costs.
    """

    def __init__(self, connection: httpcore.AsyncConnectionInterface) -> None:
        self._pool = connection  # type: ignore[assignment] # all that is asked of a pool it has


class _Exchange:
    """What came of one request; once there is a status the answer stands."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[bytes, bytes] = {}
        self.body = b""
        self.is_whole = False
        self._kept: list[tuple[bytes, bytes]] = []
        self._version = b"HTTP/2"
        self._error: Exception | None = None

    async def run(
        self, transport: _SingleTransport, request: httpx.Request, course: Course
    ) -> None:
        """Send it and read what comes; raises for nothing but a cancellation."""
        try:
            response = await transport.handle_async_request(request)
            course.headed = True
            self._take_head(response)
            if not isinstance(response.stream, httpx.AsyncByteStream):
                return
            async for part in response.stream:
                self.body += part
                course.wants_no_more = len(self.body) > ANSWER_MAX_BYTES
            await response.stream.aclose()
            self.is_whole = True
        except Enough:
            return
        except Exception as error:  # noqa: BLE001 - what peers do to a library is not all in its own errors
            self._error = error

    def result(self, course: Course, *, timed_out: bool) -> Answer | ExchangeFailure:
        """The answer, or why there is none."""
        if not self.status and course.head:
            # A server may answer (413, say) before it has read everything, which httpcore takes
            # for a failure.
            self._take_fields(course.head)
        fault = self._fault()
        if self.status and not fault:
            body = self.body[:ANSWER_MAX_BYTES]
            return Answer(self.status, tuple(self._kept), body, reusable=True)
        if not self.status and timed_out:
            return ExchangeFailure(
                reason="timeout", phase=course.phase, timed_out=True, received=course.received
            )
        reason = fault or self._reason(course)
        is_said = reason.startswith("protocol:") or reason == "stream_reset"
        return ExchangeFailure(
            reason=reason, phase=course.phase, received=course.received or is_said
        )

    def _take_head(self, response: httpx.Response) -> None:
        version = response.extensions.get("http_version")
        self._version = version if isinstance(version, bytes) else b""
        status = b"%d" % response.status_code
        self._take_fields([(b":status", status), *response.headers.raw])

    def _take_fields(self, fields: Fields) -> None:
        pairs = [(name.lower(), value) for name, value in fields]
        self.headers = dict(pairs)
        self._kept = [pair for pair in pairs if pair[0] in _KEPT]
        self.status = int(self.headers[b":status"])

    def _fault(self) -> str:
        """What is wrong with a head that httpcore has let pass, "" for nothing."""
        if not self.status:
            return ""
        if self._version not in _VERSIONS:
            return "protocol:unknown version"
        if self.status < 200:
            return "protocol:unexpected status"
        if {b"transfer-encoding", b"content-length"} <= self.headers.keys():
            return "protocol:transfer-encoding can't be present with content-length"
        return ""

    def _reason(self, course: Course) -> str:
        match self._error:
            case EndlessHead() as endless:
                return f"protocol:{endless}"
            case httpcore.ConnectionNotAvailable() | None:
                return "closed"
            case error:
                return course.reason or word_of(error)


def _reason_of_time_out(
    result: Answer | ExchangeFailure, *, short: bool
) -> Answer | ExchangeFailure:
    """Which time-out it was; `short` says that the first byte's is before the whole's."""
    if isinstance(result, Answer) or not result.timed_out or not short or result.received:
        return result
    reason = "timeout_write" if result.phase == "write" else "timeout_first_byte"
    return ExchangeFailure(reason=reason, phase=result.phase, timed_out=True)
