"""How many links stand to one host and port, and how those that rest come to an end."""

import resource
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import trio
import trustme
from msgspec.structs import replace

from callpost.edge.dial import Dialer, Link
from callpost.edge.send_http import HttpSender
from callpost.edge.send_tcp import TcpSender
from callpost.model.delivery import Message
from callpost.model.egress import Guard
from callpost.model.endpoint import HttpEndpoint, TcpEndpoint, Timeouts
from callpost.model.limits import Egress
from callpost.model.outcome import Delivered, LocalFault, Retry

Serve = Callable[..., Awaitable[int]]
_OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
_NO_PLACE = LocalFault("max_connections_per_host", of_machine=False)
_TIMEOUTS = Timeouts(connect_s=0.2, first_byte_s=1, whole_s=2)


class _Server:
    """Answers whatever comes with `answer`, and knows how many connections stand."""

    def __init__(self, answer: bytes = _OK) -> None:
        self.answer = answer
        self.standing = 0
        self.most = 0
        self.total = 0
        self._changed = trio.Event()

    async def __call__(self, stream: trio.abc.Stream) -> None:
        self.total += 1
        self._count(1)
        try:
            while await stream.receive_some():
                await stream.send_all(self.answer)
        finally:
            self._count(-1)

    async def until_standing(self, number: int) -> None:
        while self.standing != number:
            await self._changed.wait()

    def _count(self, change: int) -> None:
        self.standing += change
        self.most = max(self.most, self.standing)
        self._changed.set()
        self._changed = trio.Event()


@pytest.fixture(autouse=True)
async def bounded() -> AsyncIterator[None]:
    """Nothing here takes long."""
    with trio.fail_after(5):
        yield


async def _dialer(
    nursery: trio.Nursery, per_host: int = 1, keepalive_s: float = 30.0
) -> tuple[Dialer, Egress]:
    egress = Egress(max_connections_per_host=per_host, keepalive_s=keepalive_s)
    dialer = Dialer(egress, Guard(), look_up=lambda _: ("127.0.0.1",))
    await nursery.start(dialer.tend)
    return dialer, egress


async def _link(
    dialer: Dialer, port: int, *, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None
) -> Link:
    link = await dialer.connect(host, port, tls=tls, connect_timeout_s=2)
    assert isinstance(link, Link)
    return link


async def _again(
    dialer: Dialer, port: int, *, host: str = "127.0.0.1", within_s: float = 0.1
) -> Link | Retry | LocalFault:
    """Connect and close, and say how that went."""
    link = await dialer.connect(host, port, tls=None, connect_timeout_s=within_s)
    if isinstance(link, Link):
        link.close()
    return link


def _http(dialer: Dialer, egress: Egress, port: int) -> HttpSender:
    endpoint = HttpEndpoint(
        place="primary",
        scheme="http",
        host="127.0.0.1",
        port=port,
        target="/",
        method="POSTJSON",
        level=2,
        timeouts=_TIMEOUTS,
    )
    return HttpSender(endpoint, dialer=dialer, egress=egress, version="1")


def _tcp(dialer: Dialer, egress: Egress, port: int, *, ack: bool) -> TcpSender:
    endpoint = TcpEndpoint(
        place="primary",
        host="127.0.0.1",
        port=port,
        method="POSTJSON",
        level=2,
        ack=ack,
        timeouts=_TIMEOUTS,
    )
    return TcpSender(endpoint, dialer=dialer, egress=egress)


async def test_a_link_too_many_is_our_own_fault(serve: Serve, nursery: trio.Nursery) -> None:
    """Nobody is charged for a place that did not become free within the connect time-out."""
    dialer, _ = await _dialer(nursery)
    port = await serve(_Server())
    link = await _link(dialer, port)
    outcome = await _again(dialer, port)
    link.close()
    assert outcome == _NO_PLACE


async def test_another_port_and_another_host_have_places_of_their_own(
    serve: Serve, nursery: trio.Nursery
) -> None:
    """The limit protects one peer and holds up no other."""
    dialer, _ = await _dialer(nursery)
    port, other_port = await serve(_Server()), await serve(_Server())
    link = await _link(dialer, port)
    others = [
        await _again(dialer, other_port),
        await _again(dialer, port, host="pbx.example"),
    ]
    link.close()
    assert [isinstance(other, Link) for other in others] == [True, True]


async def test_whoever_came_first_gets_the_place_that_becomes_free(
    serve: Serve, nursery: trio.Nursery
) -> None:
    """First come, first served."""
    dialer, _ = await _dialer(nursery)
    port = await serve(_Server())
    link = await _link(dialer, port)
    served: list[int] = []

    async def wait(number: int) -> None:
        waited = await _link(dialer, port)
        served.append(number)
        waited.close()

    async with trio.open_nursery() as waiting:
        for number in range(5):
            waiting.start_soon(wait, number)
            await trio.testing.wait_all_tasks_blocked()
        link.close()
    assert served == [0, 1, 2, 3, 4]


async def test_whoever_gave_up_waiting_takes_no_place(serve: Serve, nursery: trio.Nursery) -> None:
    """A cancelled wait leaves the queue."""
    dialer, _ = await _dialer(nursery)
    port = await serve(_Server())
    link = await _link(dialer, port)
    async with trio.open_nursery() as waiting:
        for _ in range(3):
            waiting.start_soon(_link, dialer, port)
        await trio.testing.wait_all_tasks_blocked()
        waiting.cancel_scope.cancel()
    link.close()
    assert isinstance(await _again(dialer, port), Link)


@pytest.mark.parametrize("how", ["refused", "tls refused", "tls cancelled", "connect cancelled"])
async def test_a_connect_that_fails_leaves_its_place(
    serve: Serve, nursery: trio.Nursery, how: str
) -> None:
    """Whatever ends it, in whichever phase."""
    dialer, _ = await _dialer(nursery)

    async def no_tls(stream: trio.abc.Stream) -> None:
        await stream.receive_some()
        if how == "tls refused":
            await stream.send_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await stream.receive_some()

    port = await serve(no_tls)
    context = ssl.create_default_context() if how.startswith("tls") else None
    if how == "refused":
        with trio.socket.socket() as unused:
            await unused.bind(("127.0.0.1", 0))
            port = int(unused.getsockname()[1])
    for _ in range(3):
        with trio.move_on_after(0.0 if how == "connect cancelled" else 0.1):
            await dialer.connect("127.0.0.1", port, tls=context, connect_timeout_s=0.5)
    assert dialer._places._peers == {}


async def test_a_link_leaves_its_place_once(serve: Serve, nursery: trio.Nursery) -> None:
    """Closing it twice makes no room for two."""
    dialer, _ = await _dialer(nursery)
    port = await serve(_Server())
    first = await _link(dialer, port)
    first.close()
    first.close()
    second = await _link(dialer, port)
    outcome = await _again(dialer, port)
    second.close()
    assert outcome == _NO_PLACE


async def test_a_kept_connection_of_another_sender_makes_room(
    serve: Serve, nursery: trio.Nursery, message: Message
) -> None:
    """An idle connection is worth less than a delivery that waits."""
    dialer, egress = await _dialer(nursery)
    server = _Server()
    port = await serve(server)
    senders = [_http(dialer, egress, port) for _ in range(2)]
    outcomes = [(await senders[turn % 2].send(message)).outcome for turn in range(6)]
    for sender in senders:
        sender.close()
    assert (set(outcomes), server.total) == ({Delivered("http_200", 200)}, 6)


async def test_many_senders_share_few_places(
    serve: Serve, nursery: trio.Nursery, message: Message
) -> None:
    """Twenty attempts of five subscribers at one peer with three places: all are delivered."""
    dialer, egress = await _dialer(nursery, per_host=3)
    server = _Server()
    port = await serve(server)
    senders = [_http(dialer, egress, port) for _ in range(5)]
    outcomes = []

    async def send(sender: HttpSender) -> None:
        outcomes.append((await sender.send(message)).outcome)

    async with trio.open_nursery() as sending:
        for turn in range(20):
            sending.start_soon(send, senders[turn % 5])
    for sender in senders:
        sender.close()
    assert (set(outcomes), server.most <= 3) == ({Delivered("http_200", 200)}, True)


async def test_a_busy_connection_is_not_given_up_after_each_delivery(
    serve: Serve, nursery: trio.Nursery, message: Message
) -> None:
    """Three carriers with work for two places: far fewer connections than deliveries."""
    dialer, egress = await _dialer(nursery, per_host=2)
    server = _Server()
    port = await serve(server)
    outcomes = []

    async def carry(sender: HttpSender) -> None:
        outcomes.extend([(await sender.send(message)).outcome for _ in range(60)])
        sender.close()

    async with trio.open_nursery() as carriers:
        for _ in range(3):
            carriers.start_soon(carry, _http(dialer, egress, port))
    few = server.total <= 60
    assert (set(outcomes), len(outcomes), few) == ({Delivered("http_200", 200)}, 180, True)


@pytest.mark.parametrize(("ack", "expected"), [(True, Delivered("acknowledged")), (False, None)])
async def test_a_tcp_line_makes_room_where_every_frame_was_answered(
    serve: Serve, nursery: trio.Nursery, message: Message, *, ack: bool, expected: Delivered | None
) -> None:
    """Without answers nobody knows what the peer has read, so such a line keeps its place."""
    dialer, egress = await _dialer(nursery)
    port = await serve(_Server(b"OK\n"))
    first, second = (_tcp(dialer, egress, port, ack=ack) for _ in range(2))
    await first.send(message)
    report = await second.send(message)
    first.close()
    second.close()
    assert report.outcome == (expected or _NO_PLACE)


async def test_an_idle_connection_is_closed_by_itself(
    serve: Serve, message: Message, nursery: trio.Nursery
) -> None:
    """After `keepalive_s`, though nothing else is sent."""
    dialer, egress = await _dialer(nursery, per_host=8, keepalive_s=0.1)
    server = _Server()
    port = await serve(server)
    sender = _http(dialer, egress, port)
    async with trio.open_nursery() as sending:
        for _ in range(3):
            sending.start_soon(sender.send, message)
    stood = server.standing
    await server.until_standing(0)
    assert stood == 3


async def test_a_connection_in_use_is_not_closed(
    serve: Serve, message: Message, nursery: trio.Nursery
) -> None:
    """An answer may take longer than an idle connection is kept."""
    dialer, egress = await _dialer(nursery, keepalive_s=0.05)

    async def slow(stream: trio.abc.Stream) -> None:
        while await stream.receive_some():
            await trio.sleep(0.2)
            await stream.send_all(_OK)

    sender = _http(dialer, egress, await serve(slow))
    report = await sender.send(message)
    sender.close()
    assert report.outcome == Delivered("http_200", 200)


async def test_idle_connections_are_given_up_where_descriptors_are_short(
    serve: Serve, nursery: trio.Nursery, message: Message
) -> None:
    """The attempt that noticed it is nobody's fault; the next one finds room."""
    dialer, egress = await _dialer(nursery, per_host=8)
    server = _Server()
    sender = _http(dialer, egress, await serve(server))
    await sender.send(message)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with socket.socket() as taken:
        lowest_free = taken.fileno()
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest_free, hard))
    try:
        outcome = await _again(dialer, 9)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    await server.until_standing(0)
    sender.close()
    assert outcome == LocalFault("connect:no_descriptors")


async def test_an_idle_tcp_line_stays(
    serve: Serve, message: Message, nursery: trio.Nursery
) -> None:
    """One connection per subscription, kept open."""
    dialer, egress = await _dialer(nursery, keepalive_s=0.05)
    sender = _tcp(dialer, egress, await serve(_Server(b"OK\n")), ack=True)
    await sender.send(message)
    await trio.sleep(0.15)  # three times as long as an HTTP connection would have been kept
    report = await sender.send(replace(message, id="evt_2"))
    sender.close()
    assert report.reused


async def test_the_sweeper_sleeps_until_there_is_something_to_close(
    serve: Serve, nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    """It is woken by a link that comes to rest, and not before that."""
    await _dialer(nursery, per_host=8)
    await trio.testing.wait_all_tasks_blocked()
    statistics = trio.lowlevel.current_statistics()
    assert statistics.seconds_to_next_deadline > 3_600


async def test_tls_links_are_swept_too(
    serve: Serve,
    nursery: trio.Nursery,
    authority: trustme.CA,
    server_context: ssl.SSLContext,
) -> None:
    """The peer is told good-bye and sees the end."""
    dialer, _ = await _dialer(nursery, keepalive_s=0.05)
    context = ssl.create_default_context()
    authority.configure_trust(context)
    server = _Server()
    link = await _link(dialer, await serve(server, tls=server_context), tls=context)
    await link.send_all(b"x")
    await link.receive_some(100)
    link.rest(trio.current_time())
    await server.until_standing(0)
    assert not link.wake(trio.current_time())
