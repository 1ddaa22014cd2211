"""Receivers that misbehave in TLS: wrong certificates, broken handshakes."""

import datetime as dt
import ssl
from collections.abc import Awaitable, Callable

import pytest
import trio
import trustme

from callpost.edge.dial import Dialer
from callpost.edge.send_http import HttpSender
from callpost.edge.send_httpx import HttpxSender
from callpost.model.delivery import Message
from callpost.model.endpoint import HttpClient, HttpEndpoint, Timeouts, Tls
from callpost.model.outcome import Delivered, Outcome, Retry
from edge.send.http_clients import CLIENTS, http_sender

Serve = Callable[..., Awaitable[int]]
Reset = Callable[[trio.abc.Stream], Awaitable[None]]


@pytest.fixture(params=CLIENTS)
def client(request: pytest.FixtureRequest) -> HttpClient:
    """Each of those that speak HTTP."""
    return CLIENTS[CLIENTS.index(request.param)]


def _sender(
    dialer: Dialer,
    client: HttpClient,
    port: int,
    *,
    tls: Tls | None = None,
    connect_s: float = 5.0,
) -> HttpSender | HttpxSender:
    endpoint = HttpEndpoint(
        place="primary",
        scheme="https",
        host="localhost",
        port=port,
        target="/",
        method="POSTJSON",
        level=2,
        timeouts=Timeouts(connect_s=connect_s, first_byte_s=5, whole_s=10),
        tls=tls or Tls(),
        http_client=client,
    )
    return http_sender(endpoint, dialer)


async def _accepting(stream: trio.abc.Stream) -> None:
    await stream.receive_some()
    await stream.send_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")


async def _tls_outcome(
    serve: Serve,
    dialer: Dialer,
    client: HttpClient,
    message: Message,
    *,
    context: ssl.SSLContext,
    tls: Tls | None = None,
) -> Outcome:
    sender = _sender(dialer, client, await serve(_accepting, tls=context), tls=tls)
    report = await sender.send(message)
    sender.close()
    return report.outcome


def _context(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


@pytest.fixture
def trusting(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Tls:
    """Settings of an endpoint that trusts the tests' authority."""
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return Tls(ca_file=str(path))


async def test_a_good_certificate_is_accepted(
    serve: Serve,
    dialer: Dialer,
    client: HttpClient,
    message: Message,
    trusting: Tls,
    server_context: ssl.SSLContext,
) -> None:
    """TLS with an authority of the operator's own."""
    outcome = await _tls_outcome(
        serve, dialer, client, message, context=server_context, tls=trusting
    )
    assert outcome == Delivered("http_200", 200)


async def test_an_expired_certificate_is_refused(
    serve: Serve,
    dialer: Dialer,
    client: HttpClient,
    message: Message,
    trusting: Tls,
    authority: trustme.CA,
) -> None:
    """The reason says what is wrong with it."""
    then = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    expired = authority.issue_cert("localhost", not_before=then, not_after=then)
    outcome = await _tls_outcome(
        serve, dialer, client, message, context=_context(expired), tls=trusting
    )
    assert outcome == Retry(reason="tls:certificate expired", phase="tls")


async def test_a_certificate_for_another_name_is_refused(
    serve: Serve,
    dialer: Dialer,
    client: HttpClient,
    message: Message,
    trusting: Tls,
    authority: trustme.CA,
) -> None:
    """A good certificate of somebody else."""
    other = _context(authority.issue_cert("other.example"))
    outcome = await _tls_outcome(serve, dialer, client, message, context=other, tls=trusting)
    assert outcome == Retry(reason="tls:certificate for another name", phase="tls")


async def test_a_certificate_of_an_unknown_authority_is_refused(
    serve: Serve,
    dialer: Dialer,
    client: HttpClient,
    message: Message,
    server_context: ssl.SSLContext,
) -> None:
    """Only the system's authorities are known unless the operator names one."""
    outcome = await _tls_outcome(serve, dialer, client, message, context=server_context)
    assert outcome == Retry(reason="tls:certificate of an unknown authority", phase="tls")


async def test_verification_can_be_turned_off(
    serve: Serve,
    dialer: Dialer,
    client: HttpClient,
    message: Message,
    server_context: ssl.SSLContext,
) -> None:
    """For a receiver that has nothing better."""
    outcome = await _tls_outcome(
        serve, dialer, client, message, context=server_context, tls=Tls(verify=False)
    )
    assert outcome == Delivered("http_200", 200)


@pytest.mark.parametrize("how", ["closes", "resets", "speaks no TLS", "is silent"])
async def test_a_handshake_that_fails_is_a_retry(
    serve: Serve, dialer: Dialer, client: HttpClient, message: Message, reset: Reset, how: str
) -> None:
    """Whatever happens in it, the phase is TLS."""

    async def script(stream: trio.abc.Stream) -> None:
        await stream.receive_some()
        match how:
            case "resets":
                await reset(stream)
            case "speaks no TLS":
                await stream.send_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            case "is silent":
                await stream.receive_some()
            case _:
                pass

    silent = how == "is silent"
    port = await serve(script)
    sender = _sender(dialer, client, port, connect_s=0.3 if silent else 5.0)
    outcome = (await sender.send(message)).outcome
    reasons = {
        "closes": "tls:closed",
        "resets": "tls:reset",
        "speaks no TLS": "tls:wrong version number",
        "is silent": "timeout_connect",
    }
    assert outcome == Retry(reason=reasons[how], phase="tls", timed_out=silent)
