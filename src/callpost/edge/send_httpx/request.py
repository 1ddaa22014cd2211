"""A request as bytes, which all HTTP senders share, as httpx wants it: not one byte is changed."""

from collections.abc import AsyncIterator
from typing import Final

import httpx

# RFC 9113, section 8.2.2: these belong to HTTP/1.1; the host is what its authority is made of.
_OF_HTTP1: Final = frozenset({b"connection", b"transfer-encoding", b"keep-alive"})


def request_of(request: bytes, url: httpx.URL, *, is_http2: bool) -> httpx.Request:
    """The head and body of a request of HTTP/1.1 to the endpoint at `url`."""
    head, _, body = request.partition(b"\r\n\r\n")
    line, *lines = head.split(b"\r\n")
    method, target, _ = line.split(b" ")
    pairs = [(name, value) for name, _, value in (one.partition(b": ") for one in lines)]
    if is_http2:
        pairs = [pair for pair in pairs if pair[0].lower() not in _OF_HTTP1]
    # With a stream of ours httpx adds no headers of its own.
    made = httpx.Request(method.decode(), url, headers=pairs, stream=_Body(body))
    made.url = _ExactUrl(url, target)
    return made


class _Body(httpx.AsyncByteStream):
    """The whole body at once.

    httpx's own is a generator, which is left unfinished where the sending fails, and trio warns
    of those.
    """

    def __init__(self, body: bytes) -> None:
        self._body = body

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        body, self._body = self._body, b""
        if not body:
            raise StopAsyncIteration
        return body


class _ExactUrl(httpx.URL):
    """The target as it is sent, which httpx would normalise."""

    def __init__(self, url: httpx.URL, target: bytes) -> None:
        super().__init__(url)
        self._target = target

    @property
    def raw_path(self) -> bytes:
        """Path and query; through a proxy that forwards, the whole URL."""
        return self._target
