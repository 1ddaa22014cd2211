"""One exchange on one connection, and the same exchange behind httpx."""

from collections.abc import Awaitable, Callable

import httpx
import pytest
import trio

from callpost.edge.dial import Dialer
from callpost.edge.http1 import Answer, Connection, ExchangeFailure
from callpost.edge.http1.transport import Http1Transport

Serve = Callable[..., Awaitable[int]]
_REQUEST = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n"


async def _exchange(
    dialer: Dialer, port: int, *, times: int = 1, request: bytes = _REQUEST
) -> Answer | ExchangeFailure:
    link = await dialer.connect("127.0.0.1", port, tls=None, connect_timeout_s=1)
    assert not hasattr(link, "reason")
    connection = Connection(link, opened_at=trio.current_time())
    try:
        for _ in range(times):
            now = trio.current_time()
            result = await connection.exchange(request, first_byte_by=now + 0.2, deadline=now + 0.5)
    finally:
        connection.close()
    return result


def _saying(*pieces: bytes) -> Callable[[trio.abc.Stream], Awaitable[None]]:
    async def handler(stream: trio.abc.Stream) -> None:
        while await stream.receive_some():
            for piece in pieces:
                await stream.send_all(piece)

    return handler


async def test_an_answer_comes_back(serve: Serve, dialer: Dialer) -> None:
    """Status, the headers that matter, body, and that the connection stays."""
    said = b"HTTP/1.1 503 Busy\r\nServer: x\r\nRetry-After: 7\r\nContent-Length: 2\r\n\r\nno"
    port = await serve(_saying(said))
    expected = Answer(503, ((b"retry-after", b"7"),), b"no", reusable=True)
    assert await _exchange(dialer, port) == expected


async def test_a_connection_carries_one_exchange_after_the_other(
    serve: Serve, dialer: Dialer
) -> None:
    """Nothing of one answer is left for the next."""
    port = await serve(_saying(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"))
    assert await _exchange(dialer, port, times=3) == Answer(200, (), b"ok", reusable=True)


async def test_an_answer_in_pieces_comes_back_whole(serve: Serve, dialer: Dialer) -> None:
    """Interim answers are skipped."""
    port = await serve(
        _saying(b"HTTP/1.1 100 Continue\r\n\r\nHT", b"TP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    )
    assert await _exchange(dialer, port) == Answer(200, (), b"", reusable=True)


async def test_an_early_answer_counts_though_the_request_was_not_read(
    serve: Serve, dialer: Dialer
) -> None:
    """A server that refuses a large body before it has read it is understood."""

    async def handler(stream: trio.SocketStream) -> None:
        await stream.receive_some(10)
        await stream.send_all(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
        await stream.send_eof()
        while await stream.receive_some():
            pass

    port = await serve(handler)
    result = await _exchange(dialer, port, request=_REQUEST + b"x" * 10_000_000)
    assert isinstance(result, Answer)
    assert result.status == 413


@pytest.mark.parametrize(
    ("pieces", "received"), [((), False), ((b"HTTP/1.1 2",), True), ((b"nonsense",), True)]
)
async def test_a_failure_tells_whether_an_answer_had_begun(
    serve: Serve, dialer: Dialer, *, pieces: tuple[bytes, ...], received: bool
) -> None:
    """Only a request without any answer may be sent again at once."""

    async def handler(stream: trio.abc.Stream) -> None:
        await stream.receive_some()
        for piece in pieces:
            await stream.send_all(piece)

    result = await _exchange(dialer, await serve(handler))
    assert isinstance(result, ExchangeFailure)
    assert result.received is received


async def test_httpx_can_speak_through_it(serve: Serve, dialer: Dialer) -> None:
    """An httpx client gets the answer over the same exchange."""
    port = await serve(_saying(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"))
    async with httpx.AsyncClient(transport=Http1Transport(dialer=dialer)) as client:
        assert (await client.get(f"http://127.0.0.1:{port}/x")).text == "ok"


async def test_httpx_hears_of_a_failure_in_its_own_words(dialer: Dialer) -> None:
    """A refused connection is httpx's ConnectError."""
    with trio.socket.socket() as unused:
        await unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/"
        async with httpx.AsyncClient(transport=Http1Transport(dialer=dialer)) as client:
            with pytest.raises(httpx.ConnectError, match="connect:refused"):
                await client.get(url)
