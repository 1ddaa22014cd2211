"""Digest authentication (RFC 7616), by httpx's own flow driven by hand.

A challenge that cannot be read leaves the 401 as it is. Only endpoints with Digest come here,
so httpx's objects cost the others nothing.
"""

from collections.abc import Awaitable, Callable, Generator
from typing import Final, Self

import httpx

from callpost.edge.http1.connection import Answer
from callpost.model.endpoint import Auth, DigestAuth

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


class Digest:
    """Answers the challenges of one endpoint; the last one is remembered."""

    def __init__(self, username: str, password: str) -> None:
        self._username = username
        self._password = password
        self._auth = httpx.DigestAuth(username, password)

    @classmethod
    def of(cls, auth: Auth | None) -> Self | None:
        """What answers the challenges of an endpoint; None where it does not use Digest."""
        match auth:
            case DigestAuth(username, password):
                return cls(username, password)
            case _:
                return None

    async def exchange(
        self, method: str, target: bytes, attempt: Callable[[str], Awaitable[Answer | None]]
    ) -> None:
        """Call `attempt` with the Authorization to send, once more where it is challenged.

        `attempt` returns the answer, or None where there was none.
        """
        request = httpx.Request(method, _URL)
        request.url = _ExactUrl(target)
        flow = self._auth.sync_auth_flow(request)
        next(flow)
        while True:
            answer = await attempt(request.headers.get("authorization", ""))
            if answer is None or not self._goes_on(flow, _response(answer, request)):
                return

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
