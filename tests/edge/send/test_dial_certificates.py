"""What the dialler remembers of the certificates that peers show."""

import datetime as dt
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
import trio
import trustme

from callpost.edge.dial import Certificates, Dialer, Link, file_ends_at
from callpost.edge.dial.certificates import _PEERS_MAX
from callpost.model.endpoint import Tls
from callpost.model.instant import utc_text
from callpost.model.outcome import Retry

Serve = Callable[..., Awaitable[int]]
LONG_AGO = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
ENDED = dt.datetime(2020, 11, 20, 8, 59, tzinfo=dt.UTC)
ENDS = dt.datetime(2040, 11, 20, 8, 59, tzinfo=dt.UTC)


def _leaf(authority: trustme.CA, *, ends: dt.datetime) -> trustme.LeafCert:
    return authority.issue_cert("localhost", "127.0.0.1", not_before=LONG_AGO, not_after=ends)


def _der(authority: trustme.CA, *, ends: dt.datetime) -> bytes:
    pem = _leaf(authority, ends=ends).cert_chain_pems[0].bytes()
    return ssl.PEM_cert_to_DER_cert(pem.decode())


def _server(leaf: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    leaf.configure_cert(context)
    return context


async def _silent(stream: trio.abc.Stream) -> None:
    await stream.receive_some()


@pytest.fixture
def trusting(authority: trustme.CA, tmp_path: Path) -> Tls:
    """Settings of an endpoint that trusts the tests' authority."""
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    return Tls(ca_file=str(tmp_path / "ca.pem"))


async def _connected(dialer: Dialer, port: int, tls: Tls) -> Link | Retry:
    context = dialer.tls_context(tls)
    assert isinstance(context, ssl.SSLContext)
    link = await dialer.connect("localhost", port, tls=context, connect_timeout_s=2)
    assert isinstance(link, Link | Retry)
    if isinstance(link, Link):
        link.close()
    return link


@pytest.mark.parametrize("verify", [True, False])
async def test_a_handshake_tells_when_the_certificate_ends(
    serve: Serve, dialer: Dialer, authority: trustme.CA, trusting: Tls, *, verify: bool
) -> None:
    """Verified or not."""
    port = await serve(_silent, tls=_server(_leaf(authority, ends=ENDS)))
    await _connected(dialer, port, trusting if verify else Tls(verify=False))
    assert dialer.certificates.ends_at("localhost", port) == ENDS.timestamp()


async def test_an_expired_certificate_is_told_with_its_end_once_it_was_seen(
    serve: Serve, dialer: Dialer, authority: trustme.CA, trusting: Tls
) -> None:
    """A handshake that fails shows no certificate, but one before it did."""
    port = await serve(_silent, tls=_server(_leaf(authority, ends=ENDED)))
    await _connected(dialer, port, Tls(verify=False))
    outcome = await _connected(dialer, port, trusting)
    assert outcome == Retry(reason="tls:certificate expired 2020-11-20T08:59:00Z", phase="tls")


@pytest.mark.parametrize(
    ("reason", "dated"),
    [
        ("tls:certificate expired", "tls:certificate expired 2020-11-20T08:59:00Z"),
        ("tls:certificate self-signed", "tls:certificate self-signed"),
    ],
)
def test_only_expiry_is_dated(authority: trustme.CA, reason: str, dated: str) -> None:
    """The end of a certificate explains nothing else."""
    certificates = Certificates()
    certificates.saw("h", 443, _der(authority, ends=ENDED))
    assert certificates.dated("h", 443, reason) == dated


def test_the_end_of_another_certificate_is_not_told(authority: trustme.CA) -> None:
    """What was seen has not ended: then it is an authority's that has, or a new one."""
    certificates = Certificates()
    certificates.saw("h", 443, _der(authority, ends=ENDS))
    assert certificates.dated("h", 443, "tls:certificate expired") == "tls:certificate expired"


def test_the_end_is_told_from_the_moment_on(authority: trustme.CA) -> None:
    """The clock is asked each time."""
    certificates = Certificates(wall=ENDS.timestamp)
    certificates.saw("h", 443, _der(authority, ends=ENDS))
    end = f"{utc_text(ENDS.timestamp())[:19]}Z"
    assert certificates.dated("h", 443, "tls:certificate expired").endswith(end)


def test_the_peer_heard_of_longest_ago_is_forgotten(authority: trustme.CA) -> None:
    """There is a bound, however many peers there are."""
    certificates = Certificates()
    der = _der(authority, ends=ENDS)
    certificates.saw("first", 443, der)
    certificates.saw("second", 443, der)
    certificates.saw("first", 443, der)
    for port in range(_PEERS_MAX - 1):
        certificates.saw("other", port, der)
    known = [certificates.ends_at(host, 443) is not None for host in ("first", "second")]
    assert known == [True, False]


def test_what_is_no_certificate_is_not_remembered() -> None:
    """A peer without one, or with something that cannot be read."""
    certificates = Certificates()
    certificates.saw("h", 1, None)
    certificates.saw("h", 2, b"\x30\x03abc")
    assert [certificates.ends_at("h", port) for port in (1, 2)] == [None, None]


async def test_a_file_tells_when_its_certificate_ends(
    authority: trustme.CA, tmp_path: Path
) -> None:
    """As our own client certificates do."""
    path = tmp_path / "client.pem"
    _leaf(authority, ends=ENDS).private_key_and_cert_chain_pem.write_to_path(str(path))
    assert await file_ends_at(str(path)) == ENDS.timestamp()


async def test_a_file_that_cannot_be_read_has_no_end(tmp_path: Path) -> None:
    """That it cannot is told elsewhere, at the endpoint that needs it."""
    assert await file_ends_at(str(tmp_path / "nothing.pem")) is None
