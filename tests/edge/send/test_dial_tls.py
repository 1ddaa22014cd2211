"""TLS on the way out: links, idleness, settings that cannot be read."""

import resource
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
import pytest
import trio
import trustme

from callpost.edge.dial import Dialer, Link
from callpost.model.egress import Guard
from callpost.model.endpoint import Tls
from callpost.model.limits import Egress
from callpost.model.outcome import LocalFault, Retry

Serve = Callable[..., Awaitable[int]]


async def _echo(stream: trio.abc.Stream) -> None:
    while data := await stream.receive_some():
        await stream.send_all(data)


async def _quiet(stream: trio.abc.Stream) -> None:
    await stream.receive_some()


async def _tls_link(
    dialer: Dialer, port: int, authority: trustme.CA, host: str = "localhost"
) -> Link | Retry | LocalFault:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return await dialer.connect(host, port, tls=context, connect_timeout_s=1)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
async def test_tls_carries_bytes(
    serve: Serve,
    dialer: Dialer,
    authority: trustme.CA,
    server_context: ssl.SSLContext,
    host: str,
) -> None:
    """Verified by name or by address."""
    link = await _tls_link(dialer, await serve(_echo, tls=server_context), authority, host)
    assert isinstance(link, Link)
    await link.send_all(b"x" * 300_000)
    received = b""
    while len(received) < 300_000:
        received += await link.receive_some(7_000)
    link.close()
    assert received == b"x" * 300_000


async def test_an_idle_tls_connection_is_idle_though_session_tickets_came(
    serve: Serve, dialer: Dialer, authority: trustme.CA, server_context: ssl.SSLContext
) -> None:
    """What TLS says to itself is no byte of the peer's."""
    link = await _tls_link(dialer, await serve(_quiet, tls=server_context), authority)
    assert isinstance(link, Link)
    await trio.testing.wait_all_tasks_blocked()
    idle = link.peer_is_idle()
    link.close()
    assert idle


async def test_a_close_notify_retires_a_connection(
    serve: Serve, dialer: Dialer, authority: trustme.CA, server_context: ssl.SSLContext
) -> None:
    """A TLS peer that said good-bye is not used again."""
    gone = trio.Event()

    async def handler(stream: trio.SSLStream[trio.SocketStream]) -> None:
        await stream.do_handshake()
        await stream.aclose()
        gone.set()

    link = await _tls_link(dialer, await serve(handler, tls=server_context), authority)
    assert isinstance(link, Link)
    await gone.wait()
    await trio.testing.wait_all_tasks_blocked()
    idle = link.peer_is_idle()
    link.close()
    assert not idle


@pytest.mark.parametrize(
    ("tls", "reason"),
    [
        (Tls(ca_file="/nowhere/ca.pem"), "tls:ca_file cannot be read"),
        (Tls(client_cert="/nowhere/c.pem"), "tls:client_cert or client_key cannot be read"),
    ],
)
def test_a_tls_file_that_cannot_be_read_is_an_outcome(tls: Tls, reason: str) -> None:
    """The reason says which file, and nothing is raised."""
    dialer = Dialer(Egress(), Guard())
    assert dialer.tls_context(tls) == Retry(reason=reason, phase="tls")


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("ca_file", "tls:ca_file cannot be used"),
        ("client_cert", "tls:client_cert or client_key cannot be used"),
    ],
)
def test_a_tls_file_that_has_become_something_else_is_an_outcome(
    tmp_path: Path, key: str, reason: str
) -> None:
    """It was good when the configuration was read."""
    (tmp_path / "a.pem").write_text("nothing")
    dialer = Dialer(Egress(), Guard())
    tls = msgspec.convert({key: str(tmp_path / "a.pem")}, Tls)
    assert dialer.tls_context(tls) == Retry(reason=reason, phase="tls")


def test_endpoints_without_files_of_their_own_share_a_context() -> None:
    """A thousand endpoints do not load the system's authorities a thousand times."""
    dialer = Dialer(Egress(), Guard())
    assert dialer.tls_context(Tls()) is dialer.tls_context(Tls())


def test_without_descriptors_no_context_is_made() -> None:
    """It would know no authority, and for good; once there are some it is made."""
    dialer = Dialer(Egress(), Guard())
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with Path("/dev/null").open() as taken:
        lowest_free = taken.fileno()
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest_free, hard))
    try:
        outcome = dialer.tls_context(Tls())
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    context = dialer.tls_context(Tls())
    assert outcome == LocalFault("tls:no_descriptors")
    assert isinstance(context, ssl.SSLContext)
