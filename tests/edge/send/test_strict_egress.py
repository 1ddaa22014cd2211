"""A strict endpoint, made by a stranger, never reaches a receiver on this machine.

Each time there is a real one, which would take what it is sent.
"""

import socket
from collections.abc import Callable, Iterator
from typing import Final

import pytest
import trio
import trustme

from callpost.edge.dial import Dialer
from callpost.model.delivery import Message
from callpost.model.egress import Guard
from callpost.model.endpoint import (
    Endpoint,
    HttpEndpoint,
    Proxy,
    TcpEndpoint,
    Timeouts,
    Tls,
    UdpEndpoint,
)
from callpost.model.limits import Egress
from callpost.model.outcome import Outcome, Retry
from callpost.senders import sender_factory
from edge.send.http_ways import Serve
from edge.send.tending import tending

_DENIED: Final = Retry(reason="egress_denied", phase="connect")
_TIMEOUTS: Final = Timeouts(connect_s=0.5, first_byte_s=0.5, whole_s=1)
Make = Callable[[str, int], Endpoint]


def _http(host: str, port: int, **keys: object) -> Endpoint:
    fields = {
        "place": "primary",
        "scheme": "http",
        "host": host,
        "port": port,
        "target": "/",
        "method": "POSTJSON",
        "level": 2,
        "timeouts": _TIMEOUTS,
        "tls": Tls(verify=False),
        "strict": True,
        **keys,
    }
    return HttpEndpoint(**fields)  # type: ignore[arg-type] # as spelt above


def _tcp(host: str, port: int) -> Endpoint:
    return TcpEndpoint(
        place="primary",
        host=host,
        port=port,
        method="POSTJSON",
        level=2,
        timeouts=_TIMEOUTS,
        strict=True,
    )


def _udp(host: str, port: int) -> Endpoint:
    return UdpEndpoint(
        place="callback",
        host=host,
        port=port,
        method="POSTJSON",
        level=2,
        timeouts=_TIMEOUTS,
        strict=True,
    )


# One for each way out. A proxy is a stranger's neither, and its target is vetted as well.
_WAYS: Final[dict[str, Make]] = {
    "http": _http,
    "https": lambda host, port: _http(host, port, scheme="https"),
    "http2": lambda host, port: _http(host, port, scheme="https", http2=True),
    "httpx": lambda host, port: _http(host, port, http_client="httpx"),
    "httpx http2": lambda host, port: _http(
        host, port, scheme="https", http2=True, http_client="httpx"
    ),
    "callback": lambda host, port: _http(host, port, place="callback"),
    "fallback": lambda host, port: _http(host, port, place="fallback-1"),
    "proxy": lambda host, port: _http("198.51.100.7", 8080, proxy=Proxy("http", host, port)),
    "proxied": lambda host, port: _http(host, port, proxy=Proxy("http", "127.0.0.1", port)),
    "tcp": _tcp,
    "udp": _udp,
}


class _Heard:
    """A receiver over TCP and UDP on one port of loopback."""

    def __init__(self, datagrams: socket.socket) -> None:
        self.connections = 0
        self._datagrams = datagrams

    async def take(self, stream: trio.abc.Stream) -> None:
        """Somebody has connected."""
        self.connections += 1
        await stream.receive_some()

    @property
    def nothing(self) -> bool:
        """Whether nobody came, by either."""
        try:
            self._datagrams.recv(65_536)
        except BlockingIOError:
            return self.connections == 0
        return False


@pytest.fixture
def datagrams() -> Iterator[socket.socket]:
    """A socket that datagrams may come to."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        yield sock


async def _sent(
    endpoint: Endpoint, message: Message, *answers: str, egress: Egress | None = None
) -> Outcome:
    egress = egress or Egress()
    guard = Guard(deny=egress.deny, allow=egress.allow)
    async with tending(Dialer(egress, guard, look_up=lambda _: answers)) as dialer:
        sender = sender_factory(dialer, egress)(endpoint, "acme")
        report = await sender.send(message)
        sender.close()
    return report.outcome


@pytest.mark.parametrize("host", ["127.0.0.1", "crm.example", "::ffff:127.0.0.1"])
@pytest.mark.parametrize("way", _WAYS)
async def test_a_stranger_does_not_reach_this_machine(
    serve: Serve, datagrams: socket.socket, message: Message, way: str, host: str
) -> None:
    """By address, by a name that leads here, and in disguise; nothing is even tried."""
    heard = _Heard(datagrams)
    port = await serve(heard.take)
    datagrams.bind(("127.0.0.1", port))
    outcome = await _sent(_WAYS[way](host, port), message, "127.0.0.1")
    await trio.testing.wait_all_tasks_blocked()
    denied = outcome.reason.removeprefix("proxy:") == "egress_denied"
    assert (denied, heard.nothing) == (True, True)


@pytest.mark.parametrize("way", ["http", "httpx", "tcp", "udp"])
async def test_of_mixed_answers_only_a_public_one_is_dialled(
    serve: Serve, datagrams: socket.socket, message: Message, way: str
) -> None:
    """The others are as good as not there; this one is of a network that is opened on purpose."""
    heard = _Heard(datagrams)
    port = await serve(heard.take)
    datagrams.bind(("127.0.0.1", port))
    answers = ("127.0.0.1", "10.0.0.1", "127.0.0.77")
    egress = Egress(allow=("127.0.0.77/32",))
    outcome = await _sent(_WAYS[way]("crm.example", port), message, *answers, egress=egress)
    assert (outcome == _DENIED, heard.nothing) == (False, True)


@pytest.mark.parametrize("way", ["http", "https", "http2", "httpx", "tcp"])
async def test_an_allowed_network_is_open_to_strangers(
    serve: Serve,
    datagrams: socket.socket,
    message: Message,
    authority: trustme.CA,
    way: str,
) -> None:
    """What `allow` names is dialled."""
    heard = _Heard(datagrams)
    port = await serve(heard.take)
    await _sent(_WAYS[way]("127.0.0.1", port), message, egress=Egress(allow=("127.0.0.1/32",)))
    assert heard.connections > 0


@pytest.mark.parametrize("way", _WAYS)
@pytest.mark.parametrize("port", [22, 25, 1023])
async def test_a_port_of_a_service_is_not_dialled(message: Message, way: str, port: int) -> None:
    """Though its address is open."""
    egress = Egress(allow=("0.0.0.0/0", "::/0"))
    outcome = await _sent(_WAYS[way]("127.0.0.1", port), message, egress=egress)
    assert outcome.reason.removeprefix("proxy:") == "egress_denied"
