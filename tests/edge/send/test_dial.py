"""Names, addresses, sockets and TLS on the way out."""

import errno
import socket
import ssl
import threading
from collections.abc import Awaitable, Callable

import pytest
import trio

from callpost.edge.dial import Dialer, Link
from callpost.edge.dial.race import alternating
from callpost.model.egress import Guard
from callpost.model.limits import Egress
from callpost.model.outcome import LocalFault, Retry

Serve = Callable[..., Awaitable[int]]


async def _echo(stream: trio.abc.Stream) -> None:
    while data := await stream.receive_some():
        await stream.send_all(data)


async def _quiet(stream: trio.abc.Stream) -> None:
    await stream.receive_some()


def _answering(*addresses: str) -> Callable[[str], tuple[str, ...]]:
    return lambda _name: addresses


def _failing(error: OSError) -> Callable[[str], tuple[str, ...]]:
    def look_up(_name: str) -> tuple[str, ...]:
        raise error

    return look_up


def _dialer(look_up: Callable[[str], tuple[str, ...]], egress: Egress | None = None) -> Dialer:
    return Dialer(egress or Egress(), Guard(), look_up=look_up)


async def _dial(
    dialer: Dialer, port: int = 9, *, host: str = "pbx.example", tls: ssl.SSLContext | None = None
) -> str:
    """`connected` or the reason why not."""
    link = await dialer.connect(host, port, tls=tls, connect_timeout_s=1)
    if isinstance(link, Link):
        link.close()
        return "connected"
    return link.reason


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_a_host_is_reached_by_name_and_by_address(
    serve: Serve, dialer: Dialer, host: str
) -> None:
    """The system's resolver finds names."""
    assert await _dial(dialer, await serve(_echo), host=host) == "connected"


async def test_what_is_sent_arrives_and_what_comes_back_is_received(
    serve: Serve, dialer: Dialer
) -> None:
    """A link is a byte stream, also for more than the kernel takes at once."""
    link = await dialer.connect("127.0.0.1", await serve(_echo), tls=None, connect_timeout_s=1)
    assert isinstance(link, Link)
    received = b""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(link.send_all, b"x" * 5_000_000)
        while len(received) < 5_000_000:
            received += await link.receive_some(1_000_000)
    link.close()
    assert received == b"x" * 5_000_000


async def test_a_dead_address_does_not_hide_a_living_one(serve: Serve) -> None:
    """The next address is tried as soon as one fails."""
    dialer = _dialer(_answering("127.0.0.9", "127.0.0.1"))
    assert await _dial(dialer, await serve(_echo)) == "connected"


async def test_a_silent_address_does_not_hold_up_a_living_one(serve: Serve) -> None:
    """After 250 ms the next address is tried beside the silent one."""
    port = await serve(_echo)
    with socket.socket() as silent:
        silent.bind(("127.0.0.9", port))
        silent.listen(0)
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:  # a full queue: the kernel answers no further SYN
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.9", port))
        began = trio.current_time()
        reached = await _dial(_dialer(_answering("127.0.0.9", "127.0.0.1")), port)
        for filler in fillers:
            filler.close()
    assert (reached, 0.2 < trio.current_time() - began < 0.9) == ("connected", True)


def test_families_take_turns() -> None:
    """The family that comes first is tried first, then the other."""
    assert alternating(["::1", "::2", "10.0.0.1", "::3"]) == ["::1", "10.0.0.1", "::2", "::3"]


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        (("169.254.169.254",), "egress_denied"),
        (("::ffff:169.254.169.254", "0.0.0.0"), "egress_denied"),
        ((), "dns:not_found"),
    ],
)
async def test_a_name_that_leads_nowhere_good_is_not_dialled(
    answers: tuple[str, ...], reason: str
) -> None:
    """Every answer is vetted."""
    assert await _dial(_dialer(_answering(*answers))) == reason


async def test_a_denied_answer_leaves_the_others(serve: Serve) -> None:
    """What may be dialled is dialled."""
    dialer = _dialer(_answering("169.254.169.254", "127.0.0.1"))
    assert await _dial(dialer, await serve(_echo)) == "connected"


async def test_a_denied_address_in_the_url_is_not_dialled(dialer: Dialer) -> None:
    """An address is vetted like a name's."""
    denied = await dialer.connect("169.254.169.254", 80, tls=None, connect_timeout_s=1)
    assert denied == Retry(reason="egress_denied", phase="connect")


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (
            socket.gaierror(socket.EAI_NONAME, ""),
            Retry(reason="dns:not_found", phase="resolve"),
        ),
        (
            socket.gaierror(socket.EAI_AGAIN, ""),
            Retry(reason="dns:temporary_failure", phase="resolve"),
        ),
        (socket.gaierror(socket.EAI_FAIL, ""), Retry(reason="dns:failure", phase="resolve")),
        (socket.gaierror(socket.EAI_MEMORY, ""), LocalFault("dns:no_memory")),
        (OSError(errno.EMFILE, ""), LocalFault("dns:no_descriptors")),
    ],
)
async def test_a_look_up_that_fails_says_whose_fault_it_is(
    error: OSError, outcome: Retry | LocalFault
) -> None:
    """A name that is not there is the endpoint's fault, a machine without descriptors ours."""
    dialer = _dialer(_failing(error))
    assert await dialer.connect("x", 1, tls=None, connect_timeout_s=1) == outcome


async def test_a_resolver_that_is_silent_for_every_name_is_our_own_fault() -> None:
    """Two names that both cannot be asked for: the resolver is down, nobody is charged."""
    dialer = _dialer(_failing(socket.gaierror(socket.EAI_AGAIN, "")))
    await _dial(dialer, host="one.example")
    assert await dialer.connect("two.example", 1, tls=None, connect_timeout_s=1) == LocalFault(
        "dns:resolver_down"
    )


async def test_a_name_that_was_asked_for_first_is_not_charged_later() -> None:
    """What is remembered of it is judged anew once other names are silent too."""
    dialer = _dialer(_failing(socket.gaierror(socket.EAI_AGAIN, "")))
    reasons = [await _dial(dialer, host=name) for name in ("one.example", "two.example")]
    reasons.append(await _dial(dialer, host="one.example"))
    assert reasons == ["dns:temporary_failure", "dns:resolver_down", "dns:resolver_down"]


async def test_a_look_up_that_hangs_is_a_connect_time_out() -> None:
    """The caller goes on; the thread is left to itself."""
    let_go = threading.Event()

    def look_up(_name: str) -> tuple[str, ...]:
        let_go.wait(5)
        return ()

    hung = await _dialer(look_up).connect("x", 1, tls=None, connect_timeout_s=0.1)
    let_go.set()
    assert hung == Retry(reason="timeout_connect", phase="resolve", timed_out=True)


async def test_callers_share_the_look_up_of_a_name_even_one_that_was_left() -> None:
    """However often a name is asked for, one thread works on it."""
    let_go = threading.Event()
    asked: list[str] = []

    def look_up(name: str) -> tuple[str, ...]:
        asked.append(name)
        let_go.wait(5)
        return ()

    dialer = _dialer(look_up)
    await dialer.connect("x", 1, tls=None, connect_timeout_s=0.05)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_dial, dialer)
        nursery.start_soon(_dial, dialer)
        await trio.testing.wait_all_tasks_blocked()
        let_go.set()
    assert sorted(asked) == ["pbx.example", "x"]


async def test_a_name_that_is_not_there_is_not_asked_for_again_at_once() -> None:
    """The answer holds for some seconds."""
    asked: list[str] = []

    def look_up(name: str) -> tuple[str, ...]:
        asked.append(name)
        return ()

    dialer = _dialer(look_up)
    await _dial(dialer)
    await _dial(dialer)
    assert len(asked) == 1


async def test_the_family_can_be_restricted() -> None:
    """With `ip = "6"` an IPv4 address is none."""
    dialer = _dialer(_answering("127.0.0.1"), Egress(ip="6"))
    assert await _dial(dialer) == "dns:no_address_of_this_family"


@pytest.mark.parametrize("source", ["127.0.0.5", "127.0.0.6"])
async def test_the_source_address_is_what_the_peer_sees(serve: Serve, source: str) -> None:
    """A customer's firewall can know us."""
    seen: list[str] = []

    async def handler(stream: trio.SocketStream) -> None:
        seen.append(stream.socket.getpeername()[0])
        await stream.send_all(b"x")

    dialer = _dialer(_answering(), Egress(source_address=source))
    port = await serve(handler)
    link = await dialer.connect("127.0.0.1", port, tls=None, connect_timeout_s=1)
    assert isinstance(link, Link)
    await link.receive_some(1)
    link.close()
    assert seen == [source]


async def test_a_source_address_that_is_not_ours_is_our_own_fault() -> None:
    """Nobody else is charged for it."""
    dialer = _dialer(_answering(), Egress(source_address="203.0.113.1"))
    assert await dialer.connect("127.0.0.1", 9, tls=None, connect_timeout_s=1) == LocalFault(
        "connect:no_local_address"
    )


async def test_an_idle_connection_is_known_as_such(serve: Serve, dialer: Dialer) -> None:
    """It may be used again."""
    link = await dialer.connect("127.0.0.1", await serve(_quiet), tls=None, connect_timeout_s=1)
    assert isinstance(link, Link)
    idle = link.peer_is_idle()
    link.close()
    assert idle


@pytest.mark.parametrize("said", [b"", b"unasked"])
async def test_a_connection_on_which_something_came_is_not_idle(
    serve: Serve, dialer: Dialer, said: bytes
) -> None:
    """Neither one that was closed nor one with bytes waiting is used again."""

    async def handler(stream: trio.SocketStream) -> None:
        await stream.send_all(said)

    link = await dialer.connect("127.0.0.1", await serve(handler), tls=None, connect_timeout_s=1)
    assert isinstance(link, Link)
    await trio.lowlevel.wait_readable(link._socket)
    idle = link.peer_is_idle()
    link.close()
    assert not idle
