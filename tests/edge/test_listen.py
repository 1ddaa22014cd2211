"""The receivers for trying things out: what arrives is reported, whatever clients do."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial

import pytest
import trio

from callpost.edge.listen import (
    AddressUnusable,
    Arrived,
    Behaviour,
    bind_http,
    bind_tcp,
    bind_udp,
    serve_http,
    serve_tcp,
    serve_udp,
)

HOST = "127.0.0.1"
GOOD = Behaviour()
Serve = Callable[..., Awaitable[None]]
REQUEST = (
    b"POST /calls?key=a%20b HTTP/1.1\r\nHost: localhost\r\nWebhook-Id: evt_1\r\n"
    b"Content-Length: 13\r\n\r\nevent=newCall"
)


class Arrivals:
    """Keeps what arrives and lets a test wait for it."""

    def __init__(self) -> None:
        self.kept: list[Arrived] = []
        self.finished_count = 0
        self._grown = trio.lowlevel.ParkingLot()

    def arrived(self, arrival: Arrived) -> None:
        """Keep it."""
        self.kept.append(arrival)
        self._grown.unpark_all()

    def finished(self) -> None:
        """Count it."""
        self.finished_count += 1
        self._grown.unpark_all()

    async def first(self, count: int = 1) -> list[Arrived]:
        """Wait for `count` of them."""
        while len(self.kept) < count:
            await self._grown.park()
        return self.kept

    async def done(self, count: int = 1) -> None:
        """Wait until `count` of them are done with."""
        while self.finished_count < count:
            await self._grown.park()


class Client:
    """A connection to a receiver, in plain bytes."""

    def __init__(self, port: int, arrivals: Arrivals) -> None:
        self.port = port
        self.arrivals = arrivals

    async def connected(self) -> trio.SocketStream:
        """Connect."""
        return await trio.open_tcp_stream(HOST, self.port)

    async def told(self, data: bytes) -> bytes:
        """Send `data` and half-close; return all that comes back."""
        async with await self.connected() as stream:
            await stream.send_all(data)
            await stream.send_eof()
            return await everything(stream)


@asynccontextmanager
async def http(behave: Behaviour = GOOD, serve: Serve = serve_http) -> AsyncIterator[Client]:
    """Run a receiver for the time of the block."""
    arrivals = Arrivals()
    listener = await bind_tcp(HOST, 0)
    told = {"arrived": arrivals.arrived, "finished": arrivals.finished}
    with trio.fail_after(10):
        async with trio.open_nursery() as nursery:
            await nursery.start(partial(serve, listener, behave=behave, **told))
            yield Client(listener.socket.getsockname()[1], arrivals)
            nursery.cancel_scope.cancel()


tcp = partial(http, serve=serve_tcp)


async def everything(stream: trio.SocketStream) -> bytes:
    """All that comes until the other side closes."""
    received = b""
    async for data in stream:
        received += data
    return received


# --- HTTP


async def test_a_request_arrives_as_it_was_sent() -> None:
    """Method, target, headers and body are the client's own."""
    async with http() as client:
        await client.told(REQUEST)
        (arrival,) = client.arrivals.kept
        assert arrival == Arrived(
            transport="http",
            method="POST",
            target="/calls?key=a%20b",
            headers=(
                ("Host", "localhost"),
                ("Webhook-Id", "evt_1"),
                ("Content-Length", "13"),
            ),
            content=b"event=newCall",
            arrived_at=arrival.arrived_at,
        )


async def test_an_arrival_knows_its_time() -> None:
    """The time is the wall's, in seconds."""
    before = time.time()
    async with http() as client:
        await client.told(REQUEST)
        assert before <= client.arrivals.kept[0].arrived_at <= time.time()


async def test_a_connection_carries_many_requests() -> None:
    """Keep-alive, as every sender of events uses it."""
    async with http() as client:
        answers = await client.told(REQUEST * 3)
        assert (len(client.arrivals.kept), answers.count(b"HTTP/1.1 200")) == (3, 3)


@pytest.mark.parametrize("status", [200, 204, 302, 404, 503])
async def test_the_status_is_the_one_asked_for(status: int) -> None:
    """A subscriber can be made to refuse."""
    async with http(Behaviour(status=status)) as client:
        assert (await client.told(REQUEST)).startswith(b"HTTP/1.1 %d " % status)


async def test_an_answer_waits_for_its_delay() -> None:
    """A slow subscriber: it has the event long before it says so."""
    async with http(Behaviour(delay_s=0.1)) as client, await client.connected() as stream:
        started = trio.current_time()
        await stream.send_all(REQUEST)
        await client.arrivals.first()
        await stream.receive_some()
        assert 0.1 <= trio.current_time() - started < 2


async def test_a_dropped_request_gets_no_answer() -> None:
    """The event arrives, the connection ends."""
    async with http(Behaviour(drop=True)) as client:
        assert (await client.told(REQUEST), len(client.arrivals.kept)) == (b"", 1)


async def test_an_arrival_is_done_with_after_its_answer() -> None:
    """Who counts arrivals does not cut off the last answer."""
    async with http() as client, await client.connected() as stream:
        await stream.send_all(REQUEST)
        await client.arrivals.done()
        assert (await stream.receive_some()).startswith(b"HTTP/1.1 200 ")


async def test_a_body_in_chunks_is_put_together() -> None:
    """The transfer coding is no part of what arrived."""
    chunked = (
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n"
    )
    async with http() as client:
        await client.told(chunked)
        assert client.arrivals.kept[0].content == b"onetwo"


async def test_a_client_that_asks_first_is_told_to_go_on() -> None:
    """`Expect: 100-continue`, as curl sends it with a long body."""
    async with http() as client, await client.connected() as stream:
        await stream.send_all(
            b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n"
        )
        assert (await stream.receive_some()).startswith(b"HTTP/1.1 100 ")


async def test_a_body_that_is_too_long_is_refused() -> None:
    """The receiver's memory is bounded too."""
    async with http() as client, await client.connected() as stream:
        await stream.send_all(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1048577\r\n\r\n")
        await stream.send_all(b"x" * 1_048_577)
        assert (await stream.receive_some()).startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\ncut off",
        b"GET / HTTP/1.1\r\nX: " + b"x" * 70_000,
    ],
)
async def test_what_is_not_http_is_told_so(garbage: bytes) -> None:
    """A client that breaks the protocol gets a 4xx and the end."""
    async with http() as client:
        assert (await client.told(garbage)).startswith(b"HTTP/1.1 4")


async def test_a_broken_client_ends_only_itself() -> None:
    """The next client finds the receiver as it was."""
    async with http(Behaviour(delay_s=0.01)) as client:
        stream = await client.connected()
        await stream.send_all(REQUEST)
        await client.arrivals.first()
        stream.socket.setsockopt(trio.socket.SOL_SOCKET, trio.socket.SO_LINGER, b"\1\0\0\0" * 2)
        await stream.aclose()
        assert (await client.told(REQUEST)).startswith(b"HTTP/1.1 200 ")


# --- TCP


async def test_each_line_arrives() -> None:
    """One line is one event, also the last one without an end."""
    async with tcp() as client:
        await client.told(b"one\ntwo\r\nthree")
        assert [arrival.content for arrival in client.arrivals.kept] == [b"one", b"two", b"three"]


async def test_each_line_is_answered_with_the_status() -> None:
    """A subscription with `ack = true` can be tried out, and be refused."""
    async with tcp(Behaviour(status=503)) as client:
        assert await client.told(b"one\ntwo\n") == b"503\n503\n"


async def test_a_dropped_line_ends_the_connection() -> None:
    """No answer, and what follows on the connection is not looked at."""
    async with tcp(Behaviour(drop=True)) as client, await client.connected() as stream:
        await stream.send_all(b"one\ntwo\n")
        assert (await everything(stream), len(client.arrivals.kept)) == (b"", 1)


async def test_a_line_without_end_is_not_kept() -> None:
    """More than a mebibyte in one line is no event, and takes no memory."""
    async with tcp() as client:
        await client.told(b"x" * 1_048_577 + b"\none\n")
        assert [arrival.content for arrival in client.arrivals.kept] == [b"one"]


# --- UDP


async def test_each_datagram_arrives() -> None:
    """One datagram is one event, whatever is in it."""
    arrivals = Arrivals()
    place = await bind_udp(HOST, 0)

    async def serve(task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        await serve_udp(place, arrived=arrivals.arrived, task_status=task_status)

    with trio.fail_after(5):
        async with trio.open_nursery() as nursery:
            await nursery.start(serve)
            with trio.socket.socket(type=trio.socket.SOCK_DGRAM) as sender:
                for content in (b"one\n", b"", b"\xff"):
                    await sender.sendto(content, place.getsockname())
            assert [arrival.content for arrival in await arrivals.first(3)] == [
                b"one\n",
                b"",
                b"\xff",
            ]
            nursery.cancel_scope.cancel()


# --- the addresses


async def test_a_port_in_use_is_told() -> None:
    """The sentence names the port."""
    async with await bind_tcp(HOST, 0) as taken:
        port = taken.socket.getsockname()[1]
        with pytest.raises(AddressUnusable, match=f"port {port} of {HOST} is in use by another"):
            await bind_http(HOST, port)


@pytest.mark.parametrize("host", ["192.0.2.1", "no such host"])
async def test_an_address_of_another_machine_is_told(host: str) -> None:
    """One can listen only where one is."""
    with pytest.raises(AddressUnusable, match="is no address of this machine"):
        await bind_udp(host, 0)


async def test_ipv6_is_an_address_like_any_other() -> None:
    """`--host ::1` listens on IPv6."""
    async with await bind_tcp("::1", 0) as listener:
        assert listener.socket.getsockname()[0] == "::1"
