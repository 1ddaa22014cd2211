"""RST at each stage, over HTTP, HTTPS and TCP: always an outcome that says where."""

import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import trio
import trustme
from msgspec.structs import replace

from callpost.edge.dial import Dialer
from callpost.edge.send_tcp import TcpSender
from callpost.model.delivery import Message
from callpost.model.endpoint import HttpClient, HttpEndpoint, TcpEndpoint, Timeouts, Tls
from callpost.model.limits import Egress
from callpost.model.outcome import Outcome, Retry
from edge.send.http_clients import CLIENTS, http_sender

Serve = Callable[..., Awaitable[int]]
Reset = Callable[[trio.abc.Stream], Awaitable[None]]
# None of them is reached, however busy the machine is.
_TIMEOUTS = Timeouts(connect_s=5, first_byte_s=5, whole_s=10)


@pytest.fixture(autouse=True)
async def bounded() -> AsyncIterator[None]:
    """Nothing here waits for a time-out."""
    with trio.fail_after(4):
        yield


@pytest.fixture(params=CLIENTS)
def client(request: pytest.FixtureRequest) -> HttpClient:
    """Each of those that speak HTTP."""
    return CLIENTS[CLIENTS.index(request.param)]


async def _through_http(
    dialer: Dialer, client: HttpClient, port: int, message: Message, tls: Tls | None = None
) -> Outcome:
    endpoint = HttpEndpoint(
        place="primary",
        scheme="https" if tls else "http",
        host="localhost",
        port=port,
        target="/",
        method="POSTJSON",
        level=2,
        timeouts=_TIMEOUTS,
        tls=tls or Tls(),
        http_client=client,
    )
    sender = http_sender(endpoint, dialer)
    report = await sender.send(message)
    sender.close()
    return report.outcome


async def _through_tcp(dialer: Dialer, port: int, *messages: Message) -> list[Outcome]:
    endpoint = TcpEndpoint(
        place="primary",
        host="127.0.0.1",
        port=port,
        method="POSTJSON",
        level=2,
        ack=True,
        timeouts=_TIMEOUTS,
    )
    sender = TcpSender(endpoint, dialer=dialer, egress=Egress())
    reports = [await sender.send(message) for message in messages]
    sender.close()
    return [report.outcome for report in reports]


async def test_a_reset_in_the_middle_of_a_large_request_is_a_retry(
    serve: Serve, dialer: Dialer, client: HttpClient, message: Message, reset: Reset
) -> None:
    """The kernel's buffers were full, so the write notices."""

    async def script(stream: trio.abc.Stream) -> None:
        await stream.receive_some(10)
        await reset(stream)

    large = replace(message, content=b"x" * 20_000_000)
    outcome = await _through_http(dialer, client, await serve(script), large)
    assert outcome == Retry(reason="reset", phase="write")


@pytest.fixture
def trusting(authority: trustme.CA, tmp_path: Path) -> Tls:
    """Settings of an endpoint that trusts the tests' authority."""
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    return Tls(ca_file=str(tmp_path / "ca.pem"))


@pytest.mark.parametrize(
    ("said", "phase"), [(b"", "first-byte"), (b"HTTP/1.1 2", "read")], ids=["nothing", "a part"]
)
async def test_a_reset_under_tls_is_a_retry(
    serve: Serve,
    dialer: Dialer,
    client: HttpClient,
    message: Message,
    trusting: Tls,
    server_context: ssl.SSLContext,
    *,
    said: bytes,
    phase: str,
) -> None:
    """After the handshake, before the answer and within it."""

    async def script(stream: trio.SSLStream[trio.SocketStream]) -> None:
        received = b""
        while not received.endswith(message.content):  # httpx writes the head and the body apart
            received += await stream.receive_some()
        if said:
            await stream.send_all(said)
            await trio.sleep(0.05)  # so that the client has read it before the RST
        plain = stream.transport_stream
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        await plain.aclose()

    port = await serve(script, tls=server_context)
    outcome = await _through_http(dialer, client, port, message, trusting)
    # OpenSSL takes an RST for an end without its good-bye, or not, depending on its version.
    assert isinstance(outcome, Retry)
    assert (outcome.phase, outcome.reason in {"reset", "closed"}) == (phase, True)


async def test_a_truncated_tls_answer_is_a_retry(
    serve: Serve,
    dialer: Dialer,
    client: HttpClient,
    message: Message,
    trusting: Tls,
    server_context: ssl.SSLContext,
) -> None:
    """An end without TLS's own good-bye is no end of an answer."""

    async def script(stream: trio.SSLStream[trio.SocketStream]) -> None:
        await stream.receive_some()
        await stream.send_all(b"HTTP/1.1 200 O")
        await stream.transport_stream.aclose()

    port = await serve(script, tls=server_context)
    outcome = await _through_http(dialer, client, port, message, trusting)
    assert isinstance(outcome, Retry)
    assert outcome.phase == "read"


async def test_a_self_signed_certificate_is_refused(
    serve: Serve, dialer: Dialer, client: HttpClient, message: Message, tmp_path: Path
) -> None:
    """The reason says what is wrong with it."""
    own = trustme.CA()  # an authority's certificate is signed by itself
    own.cert_pem.write_to_path(str(tmp_path / "own.pem"))
    own.private_key_pem.write_to_path(str(tmp_path / "own.key"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "own.pem", tmp_path / "own.key")

    async def script(stream: trio.abc.Stream) -> None:
        await stream.receive_some()

    outcome = await _through_http(dialer, client, await serve(script, tls=context), message, Tls())
    assert outcome == Retry(reason="tls:certificate self-signed", phase="tls")


@pytest.mark.parametrize(
    ("said", "phase"), [(b"", "first-byte"), (b"O", "read")], ids=["before", "within"]
)
async def test_a_tcp_peer_that_resets_instead_of_acknowledging_is_a_retry(
    serve: Serve, dialer: Dialer, message: Message, reset: Reset, said: bytes, phase: str
) -> None:
    """Before its answer and within it."""

    async def script(stream: trio.abc.Stream) -> None:
        await stream.receive_some()
        if said:
            await stream.send_all(said)
            await trio.sleep(0.05)  # so that the client has read it before the RST
        await reset(stream)

    (outcome,) = await _through_tcp(dialer, await serve(script), message)
    assert outcome == Retry(reason="reset", phase=phase)  # type: ignore[arg-type] # one of them


async def test_a_tcp_peer_that_resets_between_two_frames_costs_no_attempt(
    serve: Serve, dialer: Dialer, message: Message, reset: Reset
) -> None:
    """The second frame goes out on a fresh connection."""

    async def script(stream: trio.abc.Stream) -> None:
        await stream.receive_some()
        await stream.send_all(b"OK\n")
        await trio.sleep(0.02)
        await reset(stream)

    outcomes = await _through_tcp(dialer, await serve(script), message, message)
    assert [type(outcome).__name__ for outcome in outcomes] == ["Delivered"] * 2


async def test_a_tcp_peer_that_resets_at_once_is_a_retry(
    serve: Serve, dialer: Dialer, message: Message, reset: Reset
) -> None:
    """Wherever it is noticed."""
    (outcome,) = await _through_tcp(dialer, await serve(reset), message)
    assert isinstance(outcome, Retry)
    assert outcome.reason == "reset"
