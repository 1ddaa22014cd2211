"""When a connection may carry another request: never where an answer could be taken for another's.

Each peer says after the first answer what it should not; the second event must get an answer of
its own, "202", on a connection of its own.
"""

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import trio
import trustme
from msgspec.structs import replace

from callpost.edge.dial import Dialer
from callpost.edge.http1 import Answer, Connection
from callpost.edge.send_http import HttpSender
from callpost.model.delivery import Message
from callpost.model.endpoint import HttpEndpoint, Timeouts, Tls
from callpost.model.limits import Egress
from edge.send.scripted_link import ScriptedLink

Serve = Callable[..., Awaitable[int]]
Answering = Callable[[trio.abc.Stream], Awaitable[None]]

_OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
_OTHER = b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"
_SMUGGLED = b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"


@pytest.fixture(autouse=True)
async def bounded() -> AsyncIterator[None]:
    """Nothing here takes long."""
    with trio.fail_after(3):
        yield


class _Peer:
    """Answers its first request by `first` and any other with 202; counts connections."""

    def __init__(self, first: Answering) -> None:
        self.connections = 0
        self.settled = trio.Event()
        self._first = first

    async def __call__(self, stream: trio.abc.Stream) -> None:
        self.connections += 1
        if self.connections == 1:
            await stream.receive_some()
            try:
                await self._first(stream)
            finally:
                self.settled.set()
        while await stream.receive_some():
            await stream.send_all(_OTHER)


@pytest.fixture(params=["http", "https"])
async def deliver(
    request: pytest.FixtureRequest,
    serve: Serve,
    dialer: Dialer,
    message: Message,
    authority: trustme.CA,
    server_context: ssl.SSLContext,
    tmp_path: Path,
) -> Callable[[_Peer], Awaitable[list[tuple[int | None, bool]]]]:
    """Deliver two events, one after the other; each with its status and whether it was reused."""
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    secure = request.param == "https"

    async def both(peer: _Peer) -> list[tuple[int | None, bool]]:
        endpoint = HttpEndpoint(
            place="primary",
            scheme=request.param,
            host="localhost",
            port=await serve(peer, tls=server_context if secure else None),
            target="/",
            method="POSTJSON",
            level=2,
            timeouts=Timeouts(connect_s=1, first_byte_s=1, whole_s=2),
            tls=Tls(ca_file=str(tmp_path / "ca.pem")),
        )
        sender = HttpSender(endpoint, dialer=dialer, egress=Egress(), version="1")
        first = await sender.send(message)
        await peer.settled.wait()
        await trio.sleep(0.01)  # what the peer has just said is on its way through the kernel
        second = await sender.send(replace(message, id="evt_2"))
        sender.close()
        return [(report.outcome.http_status, report.reused) for report in (first, second)]

    return both


def _saying(*pieces: bytes) -> Answering:
    async def say(stream: trio.abc.Stream) -> None:
        for piece in pieces:
            await stream.send_all(piece)
            await trio.sleep(0.02)

    return say


@pytest.mark.parametrize(
    "first",
    [
        _saying(_OK + _SMUGGLED),
        _saying(_OK, _SMUGGLED),
        _saying(_OK, b"\r\n"),
        _saying(_OK + b"x"),
        _saying(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nok"),
        _saying(b"HTTP/1.1 204 No\r\nContent-Length: 2\r\n\r\nok"),
        _saying(b"HTTP/1.1 304 No\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"),
        _saying(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + _SMUGGLED),
        _saying(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n" + _SMUGGLED),
        _saying(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"),
        _saying(b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok"),
        _saying(
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", b"HTTP/1.1 100 Continue\r\n\r\n"
        ),
    ],
    ids=[
        "a second answer at once",
        "a second answer later",
        "an empty line later",
        "a byte too many",
        "a body longer than it said",
        "a 204 with a body",
        "a 304 with a body",
        "a second answer behind chunks",
        "broken chunks",
        "close",
        "HTTP/1.0",
        "an interim answer too late",
    ],
)
async def test_what_comes_after_an_answer_is_never_the_next_one(
    deliver: Callable[[_Peer], Awaitable[list[tuple[int | None, bool]]]], first: Answering
) -> None:
    """The connection is retired."""
    peer = _Peer(first)
    statuses = [status for status, _ in await deliver(peer)]
    assert (statuses[1], peer.connections) == (202, 2)


@pytest.mark.parametrize(
    "first",
    [
        _saying(_OK),
        _saying(b"HTTP/1.1 200 OK\r\nContent-Len", b"gth: 2\r\n\r\no", b"k"),
        _saying(b"HTTP/1.1 100 Continue\r\n\r\n" + _OK),
        _saying(b"HTTP/1.1 103 Early Hints\r\n\r\n", _OK),
        _saying(b"HTTP/1.1 204 No\r\n\r\n"),
        _saying(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nA: b\r\n\r\n"
        ),
        _saying(b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n"),
    ],
    ids=["whole", "in pieces", "100", "103", "204", "chunks and trailers", "HTTP/1.0 keep-alive"],
)
async def test_a_whole_answer_keeps_the_connection(
    deliver: Callable[[_Peer], Awaitable[list[tuple[int | None, bool]]]], first: Answering
) -> None:
    """Where its end is known and nothing follows."""
    peer = _Peer(first)
    reports = await deliver(peer)
    assert (reports[1], peer.connections) == ((202, True), 1)


async def test_a_peer_that_closes_while_the_connection_rests_costs_no_attempt(
    deliver: Callable[[_Peer], Awaitable[list[tuple[int | None, bool]]]],
) -> None:
    """The second event goes out on a fresh one."""

    async def close(stream: trio.abc.Stream) -> None:
        await stream.send_all(_OK)
        await stream.aclose()

    assert await deliver(_Peer(close)) == [(200, False), (202, False)]


async def test_an_answer_to_a_request_that_was_not_sent_whole_retires_the_connection() -> None:
    """A peer that refuses early would take the rest of the body for the next request."""
    connection = Connection(ScriptedLink([_OK], unsent=BrokenPipeError()), opened_at=0.0)
    result = await connection.exchange(b"request", first_byte_by=1.0, deadline=2.0)
    assert result == Answer(200, (), b"ok", reusable=False)
