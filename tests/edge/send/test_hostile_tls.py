"""Receivers that misbehave in TLS: wrong certificates, broken handshakes."""

import datetime as dt
import ssl
from collections.abc import Awaitable, Callable

import pytest
import trio
import trustme

from callpost.edge.dial import Dialer
from callpost.edge.send_http import HttpSender
from callpost.model.delivery import Message
from callpost.model.endpoint import HttpEndpoint, Timeouts, Tls
from callpost.model.limits import Egress
from callpost.model.outcome import Delivered, Outcome, Retry

Serve = Callable[..., Awaitable[int]]
Reset = Callable[[trio.abc.Stream], Awaitable[None]]


def _sender(dialer: Dialer, port: int, *, tls: Tls | None = None) -> HttpSender:
    endpoint = HttpEndpoint(
        place="primary",
        scheme="https",
        host="localhost",
        port=port,
        target="/",
        method="POSTJSON",
        level=2,
        timeouts=Timeouts(connect_s=0.3, first_byte_s=0.3, whole_s=0.5),
        tls=tls or Tls(),
    )
    return HttpSender(endpoint, dialer=dialer, egress=Egress(), version="1")


async def _accepting(stream: trio.abc.Stream) -> None:
    await stream.receive_some()
    await stream.send_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")


async def _tls_outcome(
    serve: Serve,
    dialer: Dialer,
    message: Message,
    *,
    context: ssl.SSLContext,
    tls: Tls | None = None,
) -> Outcome:
    sender = _sender(dialer, await serve(_accepting, tls=context), tls=tls)
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
    message: Message,
    trusting: Tls,
    server_context: ssl.SSLContext,
) -> None:
    """TLS with an authority of the operator's own."""
    outcome = await _tls_outcome(serve, dialer, message, context=server_context, tls=trusting)
    assert outcome == Delivered("http_200", 200)


async def test_an_expired_certificate_is_refused(
    serve: Serve, dialer: Dialer, message: Message, trusting: Tls, authority: trustme.CA
) -> None:
    """The reason says what is wrong with it."""
    then = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    expired = authority.issue_cert("localhost", not_before=then, not_after=then)
    outcome = await _tls_outcome(serve, dialer, message, context=_context(expired), tls=trusting)
    assert outcome == Retry(reason="tls:certificate expired", phase="tls")


async def test_a_certificate_for_another_name_is_refused(
    serve: Serve, dialer: Dialer, message: Message, trusting: Tls, authority: trustme.CA
) -> None:
    """A good certificate of somebody else."""
    other = _context(authority.issue_cert("other.example"))
    outcome = await _tls_outcome(serve, dialer, message, context=other, tls=trusting)
    assert outcome == Retry(reason="tls:certificate for another name", phase="tls")


async def test_a_certificate_of_an_unknown_authority_is_refused(
    serve: Serve, dialer: Dialer, message: Message, server_context: ssl.SSLContext
) -> None:
    """Only the system's authorities are known unless the operator names one."""
    outcome = await _tls_outcome(serve, dialer, message, context=server_context)
    assert outcome == Retry(reason="tls:certificate of an unknown authority", phase="tls")


async def test_verification_can_be_turned_off(
    serve: Serve, dialer: Dialer, message: Message, server_context: ssl.SSLContext
) -> None:
    """For a receiver that has nothing better."""
    outcome = await _tls_outcome(
        serve, dialer, message, context=server_context, tls=Tls(verify=False)
    )
    assert outcome == Delivered("http_200", 200)


@pytest.mark.parametrize("how", ["closes", "resets", "speaks no TLS", "is silent"])
async def test_a_handshake_that_fails_is_a_retry(
    serve: Serve, dialer: Dialer, message: Message, reset: Reset, how: str
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

    sender = _sender(dialer, await serve(script))
    outcome = (await sender.send(message)).outcome
    reasons = {
        "closes": "tls:closed",
        "resets": "tls:reset",
        "speaks no TLS": "tls:wrong version number",
        "is silent": "timeout_connect",
    }
    silent = how == "is silent"
    assert outcome == Retry(reason=reasons[how], phase="tls", timed_out=silent)
