"""Asks and orders: one method for each of HTTP's, JSON in and out, typed by the caller."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar
from urllib.parse import urlencode

import msgspec
import trio

from callpost.edge.call_control.attempts import CONNECT_S, open_stream
from callpost.edge.call_control.faults import (
    PROBLEM,
    ControlUnreachable,
    broken_off,
    refusal,
    stranger,
    unreachable,
)
from callpost.edge.call_control.first_answer import Slow, first_answer
from callpost.model.delivery import Attempted

if TYPE_CHECKING:
    import httpx

T = TypeVar("T")
Query = str | float | Sequence[str] | None

_ANSWER_S: Final = 30.0
# The daemon drops idle connections after 15 s; ours are gone before.
_KEPT_S: Final = 5.0


@asynccontextmanager
async def control(path: Path) -> AsyncIterator["Control"]:
    """Speak with the daemon whose control socket this is; connected at the first question."""
    # 30 ms, paid by the commands that speak to the daemon alone.
    import httpx  # noqa: PLC0415 - see above

    transport = httpx.AsyncHTTPTransport(
        uds=str(path), limits=httpx.Limits(max_connections=4, keepalive_expiry=_KEPT_S)
    )
    async with httpx.AsyncClient(
        transport=transport, base_url="http://callpost", trust_env=False
    ) as client:
        yield Control(path, client)


class Control:
    """Questions to the daemon; each raises ControlUnreachable or ControlRefused."""

    def __init__(self, path: Path, client: "httpx.AsyncClient") -> None:
        self._path = path
        self._client = client

    async def get(self, path: str, as_type: type[T], **query: Query) -> T:
        """Ask for something; a parameter that is None is left out."""
        answer = await self._ask("GET", path + _query(query), None, _ANSWER_S)
        return self._read(answer, as_type)

    async def post(
        self,
        path: str,
        as_type: type[T],
        body: Mapping[str, object] | None = None,
        *,
        timeout_s: float | None = _ANSWER_S,
        slow: Slow | None = None,
    ) -> T:
        """Have something done; None as time-out waits for as long as it takes."""
        return self._read(await self._ask("POST", path, body or {}, timeout_s, slow), as_type)

    async def put(
        self,
        path: str,
        as_type: type[T],
        body: Mapping[str, object] | None = None,
        *,
        timeout_s: float | None = _ANSWER_S,
    ) -> T:
        """Set something."""
        return self._read(await self._ask("PUT", path, body or {}, timeout_s), as_type)

    async def delete(self, path: str) -> None:
        """Take something away."""
        await self._ask("DELETE", path, None, _ANSWER_S)

    async def text(self, path: str) -> str:
        """Ask for a page of text."""
        return (await self._ask("GET", path, None, _ANSWER_S)).text

    @asynccontextmanager
    async def attempts(self, **query: Query) -> AsyncIterator[AsyncIterator[Attempted | int]]:
        """Hear of each attempt from now on; a number says how many were missed before it.

        It ends when the daemon stops.
        """
        stream, heard = await open_stream(self._path, "/v1/attempts" + _query(query))
        async with stream:
            yield heard

    async def _ask(
        self,
        method: str,
        path: str,
        body: Mapping[str, object] | None,
        timeout_s: float | None,
        slow: Slow | None = None,
    ) -> "httpx.Response":
        import httpx  # noqa: PLC0415 - loaded by then

        with self._clearly(timeout_s):
            answer = await self._client.request(
                method,
                path,
                content=None if body is None else msgspec.json.encode(body),
                headers=None if body is None else {"content-type": "application/json"},
                timeout=httpx.Timeout(timeout_s, connect=CONNECT_S),
                extensions={"trace": first_answer(self._path, timeout_s, slow)},
            )
        if answer.headers.get("content-type", "").startswith(PROBLEM):
            raise refusal(answer.status_code, answer.content)
        return answer

    def _read(self, answer: "httpx.Response", as_type: type[T]) -> T:
        try:
            return msgspec.json.decode(answer.content, type=as_type)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            raise stranger(self._path) from None

    @contextmanager
    def _clearly(self, timeout_s: float | None) -> Iterator[None]:
        """Turn the world's faults into sentences."""
        import httpx  # noqa: PLC0415 - loaded by then

        try:
            yield
        except (httpx.TimeoutException, trio.TooSlowError):
            raise ControlUnreachable(
                f"{self._path}: callpost did not answer within {timeout_s:g} seconds."
            ) from None
        except httpx.RemoteProtocolError as fault:
            if "disconnected" in str(fault):
                raise broken_off(self._path) from None
            raise stranger(self._path) from None
        except (httpx.ReadError, httpx.WriteError):
            raise broken_off(self._path) from None
        except httpx.ConnectError as fault:
            raise unreachable(self._path, fault) from None


def _query(query: Mapping[str, Query]) -> str:
    given = {name: value for name, value in query.items() if value not in (None, "")}
    return f"?{urlencode(given, doseq=True)}" if given else ""
