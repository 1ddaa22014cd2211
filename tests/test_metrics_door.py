"""The door that shows the figures, over a real socket."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import h11
import pytest
import trio

from callpost.doors import CannotStart, network_door
from callpost.edge.metrics.site import metrics_site
from callpost.edge.serve_asgi import serve_asgi
from callpost.model.listening import NetworkPlace, Place, UnixPlace
from doubles import logs_into

PAGE = b"# TYPE callpost_ready gauge\ncallpost_ready 1.0\n"


async def a_page() -> tuple[bytes, str]:
    """What Prometheus reads."""
    return PAGE, "text/plain; version=1.0.0; charset=utf-8"


# The kernel chooses a port that nobody has.
LOOPBACK = NetworkPlace("127.0.0.1", 0)


@asynccontextmanager
async def serving(place: Place) -> AsyncIterator[int]:
    """The door, open; its port, where it has one."""
    stopping = trio.Event()
    with network_door("metrics.listen", place) as door:
        assert door is not None
        async with trio.open_nursery() as nursery:
            await nursery.start(
                partial(
                    serve_asgi,
                    metrics_site(a_page),
                    door,
                    stopping=stopping,
                    log=logs_into([]).log,
                )
            )
            yield 0 if isinstance(place, UnixPlace) else int(door.getsockname()[1])
            stopping.set()


async def asked(
    stream: trio.SocketStream, method: str = "GET", target: str = "/metrics", body: bytes = b""
) -> tuple[int, dict[str, str], bytes]:
    """Ask; the answer's status, headers and body."""
    parser = h11.Connection(h11.CLIENT)
    headers = [("host", "callpost"), ("content-length", str(len(body))), ("connection", "close")]
    request = h11.Request(method=method, target=target, headers=headers)
    said = (parser.send(request) or b"") + (parser.send(h11.Data(body)) if body else b"")
    answer: h11.Response | None = None
    content = b""
    with trio.fail_after(5):
        await stream.send_all(said + (parser.send(h11.EndOfMessage()) or b""))
        while True:
            match parser.next_event():
                case h11.NEED_DATA:
                    parser.receive_data(await stream.receive_some())
                case h11.Response() as answer:
                    pass
                case h11.Data() as data:
                    content += bytes(data.data)
                case _:
                    break
    assert answer is not None
    await stream.aclose()
    return answer.status_code, {k.decode(): v.decode() for k, v in answer.headers}, content


async def test_prometheus_gets_the_page() -> None:
    """With the content type that says which text format it is."""
    async with serving(LOOPBACK) as port:
        status, headers, body = await asked(await trio.open_tcp_stream("127.0.0.1", port))
    assert (status, headers["content-type"], body) == (
        200,
        "text/plain; version=1.0.0; charset=utf-8",
        PAGE,
    )


async def test_a_head_request_gets_no_body() -> None:
    """But the length that it would have."""
    async with serving(LOOPBACK) as port:
        stream = await trio.open_tcp_stream("127.0.0.1", port)
        status, headers, body = await asked(stream, "HEAD")
    assert (status, headers["content-length"], body) == (200, str(len(PAGE)), b"")


@pytest.mark.parametrize(
    ("method", "target", "body", "expected"),
    [
        ("GET", "/", b"", 404),
        ("GET", "/v1/status", b"", 404),
        ("GET", "/metrics/", b"", 404),
        ("GET", "/metrics?x=1", b"", 200),
        ("POST", "/metrics", b"x" * 100_000, 405),
        ("POST", "/v1/reload", b"{}", 404),
        ("DELETE", "/metrics", b"", 405),
    ],
)
async def test_there_is_nothing_else_behind_the_door(
    method: str, target: str, body: bytes, expected: int
) -> None:
    """Nothing can be changed here, and nothing else be read."""
    async with serving(LOOPBACK) as port:
        stream = await trio.open_tcp_stream("127.0.0.1", port)
        status, _, _ = await asked(stream, method, target, body)
    assert status == expected


async def test_the_door_can_be_a_unix_socket(tmp_path: Path) -> None:
    """Which goes when the daemon goes."""
    path = tmp_path / "metrics.sock"
    async with serving(UnixPlace(str(path))):
        status, _, _ = await asked(await trio.open_unix_socket(path))
    assert (status, path.exists()) == (200, False)


async def test_the_door_can_have_an_address_of_version_6() -> None:
    """Where the machine speaks it."""
    with socket.socket(socket.AF_INET6) as probe:
        try:
            probe.bind(("::1", 0))
        except OSError:
            pytest.skip("this machine has no ::1")
    async with serving(NetworkPlace("::1", 0)) as port:
        status, _, _ = await asked(await trio.open_tcp_stream("::1", port))
    assert status == 200


def test_a_port_that_is_taken_is_told_in_one_sentence() -> None:
    """The daemon does not start half-blind."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        place = NetworkPlace("127.0.0.1", taken.getsockname()[1])
        with pytest.raises(CannotStart) as told, network_door("metrics.listen", place):
            pass
    assert str(told.value) == f"metrics.listen: {place}: something listens there already."


def test_an_address_of_another_machine_is_told_in_one_sentence() -> None:
    """As are all other reasons."""
    with (
        pytest.raises(CannotStart) as told,
        network_door("metrics.listen", NetworkPlace("192.0.2.1", 9464)),
    ):
        pass
    assert str(told.value) == (
        "metrics.listen: 192.0.2.1:9464: this machine does not have that address."
    )


def test_a_path_that_cannot_be_is_told_in_one_sentence(tmp_path: Path) -> None:
    """It names the directory that is missing."""
    place = UnixPlace(str(tmp_path / "nowhere" / "metrics.sock"))
    with pytest.raises(CannotStart) as told, network_door("metrics.listen", place):
        pass
    assert str(told.value) == (
        f"metrics.listen: {place}: the directory {tmp_path}/nowhere does not exist."
    )


def test_without_a_place_there_is_no_door() -> None:
    """As it is by default."""
    with network_door("metrics.listen", None) as door:
        assert door is None
