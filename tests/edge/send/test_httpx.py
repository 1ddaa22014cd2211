"""What the sender through httpx does for itself: where answers end, and who shares a connection."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trio
import trustme

from callpost.edge.dial import Dialer
from callpost.edge.send_httpx.answers import is_exact
from callpost.model.delivery import Message, Report
from callpost.model.endpoint import HttpEndpoint, Timeouts
from callpost.model.outcome import Delivered, Retry
from edge.send.http_clients import http_sender
from edge.send.http_ways import WAYS, Roads, Serve
from http_receivers import Receiver, Reply

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.fixture
async def roads(
    nursery: trio.Nursery, serve: Serve, authority: trustme.CA, tmp_path: Path
) -> AsyncIterator[Roads]:
    """Senders to receivers on loopback."""
    opened = Roads(nursery, serve, authority, tmp_path)
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("answer", "body_bytes", "is_chunked", "exact"),
    [
        (OK, 0, False, True),
        (OK + OK, 0, False, False),
        (OK + b"\r\n", 0, False, False),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 2, False, True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokay", 2, False, False),
        (CHUNKED + b"0\r\n\r\n", 0, True, True),
        (CHUNKED + b"2\r\nok\r\n0\r\n\r\n", 2, True, True),
        (CHUNKED + b"2\r\nok\r\n0\r\n\r\nHTTP/1.1 ", 2, True, False),
        (b"HTTP/1.1 103 Early Hints\r\n\r\n" + OK, 0, False, False),
        (b"HTTP/1.1 200 OK\r\n", 0, False, False),
    ],
)
def test_an_answer_is_exact_where_nothing_follows_it(
    answer: bytes,
    body_bytes: int,
    is_chunked: bool,  # noqa: FBT001 - one of the parameters of the case
    exact: bool,  # noqa: FBT001 - likewise
) -> None:
    """What is not leaves bytes from which the next answer would be read."""
    assert is_exact(answer, body_bytes=body_bytes, is_chunked=is_chunked) == exact


async def test_bytes_behind_an_answer_are_nobodys_answer(
    serve: Serve, dialer: Dialer, message: Message
) -> None:
    """The next event is not taken for delivered by what came too early."""
    asked = 0

    async def receiver(stream: trio.abc.Stream) -> None:
        nonlocal asked
        while await stream.receive_some():
            asked += 1
            await stream.send_all(OK + OK if asked == 1 else b"HTTP/1.1 500 X\r\n\r\n")

    endpoint = HttpEndpoint(
        place="primary",
        scheme="http",
        host="127.0.0.1",
        port=await serve(receiver),
        target="/",
        method="POSTJSON",
        level=2,
        timeouts=Timeouts(whole_s=0.3),
        http_client="httpx",
    )
    sender = http_sender(endpoint, dialer)
    statuses = [(await sender.send(message)).outcome.http_status for _ in range(2)]
    sender.close()
    assert statuses == [200, 500]


async def test_a_time_out_over_http2_is_its_own_only(roads: Roads, message: Message) -> None:
    """Two attempts at once have two connections, so what ends one leaves the other alone."""
    receiver = Receiver(Reply(instead="silence"), Reply())
    sender = await roads.to(receiver, WAYS["httpx http2"], timeouts=Timeouts(first_byte_s=0.3))
    reports: list[Report] = []

    async def send() -> None:
        reports.append(await sender.send(message))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(send)
        await receiver.asked.wait()
        nursery.start_soon(send)
    late = Retry(reason="timeout_first_byte", phase="first-byte", timed_out=True)
    assert [one.outcome for one in reports] == [Delivered("http_200", 200), late]


async def test_http2_is_spoken(roads: Roads, message: Message) -> None:
    """By httpx, where it is wanted and the peer speaks it."""
    receiver = Receiver()
    await (await roads.to(receiver, WAYS["httpx http2"])).send(message)
    assert receiver.requests[0].version == "2"
