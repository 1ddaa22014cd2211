"""Proxies: what they are asked, what they may not be asked, and how they fail."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest
import trio
import trustme

from callpost.edge.dial import Dialer
from callpost.model.delivery import Message
from callpost.model.egress import Guard
from callpost.model.endpoint import BasicAuth, Proxy, Timeouts
from callpost.model.limits import Egress
from callpost.model.outcome import Delivered, Outcome, Retry
from edge.send.http_ways import LOOPBACK, WAYS, Roads, Serve, Way
from http_proxy import ForwardProxy
from http_receivers import Receiver

OK: Final = Delivered("http_200", 200)
DENIED: Final = Retry(reason="egress_denied", phase="connect")
# Of the user callpost and the password pr0xy.
AUTHORIZATION: Final = "Basic Y2FsbHBvc3Q6cHIweHk="


@pytest.fixture
async def roads(
    nursery: trio.Nursery, serve: Serve, authority: trustme.CA, tmp_path: Path
) -> AsyncIterator[Roads]:
    """Senders to receivers on loopback."""
    opened = Roads(nursery, serve, authority, tmp_path)
    yield opened
    opened.close()


@pytest.fixture(params=[name for name, way in WAYS.items() if way.proxied])
def way(request: pytest.FixtureRequest) -> Way:
    """Each of the ways through a proxy."""
    return WAYS[request.param]


async def test_a_proxy_forwards_what_is_not_secured(roads: Roads, message: Message) -> None:
    """It is asked for the whole URL, by name, with what it wants to know of us."""
    receiver = Receiver()
    await (await roads.to(receiver, WAYS["forwarded"])).send(message)
    [asked] = roads.proxy.asked
    host = receiver.requests[0].header("host")
    assert (asked.line, asked.headers["host"], asked.headers["proxy-authorization"]) == (
        f"POST http://{host}/calls?key=abc HTTP/1.1",
        host,
        AUTHORIZATION,
    )


@pytest.mark.parametrize("way", ["tunnelled", "http2 tunnelled"])
async def test_a_proxy_makes_a_tunnel_to_what_is_secured(
    roads: Roads, message: Message, way: str
) -> None:
    """It learns the name and the port, and nothing of the requests."""
    receiver = Receiver()
    await (await roads.to(receiver, WAYS[way])).send(message)
    [asked] = roads.proxy.asked
    host = receiver.requests[0].header("host")
    assert (asked.line, asked.headers) == (
        f"CONNECT {host} HTTP/1.1",
        {"host": host, "user-agent": "callpost/1.2", "proxy-authorization": AUTHORIZATION},
    )


async def test_a_connection_to_a_proxy_is_kept(roads: Roads, message: Message, way: Way) -> None:
    """A tunnel is asked for once."""
    sender = await roads.to(Receiver(), way)
    for _ in range(3):
        await sender.send(message)
    assert len(roads.proxy.asked) == 1


async def test_a_proxy_may_want_to_know_nothing(roads: Roads, message: Message, way: Way) -> None:
    """Without a user name nothing is told."""
    proxy = ForwardProxy()
    port = await roads.serve(proxy.serve)
    sender = await roads.to(Receiver(), way, proxy=Proxy("http", LOOPBACK, port))
    outcome = (await sender.send(message)).outcome
    assert (outcome, "proxy-authorization" in proxy.asked[0].headers) == (OK, False)


async def test_a_proxy_of_an_operators_own_header_is_not_told_twice(
    roads: Roads, message: Message
) -> None:
    """What the operator sets wins, as with every header."""
    headers = (("Proxy-Authorization", "Basic b3duOm93bg=="),)
    sender = await roads.to(Receiver(), WAYS["forwarded"], headers=headers)
    await sender.send(message)
    assert roads.proxy.asked[0].headers["proxy-authorization"] == "Basic b3duOm93bg=="


@pytest.mark.parametrize(
    ("way", "outcome"),
    [
        ("forwarded", Retry(reason="http_407", http_status=407)),
        ("tunnelled", Retry(reason="proxy:http_407", phase="connect")),
        ("http2 tunnelled", Retry(reason="proxy:http_407", phase="connect")),
    ],
)
async def test_a_proxy_that_knows_us_not_is_an_outcome(
    roads: Roads, message: Message, way: str, outcome: Outcome
) -> None:
    """The receiver hears nothing."""
    receiver = Receiver()
    port = await roads.serve(roads.proxy.serve)
    proxy = Proxy("http", LOOPBACK, port, BasicAuth("callpost", "wrong"))
    sender = await roads.to(receiver, WAYS[way], proxy=proxy)
    assert ((await sender.send(message)).outcome, receiver.connections) == (outcome, 0)


@pytest.mark.parametrize(
    ("says", "reason"),
    [
        (b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n", "proxy:http_502"),
        (b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\n\r\n", "proxy:http_302"),
        (b"SSH-2.0-OpenSSH\r\n\r\n", "proxy:protocol"),
        (b"HTTP/1.1 200 OK\r\n\r\nand something more", "proxy:protocol"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000, "proxy:protocol"),
    ],
)
async def test_a_proxy_that_makes_no_tunnel_is_an_outcome(
    roads: Roads, message: Message, says: bytes, reason: str
) -> None:
    """Told apart from what the receiver says, and never followed."""
    port = await roads.serve(ForwardProxy(says=says).serve)
    sender = await roads.to(Receiver(), WAYS["tunnelled"], proxy=Proxy("http", LOOPBACK, port))
    assert (await sender.send(message)).outcome == Retry(reason=reason, phase="connect")


async def test_answers_in_between_are_passed_over(roads: Roads, message: Message) -> None:
    """A proxy may say that it works on it."""
    says = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"
    port = await roads.serve(ForwardProxy(says=says).serve)
    sender = await roads.to(Receiver(), WAYS["tunnelled"], proxy=Proxy("http", LOOPBACK, port))
    assert (await sender.send(message)).outcome.reason == "proxy:http_503"


@pytest.mark.parametrize(
    ("closes", "outcome"),
    [
        (True, Retry(reason="proxy:closed", phase="connect")),
        (False, Retry(reason="timeout_connect", phase="connect", timed_out=True)),
    ],
)
async def test_a_proxy_that_says_nothing_is_an_outcome(
    roads: Roads,
    message: Message,
    closes: bool,  # noqa: FBT001 - one of the parameters of the case
    outcome: Outcome,
) -> None:
    """It is connected, and then nothing comes."""

    async def proxy(stream: trio.abc.Stream) -> None:
        await stream.receive_some()
        while not closes and await stream.receive_some():
            pass

    sender = await roads.to(
        Receiver(),
        WAYS["tunnelled"],
        proxy=Proxy("http", LOOPBACK, await roads.serve(proxy)),
        timeouts=Timeouts(connect_s=0.3),
    )
    assert (await sender.send(message)).outcome == outcome


async def test_a_proxy_that_is_not_there_is_an_outcome(
    roads: Roads, message: Message, way: Way
) -> None:
    """It is the proxy that refused, not the receiver."""
    with trio.socket.socket() as unused:
        await unused.bind((LOOPBACK, 0))
        proxy = Proxy("http", LOOPBACK, unused.getsockname()[1])
        sender = await roads.to(Receiver(), way, proxy=proxy)
        outcome = (await sender.send(message)).outcome
    assert outcome == Retry(reason="proxy:connect:refused", phase="connect")


async def test_a_secured_proxy_is_spoken_to_in_tls(
    roads: Roads,
    message: Message,
    way: Way,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also around the TLS of what goes through it; the system's authorities verify it."""
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    context = roads.server_context("localhost", speaks=("http/1.1",))
    port = await roads.serve(roads.proxy.serve, tls=context)
    proxy = Proxy("https", "localhost", port, BasicAuth("callpost", "pr0xy"))
    sender = await roads.to(Receiver(), way, proxy=proxy)
    outcomes = [(await sender.send(message)).outcome for _ in range(2)]
    assert (outcomes, len(roads.proxy.asked)) == ([OK, OK], 1)


async def test_a_secured_proxy_is_verified(roads: Roads, message: Message, way: Way) -> None:
    """What the endpoint trusts is not what the proxy is trusted by."""
    context = roads.server_context("localhost", speaks=("http/1.1",))
    port = await roads.serve(roads.proxy.serve, tls=context)
    sender = await roads.to(Receiver(), way, proxy=Proxy("https", "localhost", port))
    assert (await sender.send(message)).outcome == Retry(
        reason="proxy:tls:certificate of an unknown authority", phase="tls"
    )


@pytest.mark.parametrize(
    "answers",
    [
        ("169.254.169.254",),
        ("127.0.0.1", "169.254.169.254"),
        ("::ffff:169.254.169.254", "127.0.0.1"),
    ],
)
async def test_a_proxy_is_not_asked_for_what_is_denied(
    roads: Roads, message: Message, way: Way, answers: tuple[str, ...]
) -> None:
    """It chooses among the addresses for itself, so one that is denied is one too many."""
    sender = await roads.to_port(9, way, answers=answers)
    assert ((await sender.send(message)).outcome, roads.proxy.asked) == (DENIED, [])


@pytest.mark.parametrize("host", ["169.254.169.254", "::ffff:a9fe:a9fe", "0.0.0.0"])
async def test_a_denied_address_in_the_url_is_not_asked_for(
    roads: Roads, message: Message, way: Way, host: str
) -> None:
    """There is no name to look up."""
    sender = await roads.to_port(9, way, host=host)
    assert ((await sender.send(message)).outcome, roads.proxy.asked) == (DENIED, [])


async def test_a_name_that_is_unknown_here_is_not_asked_for(
    roads: Roads, message: Message, way: Way
) -> None:
    """Whatever the proxy may find behind it could not be vetted."""
    sender = await roads.to_port(9, way, answers=())
    outcome = (await sender.send(message)).outcome
    assert (outcome, roads.proxy.asked) == (Retry(reason="dns:not_found", phase="resolve"), [])


async def test_a_denied_proxy_is_not_dialled(roads: Roads, message: Message, way: Way) -> None:
    """The guard is asked about the proxy too."""
    proxy = Proxy("http", "169.254.169.254", 3128)
    sender = await roads.to(Receiver(), way, proxy=proxy)
    assert (await sender.send(message)).outcome == Retry(
        reason="proxy:egress_denied", phase="connect"
    )


async def test_what_is_allowed_on_purpose_is_asked_for(
    roads: Roads, message: Message, way: Way
) -> None:
    """`allow` opens a network for proxies too."""
    egress = Egress(deny=("127.0.0.0/8",), allow=("127.0.0.1/32",))
    sender = await roads.to(Receiver(), way, egress=egress)
    assert (await sender.send(message)).outcome == OK


async def test_each_connection_is_vetted_anew(roads: Roads, message: Message, way: Way) -> None:
    """A name that changes its mind (DNS rebinding) gains nothing but what it had."""
    answers = iter([("127.0.0.1",), ("169.254.169.254",)])
    vetting = Dialer(Egress(), Guard(), look_up=lambda _: next(answers))
    sender = await roads.to(Receiver(), way, egress=Egress(keepalive_s=0), vet=vetting.refusal)
    outcomes = [(await sender.send(message)).outcome for _ in range(2)]
    assert outcomes == [OK, DENIED]


async def test_the_time_to_connect_holds_for_the_name_too(
    roads: Roads, message: Message, way: Way
) -> None:
    """A resolver that hangs is a time-out."""

    async def hangs(host: str, port: int, *, strict: bool) -> None:
        await trio.sleep_forever()

    timeouts = Timeouts(connect_s=0.1)
    sender = await roads.to(Receiver(), way, vet=hangs, timeouts=timeouts)
    assert (await sender.send(message)).outcome == Retry(
        reason="timeout_connect", phase="resolve", timed_out=True
    )


async def test_proxies_of_the_environment_are_ignored(
    roads: Roads, message: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only what is configured is on the way."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    sender = await roads.to(Receiver(), WAYS["http2"])
    assert (await sender.send(message)).outcome == OK


async def test_an_address_of_ip_version_6_is_asked_for_in_brackets(
    roads: Roads, message: Message
) -> None:
    """As in a URL."""
    proxy = ForwardProxy(says=b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n")
    port = await roads.serve(proxy.serve)
    for name in ("forwarded", "tunnelled"):
        sender = await roads.to_port(
            8443, WAYS[name], host="2001:db8::1", proxy=Proxy("http", LOOPBACK, port)
        )
        await sender.send(message)
    assert [asked.line for asked in proxy.asked] == [
        "POST http://[2001:db8::1]:8443/calls?key=abc HTTP/1.1",
        "CONNECT [2001:db8::1]:8443 HTTP/1.1",
    ]


async def test_a_receiver_behind_a_tunnel_that_speaks_no_tls_is_an_outcome(
    roads: Roads, message: Message
) -> None:
    """The tunnel stands, so it is the receiver that fails."""

    async def receiver(stream: trio.abc.Stream) -> None:
        await stream.receive_some()
        await stream.send_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    sender = await roads.to_port(await roads.serve(receiver), WAYS["tunnelled"])
    outcome = (await sender.send(message)).outcome
    assert outcome == Retry(reason="tls:wrong version number", phase="tls")
