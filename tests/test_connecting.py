"""`try_endpoints`: each endpoint tried as the daemon would, against real servers."""

import datetime as dt
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path

import pytest
import trio
import trustme

from callpost.connecting import try_endpoints
from callpost.loading import load
from callpost.model.connection import Connection
from http_proxy import ForwardProxy

LONG_AGO = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
ENDED = dt.datetime(2020, 11, 20, 8, 59, tzinfo=dt.UTC)
ENDS = dt.datetime(2040, 11, 20, 8, 59, tzinfo=dt.UTC)
AUTHORITY = trustme.CA()


class Server:
    """A server on loopback that remembers what it was sent."""

    def __init__(self) -> None:
        self.port = 0
        self.received = b""
        self.connections = 0
        self.handshakes = 0

    async def listen(self, stream: trio.abc.Stream) -> None:
        """Read to the end."""
        self.connections += 1
        with suppress(trio.BrokenResourceError):
            if isinstance(stream, trio.SSLStream):
                await stream.do_handshake()
                self.handshakes += 1
            while data := await stream.receive_some():
                self.received += bytes(data)


def _context(*, ends: dt.datetime = ENDS, name: str = "localhost") -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    AUTHORITY.issue_cert(name, not_before=LONG_AGO, not_after=ends).configure_cert(context)
    return context


@asynccontextmanager
async def a_server(
    context: ssl.SSLContext | None = None,
    handler: Callable[[trio.abc.Stream], Awaitable[None]] | None = None,
) -> AsyncIterator[Server]:
    """Serve on loopback, with TLS where there is a context."""
    server = Server()
    serving = handler or server.listen

    async def connected(stream: trio.SocketStream) -> None:
        await serving(
            trio.SSLStream(stream, context, server_side=True, https_compatible=True)
            if context
            else stream
        )

    async with trio.open_nursery() as nursery:
        (listener,) = await nursery.start(
            partial(trio.serve_tcp, connected, 0, host="127.0.0.1", handler_nursery=nursery)
        )
        server.port = int(listener.socket.getsockname()[1])
        yield server
        nursery.cancel_scope.cancel()


@pytest.fixture
def tls(tmp_path: Path) -> str:
    """The settings of an endpoint that trusts the tests' authority."""
    AUTHORITY.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    return f'tls = {{ ca_file = "{tmp_path}/ca.pem" }}'


@pytest.fixture
def tried(tmp_path: Path) -> Callable[..., Awaitable[list[Connection]]]:
    """Try the endpoints of a subscription with these keys, within half a second each."""

    async def tried(*keys: str, top: str = "") -> list[Connection]:
        path = tmp_path / "callpost.toml"
        keys = ("connect_timeout_s = 0.5", *keys)
        path.write_text(f'{top}\n[[subscription]]\nname = "crm"\n' + "\n".join(keys))
        return await try_endpoints(load(path, {}))

    return tried


Tried = Callable[..., Awaitable[list[Connection]]]


async def test_an_endpoint_is_reached_without_a_byte_being_sent(tried: Tried) -> None:
    """The subscriber's server sees a connection that ends."""
    async with a_server() as server:
        (found,) = await tried(f'url = "http://localhost:{server.port}/"')
    assert (found.ok, found.fault, server.received) == (True, "", b"")


async def test_the_address_that_was_dialled_is_told(tried: Tried) -> None:
    """Of several that a name has it is the one that answered."""
    async with a_server() as server:
        (found,) = await tried(f'url = "tcp://localhost:{server.port}"', top='egress.ip = "4"')
    assert found.address == "127.0.0.1"


@pytest.mark.parametrize("http2", ["true", "false"])
async def test_tls_is_told_with_its_version_and_the_certificates_end(
    tried: Tried, tls: str, http2: str
) -> None:
    """A certificate that will end is seen here first."""
    async with a_server(_context()) as server:
        (found,) = await tried(f'url = "https://localhost:{server.port}/"', tls, f"http2 = {http2}")
    assert (found.ok, found.tls_version, found.certificate_ends_at) == (
        True,
        "TLSv1.3",
        "2040-11-20T08:59:00.000Z",
    )


@pytest.mark.parametrize("http2", ["true", "false"])
async def test_each_step_has_its_time(tried: Tried, tls: str, http2: str) -> None:
    """Name, connection and TLS, in HTTP/1.1 as in HTTP/2."""
    async with a_server(_context()) as server:
        (found,) = await tried(f'url = "https://localhost:{server.port}/"', tls, f"http2 = {http2}")
    steps = (found.resolve_ms, found.connect_ms, found.tls_ms)
    assert [ms is not None and 0 <= ms < 5_000 for ms in steps] == [True, True, True]


async def test_without_tls_there_is_no_time_for_it(tried: Tried) -> None:
    """Absent is not zero."""
    async with a_server() as server:
        (found,) = await tried(f'url = "http://localhost:{server.port}/"')
    assert (found.tls_ms, found.tls_version, found.certificate_ends_at) == (None, "", None)


@pytest.mark.parametrize("http2", ["true", "false"])
async def test_an_expired_certificate_is_told_with_its_end(
    tried: Tried, tls: str, http2: str
) -> None:
    """The handshake that failed did not show it, so a second one asks for it."""
    async with a_server(_context(ends=ENDED)) as server:
        (found,) = await tried(f'url = "https://localhost:{server.port}/"', tls, f"http2 = {http2}")
    assert found.fault == "its certificate is not accepted: expired 2020-11-20T08:59:00Z"


@pytest.mark.parametrize(
    ("trusted", "name", "fault"),
    [
        (False, "localhost", "its certificate is not accepted: of an unknown authority"),
        (True, "other.example", "its certificate is not accepted: for another name"),
    ],
)
async def test_a_certificate_that_is_not_accepted_is_a_fault(
    tried: Tried, tls: str, *, trusted: bool, name: str, fault: str
) -> None:
    """It is verified as the daemon verifies it."""
    async with a_server(_context(name=name)) as server:
        (found,) = await tried(
            f'url = "https://localhost:{server.port}/"', *([tls] if trusted else [])
        )
    assert (found.ok, found.fault) == (False, fault)


async def test_a_port_where_nobody_listens_is_a_fault(tried: Tried) -> None:
    """The sentence says what that can mean."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        (found,) = await tried(f'url = "http://127.0.0.1:{taken.getsockname()[1]}/"')
    assert (found.ok, found.reason, found.fault) == (
        False,
        "connect:refused",
        "the connection was refused: nobody listens there, or a firewall is closed",
    )


async def test_a_silent_peer_is_waited_for_as_long_as_its_endpoint_says(tried: Tried) -> None:
    """The connect time-out covers the handshake."""

    async def silent(stream: trio.abc.Stream) -> None:
        while await stream.receive_some():
            pass

    async with a_server(handler=silent) as server:
        began = trio.current_time()
        (found,) = await tried(f'url = "https://localhost:{server.port}/"')
        took_s = trio.current_time() - began
    assert (found.fault, 0.4 < took_s < 4) == ("the TLS handshake did not end within 0.5 s", True)


async def test_a_denied_address_is_not_dialled(tried: Tried) -> None:
    """The guard is the daemon's."""
    async with a_server() as server:
        (found,) = await tried(
            f'url = "http://127.0.0.1:{server.port}/"', top='egress.deny = ["127.0.0.0/8"]'
        )
    assert (found.fault, found.address) == ("[egress] denies its address", "")


async def test_a_tunnel_is_made_through_the_proxy(tried: Tried, tls: str) -> None:
    """What is told of TLS is the endpoint's, at the proxy's far end."""
    proxy = ForwardProxy()
    async with a_server(_context()) as server, a_server(handler=proxy.serve) as door:
        (found,) = await tried(
            f'url = "https://localhost:{server.port}/"',
            tls,
            f'proxy = "http://127.0.0.1:{door.port}"',
        )
    assert (found.ok, found.via, [one.line for one in proxy.asked], server.handshakes) == (
        True,
        f"http://127.0.0.1:{door.port}",
        [f"CONNECT localhost:{server.port} HTTP/1.1"],
        1,
    )


async def test_an_expired_certificate_behind_a_proxy_is_not_asked_for_past_it(
    tried: Tried, tls: str
) -> None:
    """Who is to be reached through a proxy is never dialled otherwise."""
    proxy = ForwardProxy()
    async with a_server(_context(ends=ENDED)) as server, a_server(handler=proxy.serve) as door:
        (found,) = await tried(
            f'url = "https://localhost:{server.port}/"',
            tls,
            f'proxy = "http://127.0.0.1:{door.port}"',
        )
    assert (found.fault, server.connections) == ("its certificate is not accepted: expired", 1)


async def test_a_proxy_that_refuses_is_told_apart_from_the_endpoint(tried: Tried) -> None:
    """The sentence begins with whose fault it is."""
    proxy = ForwardProxy(credentials="u:p")
    async with a_server(handler=proxy.serve) as door:
        (found,) = await tried(
            'url = "https://localhost:9/"', f'proxy = "http://127.0.0.1:{door.port}"'
        )
    assert found.fault == "the proxy: it asks for other credentials (407)"


async def test_of_udp_only_the_name_is_tried(tried: Tried) -> None:
    """Nothing is sent, and nobody would answer."""
    with socket.socket(type=socket.SOCK_DGRAM) as peer:
        peer.bind(("127.0.0.1", 0))
        peer.setblocking(False)
        (found,) = await tried(f'url = "udp://127.0.0.1:{peer.getsockname()[1]}"')
        with pytest.raises(BlockingIOError):
            peer.recv(1)
    assert (found.ok, found.address, found.connect_ms) == (True, "127.0.0.1", None)


async def test_every_endpoint_of_who_is_enabled_is_tried_in_order(tried: Tried) -> None:
    """Fallbacks, callbacks and reports, but not what sends nothing."""
    found = await tried(
        'url = "udp://127.0.0.1:1"',
        'fallback = [{ url = "udp://127.0.0.1:2" }]',
        'status_callback = { url = "udp://127.0.0.1:3" }',
        'delivery_report = { url = "udp://127.0.0.1:4", on = ["dead"] }',
        '[[subscription]]\nname = "off"\nurl = "udp://127.0.0.1:5"\nenabled = false',
    )
    assert [one.place for one in found] == ["primary", "fallback-1", "callback", "report"]


async def test_many_endpoints_are_tried_together(tmp_path: Path) -> None:
    """Forty that are silent take two time-outs, not forty."""

    async def silent(stream: trio.abc.Stream) -> None:
        while await stream.receive_some():
            pass

    async with a_server(handler=silent) as server:
        path = tmp_path / "callpost.toml"
        path.write_text(
            "".join(
                f'[[subscription]]\nname = "s{number}"\nurl = "https://127.0.0.1:{server.port}/"\n'
                "connect_timeout_s = 0.5\n"
                for number in range(40)
            )
        )
        began = trio.current_time()
        found = await try_endpoints(load(path, {}))
        took_s = trio.current_time() - began
    assert (len(found), took_s < 10) == (40, True)
