"""What proves a password to a challenge of Digest (RFC 7616), by httpx's own flow driven by hand.

A challenge that cannot be read leaves the 401 as it is.
"""

from collections.abc import Generator
from typing import Final

import httpx

from callpost.edge.http1.connection import Answer

# What httpx's flow raises for challenges that it cannot read or does not know.
_UNREADABLE: Final = (
    httpx.HTTPError,
    AssertionError,
    LookupError,
    NotImplementedError,
    ValueError,
)

_Flow = Generator[httpx.Request, httpx.Response, None]
# httpx wants a URL; only the target of ours is ever looked at.
_URL: Final = "http://digest.invalid/"


class Prover:
    """Knows one password, and the last challenge that it was proved to."""

    def __init__(self, username: str, password: str) -> None:
        self._username = username
        self._password = password
        self._auth = httpx.DigestAuth(username, password)

    def proofs(self, method: str, target: bytes) -> Generator[str, Answer, None]:
        """Yield the Authorization of each request of one attempt, and take the answer to it."""
        request = httpx.Request(method, _URL)
        request.url = _ExactUrl(target)
        flow = self._auth.sync_auth_flow(request)
        next(flow)
        goes_on = True
        while goes_on:
            answer = yield request.headers.get("authorization", "")
            goes_on = self._goes_on(flow, _response(answer, request))

    def _goes_on(self, flow: _Flow, response: httpx.Response) -> bool:
        try:
            flow.send(response)
        except StopIteration:
            return False
        except _UNREADABLE:
            # httpx remembers a challenge before it has understood it, and would fail on it
            # at every request from now on.
            self._auth = httpx.DigestAuth(self._username, self._password)
            return False
        return True


class _ExactUrl(httpx.URL):
    """The target as it is sent, which httpx would normalise before hashing it."""

    def __init__(self, target: bytes) -> None:
        super().__init__(_URL)
        self._target = target

    @property
    def raw_path(self) -> bytes:
        """Path and query."""
        return self._target


def _response(answer: Answer, request: httpx.Request) -> httpx.Response:
    challenges = [pair for pair in answer.headers if pair[0] == b"www-authenticate"]
    return httpx.Response(answer.status, headers=challenges, request=request)
