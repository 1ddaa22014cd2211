"""The egress guard in front of every way out: no disguise of a denied address is dialled.

Where an address is allowed there is a real server, so that "denied" is no accident.
"""

from collections.abc import Awaitable, Callable

import pytest
import trio

from callpost.edge.dial import Dialer
from callpost.edge.send_http import HttpSender
from callpost.edge.send_tcp import TcpSender
from callpost.edge.send_udp import UdpSender
from callpost.model.delivery import Message
from callpost.model.egress import Guard
from callpost.model.endpoint import HttpEndpoint, TcpEndpoint, Timeouts, UdpEndpoint
from callpost.model.limits import Egress
from callpost.model.outcome import Delivered, Outcome, Retry
from callpost.model.url import ParsedUrl, UrlFault, parse_url
from edge.send.tending import tending

Serve = Callable[..., Awaitable[int]]
_DENIED = Retry(reason="egress_denied", phase="connect")
_TIMEOUTS = Timeouts(connect_s=0.5, first_byte_s=0.5, whole_s=1)
# 169.254.169.254, where clouds keep their credentials, and how else it can be written.
_METADATA = [
    "169.254.169.254",
    "[::ffff:169.254.169.254]",
    "[::ffff:a9fe:a9fe]",
    "[::169.254.169.254]",
    "[::ffff:0:169.254.169.254]",
    "[64:ff9b::a9fe:a9fe]",
    "[64:ff9b:1::a9fe:a9fe]",
    "[2002:a9fe:a9fe::]",
    "[2002:a9fe:a9fe:1::1]",
]
_OTHERS = ["100.100.100.200", "[fe80::1]", "[fd00:ec2::254]", "0.0.0.0", "[::]", "224.0.0.1"]
_NUMBERS = ["2852039166", "0251.0376.0251.0376", "0xa9fea9fe", "169.254.43518", "169.254.169.254."]


def _sender(
    dialer: Dialer, url: str, egress: Egress, *, place: str = "primary"
) -> HttpSender | TcpSender | UdpSender:
    """What sends to `url`."""
    parsed = parse_url(url)
    assert isinstance(parsed, ParsedUrl)
    match parsed.scheme:
        case "http" | "https":
            http = HttpEndpoint(
                place=place,
                scheme=parsed.scheme,
                host=parsed.host,
                port=parsed.port,
                target=parsed.target,
                method="POSTJSON",
                level=2,
                timeouts=_TIMEOUTS,
            )
            return HttpSender(http, dialer=dialer, egress=egress, version="1")
        case "tcp":
            tcp = TcpEndpoint(
                place=place,
                host=parsed.host,
                port=parsed.port,
                method="POSTJSON",
                level=2,
                timeouts=_TIMEOUTS,
            )
            return TcpSender(tcp, dialer=dialer, egress=egress)
        case "udp":
            udp = UdpEndpoint(
                place=place,
                host=parsed.host,
                port=parsed.port,
                method="POSTJSON",
                level=2,
                timeouts=_TIMEOUTS,
            )
            return UdpSender(udp, dialer=dialer, egress=egress)


async def _outcome(
    message: Message,
    url: str,
    *answers: str,
    egress: Egress | None = None,
    place: str = "primary",
) -> Outcome:
    """How a delivery to `url` ends, where a name has these answers."""
    egress = egress or Egress()
    guard = Guard(deny=egress.deny, allow=egress.allow)
    async with tending(Dialer(egress, guard, look_up=lambda _: answers)) as dialer:
        sender = _sender(dialer, url, egress, place=place)
        report = await sender.send(message)
        sender.close()
    return report.outcome


async def _accepting(stream: trio.abc.Stream) -> None:
    await stream.receive_some()
    await stream.send_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")


@pytest.mark.parametrize("place", ["primary", "fallback-1", "callback"])
@pytest.mark.parametrize("scheme", ["http", "https", "tcp", "udp"])
@pytest.mark.parametrize("host", [*_METADATA, *_OTHERS])
async def test_a_denied_address_in_a_url_is_not_dialled(
    message: Message, scheme: str, host: str, place: str
) -> None:
    """Over every transport, for whatever the endpoint is there."""
    assert await _outcome(message, f"{scheme}://{host}:8900", place=place) == _DENIED


@pytest.mark.parametrize("scheme", ["http", "https", "tcp", "udp"])
@pytest.mark.parametrize("host", _NUMBERS)
def test_an_address_in_other_numbers_is_no_url(scheme: str, host: str) -> None:
    """Decimal, octal and hexadecimal spellings never get as far as a resolver."""
    assert parse_url(f"{scheme}://{host}:8900") == UrlFault("URL points to an invalid IP address")


@pytest.mark.parametrize("scheme", ["http", "tcp", "udp"])
@pytest.mark.parametrize("answer", [host.strip("[]") for host in [*_METADATA, *_OTHERS]])
async def test_a_name_that_leads_to_a_denied_address_is_not_dialled(
    message: Message, scheme: str, answer: str
) -> None:
    """Every answer of the resolver is vetted."""
    assert await _outcome(message, f"{scheme}://pbx.example:8900", answer) == _DENIED


async def test_of_mixed_answers_only_the_allowed_one_is_dialled(
    serve: Serve, message: Message
) -> None:
    """The denied ones come first, and nothing waits for them."""
    url = f"http://pbx.example:{await serve(_accepting)}/"
    answers = ["169.254.169.254", "::ffff:169.254.169.254", "127.0.0.1"]
    assert await _outcome(message, url, *answers) == Delivered("http_200", 200)


@pytest.mark.parametrize("scheme", ["http", "tcp", "udp"])
@pytest.mark.parametrize("host", ["127.0.0.1", "[::ffff:127.0.0.1]", "[64:ff9b::7f00:1]"])
async def test_a_network_can_be_denied(
    serve: Serve, message: Message, scheme: str, host: str
) -> None:
    """`deny` goes for every transport and disguise, though somebody listens there."""
    url = f"{scheme}://{host}:{await serve(_accepting)}"
    assert await _outcome(message, url, egress=Egress(deny=("127.0.0.0/8",))) == _DENIED


async def test_a_denied_loopback_is_denied_by_name(serve: Serve, message: Message) -> None:
    """A name that leads home is no way around."""
    url = f"http://localhost:{await serve(_accepting)}/"
    egress = Egress(deny=("127.0.0.0/8", "::1/128"))
    assert await _outcome(message, url, "127.0.0.1", "::1", egress=egress) == _DENIED


@pytest.mark.parametrize("host", ["127.0.0.2", "pbx.example"])
async def test_an_allowed_address_is_open_within_a_denied_network(
    serve: Serve, message: Message, host: str
) -> None:
    """`allow` opens networks one by one, by address and by name."""
    url = f"http://{host}:{await serve(_accepting, host='127.0.0.2')}/"
    egress = Egress(deny=("127.0.0.0/8",), allow=("127.0.0.2/32",))
    outcome = await _outcome(message, url, "127.0.0.2", egress=egress)
    assert outcome == Delivered("http_200", 200)


async def test_a_name_that_changes_its_mind_gains_nothing(serve: Serve, message: Message) -> None:
    """DNS rebinding: what was vetted is dialled, and the next connect is vetted anew."""
    port = await serve(_accepting)
    answers = iter([("127.0.0.1",), ("169.254.169.254",)])
    egress = Egress(keepalive_s=0)
    endpoint = HttpEndpoint(
        place="primary",
        scheme="http",
        host="pbx.example",
        port=port,
        target="/",
        method="POSTJSON",
        level=2,
        timeouts=_TIMEOUTS,
    )
    async with tending(Dialer(egress, Guard(), look_up=lambda _: next(answers))) as dialer:
        sender = HttpSender(endpoint, dialer=dialer, egress=egress, version="1")
        outcomes = [(await sender.send(message)).outcome for _ in range(2)]
        sender.close()
    assert outcomes == [Delivered("http_200", 200), _DENIED]
