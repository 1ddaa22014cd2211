"""The HTTP server around an app: what a peer does costs that peer its connection, and no more."""

from contextlib import AsyncExitStack
from pathlib import Path

import h2.connection
import h2.events
import h2.settings
import pytest
import trio

from callpost.edge.receive_unix import listen_stream
from callpost.edge.serve_asgi import CONNECTIONS_MAX, Patience
from control_house import raw
from edge.served_app import PATIENT, Served, serving

GET = b"GET %b HTTP/1.1\r\nhost: x\r\n\r\n"


async def test_a_peer_that_does_not_read_is_cut_off(tmp_path: Path) -> None:
    """The app learns of it as of one that has left."""
    async with serving(tmp_path, patience=Patience(unread_s=0.1)) as served:
        stream = await trio.open_unix_socket(str(served.path))
        async with stream:
            await stream.send_all(GET % b"/flood")
            with trio.fail_after(5):
                await served.app.left.wait()


async def test_an_end_waits_a_second_for_what_is_in_hand(tmp_path: Path) -> None:
    """A request that is answered within it is answered."""
    async with serving(tmp_path) as served, trio.open_nursery() as nursery:
        answers = []

        async def ask() -> None:
            answers.append(await raw(served.path, GET % b"/wait"))

        nursery.start_soon(ask)
        await served.app.asked.wait()
        served.stopping.set()
        served.app.answer.set()
        with trio.fail_after(1):
            await served.ended.wait()
    assert answers[0].endswith(b"\r\n2\r\nok\r\n0\r\n\r\n")


async def test_an_end_waits_no_longer_than_that(tmp_path: Path) -> None:
    """Neither for an app that goes on nor for a peer that does not read."""
    async with serving(tmp_path) as served, AsyncExitStack() as held:
        for path in (b"/wait", b"/flood"):
            stream = await trio.open_unix_socket(str(served.path))
            await held.enter_async_context(stream)
            await stream.send_all(GET % path)
        await served.app.asked.wait()
        served.stopping.set()
        with trio.fail_after(5):
            await served.ended.wait()


async def test_it_can_be_cancelled_although_a_peer_does_not_read(tmp_path: Path) -> None:
    """At once."""
    async with AsyncExitStack() as held:
        with trio.fail_after(5):
            async with serving(tmp_path) as served:
                stream = await trio.open_unix_socket(str(served.path))
                await held.enter_async_context(stream)
                await stream.send_all(GET % b"/flood")
                await served.app.asked.wait()
                await trio.testing.wait_all_tasks_blocked(0.05)


async def test_idle_connections_end_with_the_house(tmp_path: Path) -> None:
    """Without waiting for anything."""
    async with serving(tmp_path) as served:
        stream = await trio.open_unix_socket(str(served.path))
        async with stream:
            await stream.send_all(GET % b"/")
            while not (await stream.receive_some()).endswith(b"0\r\n\r\n"):
                pass
            served.stopping.set()
            with trio.fail_after(0.9):
                await served.ended.wait()


async def test_one_connection_too_many_is_turned_away(tmp_path: Path) -> None:
    """With a status that says to come again; when another leaves there is room."""
    async with serving(tmp_path) as served, AsyncExitStack() as held:
        for _ in range(CONNECTIONS_MAX):
            stream = await trio.open_unix_socket(str(served.path))
            await held.enter_async_context(stream)
        assert (await raw(served.path, b"")).startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
        await stream.aclose()
        with trio.fail_after(5):
            while b"200" not in await _asked(served.path):
                pass


async def test_who_only_holds_connections_keeps_nobody_out(tmp_path: Path) -> None:
    """The one that has said nothing for longest makes room; one that waits for us does not."""
    async with serving(tmp_path) as served, AsyncExitStack() as held:
        asking = await held.enter_async_context(await trio.open_unix_socket(str(served.path)))
        await asking.send_all(GET % b"/wait")
        await served.app.asked.wait()
        for _ in range(CONNECTIONS_MAX - 1):
            idle = await trio.open_unix_socket(str(served.path))
            await held.enter_async_context(idle)
            await idle.send_all(b"GET / HTTP/1.1\r\n")
        with trio.fail_after(5):
            while b"200" not in await _asked(served.path):
                pass
        served.app.answer.set()
        assert b"200" in await asking.receive_some()


TWO_LENGTHS = (
    b"POST /ok HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n"
)


async def test_a_body_with_two_lengths_is_refused(tmp_path: Path) -> None:
    """And the connection ends with it: nobody can know where the next request begins."""
    async with serving(tmp_path) as served:
        answer = await raw(served.path, TWO_LENGTHS + b"0\r\n\r\n")
    assert (answer[:12], b"connection: close" in answer.lower()) == (b"HTTP/1.1 400", True)


async def test_nothing_behind_a_body_with_two_lengths_is_answered(tmp_path: Path) -> None:
    """Who stands before us may have taken it for the body, and has not looked at it."""
    async with serving(tmp_path) as served:
        answer = await raw(served.path, TWO_LENGTHS + b"0\r\n\r\n" + GET % b"/hidden")
    assert (b"200" in answer, served.app.asked.is_set()) == (False, False)


async def test_a_bug_in_the_app_is_logged_and_nobody_else_notices(tmp_path: Path) -> None:
    """The next request is served."""
    async with serving(tmp_path) as served:
        first, second = await _asked(served.path, b"/bug"), await _asked(served.path)
    assert (first[:12], second[:12]) == (b"HTTP/1.1 500", b"HTTP/1.1 200")
    assert [line["event"] for line in served.lines] == ["http.failed"]


async def test_what_breaks_the_protocol_code_ends_one_connection(tmp_path: Path) -> None:
    """A path that is no ASCII passes HTTP/2's rules and none of the server's."""
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0"
    names = (b":method", b"GET"), (b":scheme", b"http"), (b":path", b"/\xff"), (b":authority", b"x")
    block = b"".join(
        b"\0" + bytes([len(name)]) + name + bytes([len(value)]) + value for name, value in names
    )
    frame = len(block).to_bytes(3, "big") + b"\x01\x05\0\0\0\x01" + block
    async with serving(tmp_path) as served:
        await _asked(served.path, raw_bytes=preface + frame)
        assert b"200" in await _asked(served.path)
    assert {line["event"] for line in served.lines} <= {"http.connection_failed"}


async def test_http_2_is_refused(tmp_path: Path) -> None:
    """Also from a peer that would take no byte of an answer: nothing waits for that."""
    client = h2.connection.H2Connection()
    client.initiate_connection()
    client.update_settings({h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: 0})
    client.send_headers(
        1,
        [(":method", "GET"), (":scheme", "http"), (":path", "/flood"), (":authority", "x")],
        end_stream=True,
    )
    async with serving(tmp_path) as served:
        stream = await trio.open_unix_socket(str(served.path))
        answers: list[h2.events.Event] = []
        async with stream:
            await stream.send_all(client.data_to_send())
            with trio.fail_after(5):
                while not any(isinstance(one, h2.events.StreamEnded) for one in answers):
                    answers += client.receive_data(await stream.receive_some())
        [answer] = [one for one in answers if isinstance(one, h2.events.ResponseReceived)]
    assert (b":status", b"505") in (answer.headers or [])


@pytest.mark.parametrize(
    "head", [b"GET / HTTP/1.1\r\nx: " + b"y" * 17_000, b"GET /" + b"a" * 17_000]
)
async def test_a_head_that_is_too_large_is_refused(tmp_path: Path, head: bytes) -> None:
    """Above 16 KiB, whether it ends or not."""
    async with serving(tmp_path) as served:
        assert (await _asked(served.path, raw_bytes=head))[:12] == b"HTTP/1.1 431"


async def test_the_socket_stays_the_callers(tmp_path: Path) -> None:
    """It is neither closed nor unlinked: systemd may have handed it over."""
    path = tmp_path / "http.sock"
    with listen_stream(path, mode=0o600, group="") as listener:
        for _ in range(2):
            served = Served(path)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(served.serve, listener, PATIENT, None)
                assert b"200" in await _asked(path)
                served.stopping.set()
        assert path.is_socket()


async def _asked(path: Path, target: bytes = b"/", *, raw_bytes: bytes = b"") -> bytes:
    request = b"GET %b HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n" % target
    with trio.fail_after(5):
        return await raw(path, raw_bytes or request)
