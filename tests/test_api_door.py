"""The API's door to the network: over real sockets, with TLS, and with tokens."""

import socket
import ssl
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Final

import pytest
import trio
import trustme
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from trio.testing import MockClock

from callpost.doors import CannotStart, api_door, place_of
from callpost.edge.serve_asgi import serve_asgi
from callpost.edge.tls_pair import ServerTls
from callpost.model.api_door import Api, TlsPair, Token, digest_of
from callpost.model.caller import Caller
from callpost.model.listening import NetworkPlace, Place, UnixPlace
from callpost.web.admission import Admission
from callpost.web.caller import caller_of, username_of
from callpost.web.problem import problem
from callpost.web.site import Language, Site
from doubles import logs_into

SECRET: Final = "portal-portal-portal"
PORTAL: Final = Caller(name="portal", role="manager", customers=("acme",))
TOKENS: Final = (Token(caller=PORTAL, digest=digest_of(SECRET.encode())),)
# The kernel chooses a port that nobody has.
LOOPBACK: Final = NetworkPlace("127.0.0.1", 0)


async def who(request: Request) -> Response:
    """Tell who asks."""
    return PlainTextResponse(f"{caller_of(request).name} {username_of(request)}".strip())


class Opened:
    """A door with its site; what it told."""

    def __init__(self, door: socket.socket) -> None:
        self.door = door
        self.lines: list[dict[str, object]] = []

    async def asked(self, *fields: bytes, tls: ssl.SSLContext | None = None) -> bytes:
        """The answer to a request with these Authorization headers."""
        stream: trio.abc.Stream = await self._connected()
        if tls is not None:
            stream = trio.SSLStream(stream, tls, server_hostname="127.0.0.1")
        head = b"".join(b"authorization: %b\r\n" % field for field in fields)
        answer = b""
        async with stream:
            await stream.send_all(b"GET /who HTTP/1.1\r\nhost: x\r\n%b\r\n" % head)
            while not answer.endswith((b"portal", b"project-7", b"}")) and (
                received := await stream.receive_some()
            ):
                answer += received
        return answer

    async def _connected(self) -> trio.SocketStream:
        if self.door.family == socket.AF_UNIX:
            return await trio.open_unix_socket(self.door.getsockname())
        return await trio.open_tcp_stream(*self.door.getsockname()[:2])


@asynccontextmanager
async def opened(
    place: Place, *, tls: ServerTls | None = None, handed_over: socket.socket | None = None
) -> AsyncIterator[Opened]:
    """The door of this configuration, and a site that lets in who has a token."""
    api = Api(listen=place, tokens=TOKENS)
    stopping = trio.Event()
    with api_door(api, handed_over) as door:
        assert door is not None
        found = Opened(door)
        log = logs_into(found.lines).log
        admission = Admission(lambda: api.tokens, now=trio.current_time, log=log)
        site = Site(
            [Language(prefix="", routes=[Route("/who", who)], refused=problem)],
            admit=admission.admit,
        )
        async with trio.open_nursery() as nursery:
            context = None if tls is None else tls.context
            await nursery.start(
                partial(serve_asgi, site, door, tls=context, stopping=stopping, log=log)
            )
            yield found
            stopping.set()


# --- who comes in


@pytest.mark.parametrize(
    ("field", "said"),
    [
        (f"Bearer {SECRET}".encode(), b"portal"),
        (b"Basic " + b64encode(f"project-7:{SECRET}".encode()), b"portal project-7"),
    ],
)
async def test_who_has_a_token_is_served(field: bytes, said: bytes) -> None:
    """As a bearer token, or as a password."""
    async with opened(LOOPBACK) as api:
        answer = await api.asked(field)
    assert (answer[:12], answer.rpartition(b"\r\n")[2]) == (b"HTTP/1.1 200", said)


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ((), b"401"),
        ((b"",), b"401"),
        ((SECRET.encode(),), b"401"),
        ((b"Digest " + SECRET.encode(),), b"401"),
        ((b"Bearer",), b"401"),
        ((b"Bearer portal-portal-porta",), b"401"),
        ((b"Bearer portal-portal-portal-and-more",), b"401"),
        ((b"Bearer \xc3\xbc\xff" * 9,), b"401"),
        ((b"Bearer %b" % SECRET.encode(),) * 2, b"401"),
        ((b"Basic %%%%",), b"401"),
        ((b"Basic " + b64encode(b"portal:"),), b"401"),
        ((b"Basic " + b64encode(SECRET.encode()),), b"401"),
        ((b"Bearer " + b"x" * 10_000,), b"401"),
        ((b"Bearer " + b"x" * 100_000,), b"431"),
        ((b"Bearer a\0b",), b"400"),
    ],
)
async def test_nobody_else_is_served(
    fields: tuple[bytes, ...], status: bytes, autojump_clock: MockClock
) -> None:
    """Whatever comes instead of a token; nothing of it is logged."""
    async with opened(LOOPBACK) as api:
        answer = await api.asked(*fields)
    assert answer[9:12] == status
    assert {line["event"] for line in api.lines} <= {"api.denied"}
    offered = {field.decode("latin-1").rpartition(" ")[2] for field in fields} - {""}
    assert not any(one in str(api.lines) for one in offered)


async def test_a_denied_peer_is_logged_by_its_address(autojump_clock: MockClock) -> None:
    """So that it can be locked out by other means."""
    async with opened(LOOPBACK) as api:
        await api.asked(b"Bearer portal-portal-porta")
    assert [(line["event"], line["peer"]) for line in api.lines] == [("api.denied", "127.0.0.1")]


# --- over TLS


@pytest.fixture
def pair(tmp_path: Path) -> tuple[TlsPair, ssl.SSLContext]:
    """A certificate for 127.0.0.1, and what trusts it."""
    authority = trustme.CA()
    made = authority.issue_cert("127.0.0.1")
    (tmp_path / "cert.pem").write_bytes(made.cert_chain_pems[0].bytes())
    (tmp_path / "key.pem").write_bytes(made.private_key_pem.bytes())
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    return TlsPair(cert=str(tmp_path / "cert.pem"), key=str(tmp_path / "key.pem")), trusting


async def test_who_has_a_token_is_served_over_tls(pair: tuple[TlsPair, ssl.SSLContext]) -> None:
    """The address of the peer is known there, too."""
    mine, trusting = pair
    async with opened(LOOPBACK, tls=ServerTls(mine)) as api:
        answer = await api.asked(f"Bearer {SECRET}".encode(), tls=trusting)
        denied = await api.asked(tls=trusting)
    assert (answer[9:12], denied[9:12]) == (b"200", b"401")
    assert [line["peer"] for line in api.lines if line["event"] == "api.denied"] == ["127.0.0.1"]


# --- where it is


async def test_the_door_can_be_a_unix_socket(tmp_path: Path) -> None:
    """Which the daemon's group may open, and which goes when the daemon goes."""
    path = tmp_path / "api.sock"
    async with opened(UnixPlace(str(path))) as api:
        mode = path.stat().st_mode & 0o777
        answer = await api.asked(f"Bearer {SECRET}".encode())
    assert (mode, answer[9:12], path.exists()) == (0o660, b"200", False)


async def test_on_a_unix_socket_a_token_is_asked_for_too(tmp_path: Path) -> None:
    """Whoever can open it."""
    async with opened(UnixPlace(str(tmp_path / "api.sock"))) as api:
        assert (await api.asked())[9:12] == b"401"


def test_a_port_that_is_taken_is_told_in_one_sentence() -> None:
    """It names the key that is to be changed."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        place = NetworkPlace("127.0.0.1", taken.getsockname()[1])
        with pytest.raises(CannotStart) as told, api_door(Api(listen=place), None):
            pass
    assert str(told.value) == f"api.listen: {place}: something listens there already."


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_the_place_of_a_door_is_told_as_it_is_written(host: str) -> None:
    """For the line of the log that says where the daemon can be asked."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, 0), family=family) as door:
        wanted = str(NetworkPlace(host, door.getsockname()[1]))
        assert (place_of(door), place_of(None)) == (wanted, None)


def test_without_a_place_there_is_no_door() -> None:
    """As it is by default."""
    with api_door(Api(tokens=TOKENS), None) as door:
        assert door is None


# --- handed over by systemd


async def test_systemd_may_hand_the_door_over(tmp_path: Path) -> None:
    """Then the place in the file is not opened."""
    with socket.create_server(("127.0.0.1", 0)) as handed_over:
        place = UnixPlace(str(tmp_path / "none" / "api.sock"))
        async with opened(place, handed_over=handed_over) as api:
            assert (await api.asked(f"Bearer {SECRET}".encode()))[9:12] == b"200"


def test_handed_over_too_it_is_no_door_without_a_token() -> None:
    """One sentence, no start."""
    handed_over = socket.create_server(("127.0.0.1", 0))
    with pytest.raises(CannotStart) as told, api_door(Api(), handed_over):
        pass
    assert str(told.value) == (
        "systemd hands over a socket named 'api', but there is no [[api.token]]: no token, no door."
    )


def test_handed_over_too_it_needs_tls_beyond_this_machine() -> None:
    """Where it listens is asked of the socket."""
    with socket.create_server(("0.0.0.0", 0)) as handed_over:
        port = handed_over.getsockname()[1]
        with pytest.raises(CannotStart) as told, api_door(Api(tokens=TOKENS), handed_over):
            pass
    assert str(told.value) == (
        f"api.tls: is required, for systemd hands over a socket named 'api' at 0.0.0.0:{port},"
        " beyond this machine."
    )


def test_with_tls_it_may_be_handed_over_for_everybody() -> None:
    """That is what it is for."""
    api = Api(tokens=TOKENS, tls=TlsPair(cert="/c", key="/k"))
    handed_over = socket.create_server(("0.0.0.0", 0))
    with api_door(api, handed_over) as door:
        assert door is handed_over
