"""`callpost send`: every line is acknowledged, or named with the reason why not."""

import json
import os
import pty
import socket
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from subprocess import DEVNULL, PIPE

import pytest
import structlog
import trio
from asyncclick.testing import CliRunner, Result

from callpost.cli.send import send
from callpost.edge.feed_unix import connected, feed
from callpost.edge.receive_unix import bind_datagram, listen_stream, serve_stream
from callpost.model.limits import Intake
from control_house import an_open_door

SPEAKS_HTTP = (
    "Error: {}/x.sock speaks HTTP, as the control socket does; events are sent to the stream"
    " socket.\n"
)
OK = b'{"ok":true,"id":"evt_1","number":1,"matched":2}\n'
DUPLICATE = b'{"ok":true,"id":"evt_1","number":1,"matched":2,"duplicate":true}\n'
INVALID = (
    b'{"ok":false,"error":"invalid","message":"\xc2\x9bnot a direction","path":"$.direction"}\n'
)
TOO_LARGE = b'{"ok":false,"error":"too_large","message":"The event is too large."}\n'


async def accept(lines: Sequence[bytes | None]) -> list[bytes]:
    """Answer as the daemon does; the line says how."""
    answers = {b"dup": DUPLICATE, b"bad": INVALID, None: TOO_LARGE}
    return [answers.get(line, OK) for line in lines]


@asynccontextmanager
async def daemon(path: Path) -> AsyncIterator[None]:
    """A daemon's front door at `path` for the time of the block."""
    listener = listen_stream(path, mode=0o600, group="")
    log = structlog.wrap_logger(
        None, wrapper_class=structlog.make_filtering_bound_logger(50), processors=[]
    )

    async def serve() -> None:
        await serve_stream(
            listener,
            accept=accept,
            limits=Intake(max_event_bytes=100),
            stopping=trio.Event(),
            log=log,
        )

    with trio.fail_after(20):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(serve)
            yield
            nursery.cancel_scope.cancel()


async def run(tmp_path: Path, text: bytes, *options: str) -> Result:
    """Run the command on a file with `text`."""
    (tmp_path / "events").write_bytes(text)
    arguments = [str(tmp_path / "events"), "--socket", str(tmp_path / "x.sock"), *options]
    return await CliRunner().invoke(send, arguments)


async def sent(tmp_path: Path, text: bytes, *options: str) -> Result:
    """Run the command on a file with `text` while there is a daemon."""
    async with daemon(tmp_path / "x.sock"):
        return await run(tmp_path, text, *options)


async def test_the_summary_counts_everything(tmp_path: Path) -> None:
    """One line at the end says what became of the file."""
    result = await sent(tmp_path, b"one\n" * 4_000 + b"dup\nbad\n")
    assert result.stdout == "4,001 accepted (1 duplicate), 1 refused, 8,000 to deliver\n"


async def test_a_file_without_refusal_ends_well(tmp_path: Path) -> None:
    """Duplicates are no failure: they are on disk already."""
    assert (await sent(tmp_path, b"one\ndup\ntwo")).exit_code == 0


async def test_a_refusal_fails(tmp_path: Path) -> None:
    """A script that looks at the exit status learns that something was refused."""
    assert (await sent(tmp_path, b"one\nbad\n")).exit_code == 1


async def test_a_refusal_is_named_with_its_line(tmp_path: Path) -> None:
    """Lines are numbered as an editor does it, blank ones included; nothing moves the cursor."""
    result = await sent(tmp_path, b"one\n\n \t\nbad\n" + b"x" * 101)
    assert result.stderr == (
        "line 4: invalid: \\x9bnot a direction ($.direction)\n"
        "line 5: too_large: The event is too large.\n"
    )


async def test_the_summary_can_be_json(tmp_path: Path) -> None:
    """For a script, the same numbers by name."""
    result = await sent(tmp_path, b"one\ndup\nbad\n", "--json")
    assert json.loads(result.stdout) == {
        "accepted": 2,
        "duplicates": 1,
        "refused": 1,
        "matched": 2,
        "unanswered": 0,
        "end": "complete",
    }


async def test_an_empty_file_is_no_failure(tmp_path: Path) -> None:
    """Nothing to send is sent at once."""
    assert (
        await sent(tmp_path, b"")
    ).stdout == "0 accepted (0 duplicates), 0 refused, 0 to deliver\n"


async def test_more_than_all_buffers_hold_goes_through(tmp_path: Path) -> None:
    """Replies are read while lines are sent, so neither side ever waits for the other."""
    result = await sent(tmp_path, b"x\n" * 200_000)
    assert result.stdout.startswith("200,000 accepted")


async def test_without_a_daemon_it_says_so(tmp_path: Path) -> None:
    """The likely cause, in one sentence."""
    result = await run(tmp_path, b"one\n")
    assert result.stderr == (
        f"Error: there is no socket {tmp_path}/x.sock; is the daemon running (`callpost run`)?\n"
    )


async def test_without_a_daemon_it_fails(tmp_path: Path) -> None:
    """Nothing was sent."""
    assert (await run(tmp_path, b"one\n")).exit_code == 1


async def test_a_daemon_that_is_gone_is_told_from_one_that_never_was(tmp_path: Path) -> None:
    """The socket it left behind does not mislead."""
    listen_stream(tmp_path / "x.sock", mode=0o600, group="").close()
    result = await run(tmp_path, b"one\n")
    assert "nobody answers on" in result.stderr


async def test_a_file_is_told_from_a_socket(tmp_path: Path) -> None:
    """No daemon has made it."""
    (tmp_path / "x.sock").touch()
    result = await run(tmp_path, b"one\n")
    assert result.stderr == f"Error: {tmp_path}/x.sock is not a socket.\n"


async def test_the_datagram_socket_is_recognised(tmp_path: Path) -> None:
    """A likely mistake gets its own sentence."""
    with bind_datagram(tmp_path / "x.sock", mode=0o600, group=""):
        result = await run(tmp_path, b"one\n")
    assert "x.sock is a datagram socket; events are sent to the stream socket" in result.stderr


@pytest.mark.parametrize("text", [b"one\n", b"one"])
async def test_the_control_socket_is_recognised(tmp_path: Path, text: bytes) -> None:
    """The wrong one of the daemon's sockets; one sentence, and no summary of nothing."""
    async with an_open_door(tmp_path) as door:
        door.path.rename(tmp_path / "x.sock")
        result = await run(tmp_path, text)
    assert (result.exit_code, result.output) == (1, SPEAKS_HTTP.format(tmp_path))


async def test_a_live_source_learns_at_once_that_it_is_the_control_socket(tmp_path: Path) -> None:
    """The socket would wait for the rest of a request, and then hang up without a word."""

    async def one_line() -> AsyncIterator[bytes]:
        yield b"one\n"
        await trio.sleep_forever()

    async with an_open_door(tmp_path) as door, connected(door.path) as daemon:
        with trio.fail_after(3):
            fed = await feed(daemon, one_line(), refused=lambda _: None, moved=lambda _: None)
    assert fed.end == "http"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write to every socket")
async def test_a_lack_of_permission_names_the_group(tmp_path: Path) -> None:
    """Who may write, and so what to ask the administrator for."""
    with listen_stream(tmp_path / "x.sock", mode=0, group=""):
        result = await run(tmp_path, b"one\n")
    assert "producers need to be members of the group" in result.stderr


async def test_a_file_that_is_not_there_is_wrong_usage(tmp_path: Path) -> None:
    """Nothing was begun."""
    result = await CliRunner().invoke(send, [str(tmp_path / "nothing")])
    assert result.exit_code == 2


async def test_the_configuration_says_where_the_daemon_is(tmp_path: Path) -> None:
    """Without `--socket` the socket is the one that the daemon makes itself."""
    config = tmp_path / "callpost.toml"
    config.write_text(
        f'runtime_directory = "{tmp_path}"\n[intake]\nstream = "x.sock"\n'
        '[[subscription]]\nname = "crm"\nurl = "http://127.0.0.1:9/"\nmethod = "POSTJSON"\n'
    )
    (tmp_path / "events").write_bytes(b"one\n")
    async with daemon(tmp_path / "x.sock"):
        arguments = [str(tmp_path / "events"), "--config", str(config)]
        result = await CliRunner().invoke(send, arguments)
    assert result.stdout.startswith("1 accepted")


async def test_a_faulty_configuration_points_to_the_option(tmp_path: Path) -> None:
    """Who only wants to send need not mend it first."""
    (tmp_path / "events").write_bytes(b"one\n")
    arguments = [str(tmp_path / "events"), "--config", str(tmp_path / "none.toml")]
    result = await CliRunner().invoke(send, arguments)
    assert "(`--socket PATH` needs no configuration)" in result.stderr


async def told_by_stranger(tmp_path: Path, answer: bytes) -> Result:
    """Run the command against something that reads a line, answers so, and closes."""

    async def stranger(listener: socket.socket) -> None:
        with listener, trio.socket.from_stdlib_socket(listener) as door:
            connection, _ = await door.accept()
            with connection:
                await connection.recv(1000)
                await connection.send(answer)

    with trio.fail_after(10):
        async with trio.open_nursery() as nursery:
            listener = listen_stream(tmp_path / "x.sock", mode=0o600, group="")
            nursery.start_soon(stranger, listener)
            return await run(tmp_path, b"one\ntwo\nthree\n")


async def test_a_daemon_that_leaves_is_told_with_what_it_answered(tmp_path: Path) -> None:
    """Whoever sends the rest again knows what is safe."""
    result = await told_by_stranger(tmp_path, OK)
    assert result.stderr == (
        "Error: The daemon closed the connection: 1 answer came, 2 lines sent got none."
        " Events that carry an `id` may all be sent again: none is stored twice.\n"
    )


async def test_a_daemon_that_leaves_is_a_failure(tmp_path: Path) -> None:
    """Not everything was acknowledged."""
    assert (await told_by_stranger(tmp_path, OK)).exit_code == 1


async def test_who_does_not_speak_the_protocol_is_not_callpost(tmp_path: Path) -> None:
    """Another program's socket is noticed at its first answer."""
    result = await told_by_stranger(tmp_path, b"220 mail.example ESMTP\n")
    assert "What answers is not callpost" in result.stderr


async def test_a_daemon_that_does_not_answer_is_given_up(tmp_path: Path) -> None:
    """A wait for an answer has an end."""

    async def one_line() -> AsyncIterator[bytes]:
        yield b"one\n"
        await trio.lowlevel.checkpoint()

    with listen_stream(tmp_path / "x.sock", mode=0o600, group=""):
        async with connected(tmp_path / "x.sock") as mute:
            fed = await feed(
                mute,
                one_line(),
                refused=lambda _: None,
                moved=lambda _: None,
                answer_timeout_s=0.1,
            )
    assert (fed.end, fed.unanswered) == ("silent", 1)


# --- as a program


def program(tmp_path: Path, *options: str) -> list[str]:
    """The command line of a real process."""
    code = "from callpost.cli.send import send; send(_anyio_backend='trio')"
    return [sys.executable, "-c", code, "--socket", str(tmp_path / "x.sock"), *options]


ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "TERM": "xterm"}


async def test_standard_input_is_the_default(tmp_path: Path) -> None:
    """A pipe of events needs no file."""
    async with daemon(tmp_path / "x.sock"):
        completed = await trio.run_process(
            program(tmp_path), stdin=b"one\ntwo", capture_stdout=True, env=ENVIRONMENT
        )
    assert completed.stdout == b"2 accepted (0 duplicates), 0 refused, 4 to deliver\n"


async def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    """What a live source has said is sent although it has more to say."""
    accepted = trio.Event()
    listener = listen_stream(tmp_path / "x.sock", mode=0o600, group="")

    async def hear() -> None:
        with listener, trio.socket.from_stdlib_socket(listener) as door:
            connection, _ = await door.accept()
            with connection:
                assert (await connection.recv(1000)).strip() == b"one"
                accepted.set()

    with trio.fail_after(20):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(hear)
            process = await trio.lowlevel.open_process(
                program(tmp_path), stdin=PIPE, stdout=DEVNULL, stderr=DEVNULL, env=ENVIRONMENT
            )
            assert process.stdin is not None
            await process.stdin.send_all(b"one\n")
            await accepted.wait()
            assert await process.wait() == 1
            await process.stdin.aclose()


async def test_a_long_file_shows_a_bar_on_a_terminal(tmp_path: Path) -> None:
    """Whoever watches sees how far it is."""
    (tmp_path / "events").write_bytes((b"x" * 99 + b"\n") * 20_000)
    terminal, its_end = pty.openpty()
    try:
        async with daemon(tmp_path / "x.sock"):
            await trio.run_process(
                program(tmp_path, str(tmp_path / "events")),
                stdout=DEVNULL,
                stderr=its_end,
                env=ENVIRONMENT,
            )
        assert b"sending" in os.read(terminal, 65_536)
    finally:
        os.close(terminal)
        os.close(its_end)
