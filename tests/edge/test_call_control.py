"""The commands' side of the control door: each way in which nobody answers has its sentence."""

import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio

from callpost.edge.call_control import ControlRefused, ControlUnreachable, control
from callpost.model.condition import Status
from control_house import an_open_door

Answering = Callable[[trio.SocketStream], Awaitable[None]]
OK = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b"


@asynccontextmanager
async def somebody(path: Path, answer: Answering) -> AsyncIterator[None]:
    """Somebody who answers on the socket, in his own way."""
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(path))
        bound.listen()
        listener = trio.SocketListener(trio.socket.from_stdlib_socket(bound))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.serve_listeners, answer, [listener])
            yield
            nursery.cancel_scope.cancel()


def saying(text: bytes) -> Answering:
    """Read a request, say this, and hang up."""

    async def answer(stream: trio.SocketStream) -> None:
        await stream.receive_some()
        await stream.send_all(text)
        await stream.aclose()

    return answer


async def told(path: Path) -> list[str]:
    """What is told when an answer and when a stream is wanted there."""
    sentences = []
    async with control(path) as daemon:
        with pytest.raises(ControlUnreachable) as fault:
            await daemon.get("/v1/status", Status)
        sentences.append(str(fault.value))
        with pytest.raises(ControlUnreachable) as fault:
            async with daemon.attempts() as heard:
                await anext(aiter(heard))
        sentences.append(str(fault.value))
    return sentences


async def test_without_a_socket_the_daemon_is_likely_not_running(tmp_path: Path) -> None:
    """The path is named."""
    path = tmp_path / "control.sock"
    assert await told(path) == [f"{path}: there is no control socket; is callpost running?"] * 2


async def test_a_stale_socket_means_that_it_does_not_run(tmp_path: Path) -> None:
    """What a daemon that was killed leaves behind."""
    path = tmp_path / "control.sock"
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(path))
    sentence = f"{path}: nobody answers on the control socket; callpost is not running."
    assert await told(path) == [sentence] * 2


async def test_a_file_is_not_a_socket(tmp_path: Path) -> None:
    """Somebody has given the wrong path."""
    path = tmp_path / "control.sock"
    path.touch()
    assert await told(path) == [f"{path}: this is not a socket."] * 2


async def test_a_file_of_somebody_elses_is_not_a_socket_either() -> None:
    """Though the system speaks of a lack of permission."""
    user = os.geteuid()
    os.seteuid(65534 if user == 0 else user)
    try:
        sentences = await told(Path("/etc/passwd"))
    finally:
        os.seteuid(user)
    assert sentences == ["/etc/passwd: this is not a socket."] * 2


async def test_a_socket_for_datagrams_is_another_one(tmp_path: Path) -> None:
    """That of the producers, perhaps."""
    path = tmp_path / "datagrams.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as bound:
        bound.bind(str(path))
        sentence = f"{path}: this is a socket for datagrams, not the control socket."
        assert await told(path) == [sentence] * 2


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else for a moment")
async def test_who_may_not_open_it_is_told_the_group(tmp_path: Path) -> None:
    """The socket's own."""
    async with an_open_door(tmp_path) as door:
        os.chown(door.path, 0, 1)
        door.path.chmod(0o660)
        for directory in (tmp_path, *tmp_path.parents):
            if directory.stat().st_uid == os.geteuid() and directory != Path("/"):
                directory.chmod(directory.stat().st_mode | 0o111)
        os.seteuid(65534)
        try:
            sentences = await told(door.path)
        finally:
            os.seteuid(0)
    sentence = (
        f"{door.path}: no permission to open the control socket; operators are in the group daemon."
    )
    assert sentences == [sentence] * 2


@pytest.mark.parametrize(
    "text",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n\r\n",
        OK % (12, b"<html></html"),
        OK % (2, b"{}"),
    ],
)
async def test_whoever_speaks_otherwise_is_not_callpost(tmp_path: Path, text: bytes) -> None:
    """Another program altogether."""
    path = tmp_path / "control.sock"
    async with somebody(path, saying(text)), control(path) as daemon:
        with pytest.raises(ControlUnreachable, match="does not speak as callpost does"):
            await daemon.get("/v1/status", Status)


async def test_the_intake_is_known_by_its_first_answer(tmp_path: Path) -> None:
    """It keeps the connection open; nobody waits there for a time-out."""
    path = tmp_path / "events.sock"

    async def refuse(stream: trio.SocketStream) -> None:
        await stream.receive_some()
        await stream.send_all(b'{"ok":false,"error":"invalid","message":"No.","path":"$"}\n')
        await trio.sleep_forever()

    sentence = f"{path}: this is the intake's socket, where events go in, not the control socket."
    async with somebody(path, refuse):
        with trio.fail_after(3):
            assert await told(path) == [sentence] * 2


async def test_an_answer_that_breaks_off_is_told(tmp_path: Path) -> None:
    """A daemon that stops, or is killed, in the middle."""
    path = tmp_path / "control.sock"
    async with somebody(path, saying(b"")):
        sentence = f"{path}: callpost has broken off; it is stopping, or was killed."
        assert await told(path) == [sentence] * 2


async def test_an_answer_that_does_not_come_has_a_deadline(tmp_path: Path) -> None:
    """The caller's own."""
    path = tmp_path / "control.sock"

    async def say_nothing(_: trio.SocketStream) -> None:
        await trio.sleep_forever()

    async with somebody(path, say_nothing), control(path) as daemon:
        with pytest.raises(ControlUnreachable, match=r"did not answer within 0\.05 seconds"):
            await daemon.post("/v1/reload", dict, timeout_s=0.05)


async def test_a_path_that_is_too_long_is_told(tmp_path: Path) -> None:
    """The kernel takes 107 bytes."""
    path = tmp_path / ("x" * 200)
    assert all("cannot connect to the control socket: " in one for one in await told(path))


async def test_a_refusal_tells_every_fault(tmp_path: Path) -> None:
    """In one sentence, with the status for programs."""
    async with an_open_door(tmp_path) as door, control(door.path) as daemon:
        with pytest.raises(ControlRefused) as refused:
            await daemon.post("/v1/replay", dict, {"limit": -1, "nope": 1})
    assert (refused.value.status, str(refused.value)) == (
        400,
        "$.limit: expected int >= 0; $.nope: there is no such field.",
    )


async def test_a_stream_that_is_refused_says_why(tmp_path: Path) -> None:
    """As any other answer does."""
    async with an_open_door(tmp_path) as door, control(door.path) as daemon:
        with pytest.raises(
            ControlRefused, match=r"outcome\[0\]: expected one of delivered, "
        ) as no:
            async with daemon.attempts(outcome="lost"):
                pass
    assert no.value.status == 400


async def test_a_refusal_without_a_problem_is_told_by_its_status(tmp_path: Path) -> None:
    """From a proxy in between, say."""
    path = tmp_path / "control.sock"
    text = (
        b"HTTP/1.1 502 Bad\r\ncontent-type: application/problem+json\r\ncontent-length: 0\r\n\r\n"
    )
    async with somebody(path, saying(text)), control(path) as daemon:
        with pytest.raises(ControlRefused, match="callpost refused with the status 502"):
            await daemon.get("/v1/status", Status)


async def test_what_the_caller_raises_is_left_alone(tmp_path: Path) -> None:
    """A pipe that breaks while attempts are printed is no fault of the daemon's."""
    async with an_open_door(tmp_path) as door, control(door.path) as daemon:
        with pytest.raises(BrokenPipeError):
            async with daemon.attempts():
                raise BrokenPipeError
