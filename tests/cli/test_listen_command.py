"""`callpost listen` as a program: what arrives is shown, safely, and it ends when asked to."""

import json
import os
import pty
import re
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from subprocess import PIPE

import pytest
import trio
from asyncclick.testing import CliRunner

from callpost.cli.listen import listen

HOST = "127.0.0.1"
REQUEST = (
    b"POST /calls HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    b"webhook-id: evt_1\r\nAuthorization: Basic c2VjcmV0\r\nX-Api-Key: secret\r\n"
    b'Cookie: id=secret\r\nContent-Length: 29\r\n\r\n{"event":"ringing","a":"\x1b\xc2\x9b"}'
)


class Program:
    """A running `callpost listen`."""

    def __init__(self, process: trio.Process, ports: dict[str, int]) -> None:
        self.process = process
        self.ports = ports

    async def post(self, data: bytes = REQUEST) -> bytes:
        """Send an HTTP request and return the beginning of the answer."""
        async with await trio.open_tcp_stream(HOST, self.ports["http"]) as stream:
            await stream.send_all(data)
            return await stream.receive_some()

    async def output(self) -> str:
        """All that it prints until it ends."""
        assert self.process.stdout is not None
        printed = b""
        async for data in self.process.stdout:
            printed += data
        return printed.decode()


@asynccontextmanager
async def running(*options: str, out: int = PIPE) -> AsyncIterator[Program]:
    """Run the command on free ports until the end of the block."""
    code = "from callpost.cli.listen import listen; listen(_anyio_backend='trio')"
    ports = ["--http", "0", "--tcp", "0", "--udp", "0"]
    with trio.fail_after(20):
        process = await trio.lowlevel.open_process(
            [sys.executable, "-c", code, *ports, *options],
            stdout=out,
            stderr=PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "TERM": "xterm"},
        )
        try:
            yield Program(process, await announced(process))
        finally:
            process.kill()
            await process.wait()
            for stream in (process.stdout, process.stderr):
                if stream is not None:
                    await stream.aclose()


async def announced(process: trio.Process) -> dict[str, int]:
    """Where it says that it listens."""
    assert process.stderr is not None
    told = b""
    while told.count(b"\n") < 3:
        data = await process.stderr.receive_some()
        assert data, told
        told += data
    found = re.findall(r"Listening on (\w+)://127\.0\.0\.1:(\d+)", told.decode())
    return {transport: int(port) for transport, port in found}


async def shown_on_terminal(content: bytes) -> bytes:
    """What a terminal gets to see when a request with `content` arrives."""
    terminal, its_end = pty.openpty()
    head = b"POST /calls HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(content)
    try:
        async with running("--count", "1", out=its_end) as program:
            await program.post(head + content)
            await program.process.wait()
        return os.read(terminal, 65_536)
    finally:
        os.close(terminal)
        os.close(its_end)


async def test_a_request_is_shown() -> None:
    """The line of the request, the headers that matter, the content; credentials masked."""
    async with running("--count", "1") as program:
        await program.post()
        _, _, shown = (await program.output()).partition("  ")
    assert shown == (
        "http  POST /calls\n"
        "  content-type: application/json\n"
        "  webhook-id: evt_1\n"
        "  authorization: Basic ********\n"
        "  x-api-key: ********\n"
        "  cookie: ********\n"
        '  {"event":"ringing","a":"\\x1b\\x9b"}\n'
    )


async def test_a_line_and_a_datagram_are_shown() -> None:
    """All three transports are heard at once."""
    async with running("--count", "2") as program:
        async with await trio.open_tcp_stream(HOST, program.ports["tcp"]) as stream:
            await stream.send_all(b"one\n")
            await stream.receive_some()
        with socket.socket(type=socket.SOCK_DGRAM) as sender:
            sender.sendto(b"two", (HOST, program.ports["udp"]))
        shown = await program.output()
    assert re.sub(r"\d\d:\d\d:\d\d\.\d\d\d", "TIME", shown) == (
        "TIME  tcp\n  one\nTIME  udp\n  two\n"
    )


async def test_as_json_an_arrival_is_one_line() -> None:
    """For a script; masked like everything that is shown."""
    async with running("--count", "1", "--json") as program:
        await program.post()
        shown = json.loads(await program.output())
    del shown["arrivedAt"]
    assert shown == {
        "transport": "http",
        "method": "POST",
        "target": "/calls",
        "headers": [
            ["Host", "localhost"],
            ["Content-Type", "application/json"],
            ["webhook-id", "evt_1"],
            ["Authorization", "Basic ********"],
            ["X-Api-Key", "********"],
            ["Cookie", "********"],
            ["Content-Length", "29"],
        ],
        "content": '{"event":"ringing","a":"\x1b\x9b"}',
    }


async def test_json_is_spread_out_on_a_terminal() -> None:
    """People read it there."""
    shown = await shown_on_terminal(b'{"event":"ringing"}')
    assert b'{\r\n    "event": "ringing"\r\n  }' in shown


async def test_nothing_that_arrives_speaks_to_the_terminal() -> None:
    """Controls of every kind are spelled out: C0, C1, DEL, and those that turn text around."""
    shown = await shown_on_terminal("\x1b[2J\x9b\x7f\u202e".encode())
    assert b"\\x1b[2J\\x9b\\x7f\\u202e" in shown


async def test_it_misbehaves_when_asked_to() -> None:
    """A subscriber that fails, for trying out retries."""
    async with running("--status", "503") as program:
        assert (await program.post()).startswith(b"HTTP/1.1 503 ")


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_is_a_good_end(sent: signal.Signals) -> None:
    """Ctrl-C is how one ends it: no traceback, no failure."""
    async with running() as program:
        program.process.send_signal(sent)
        assert await program.process.wait() == 0


async def test_a_port_in_use_is_told_in_one_sentence() -> None:
    """The sentence names it, and the exit status is 1."""
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
        result = await CliRunner().invoke(
            listen, ["--http", "off", "--tcp", str(port), "--udp", "off"]
        )
    assert (result.exit_code, result.stderr) == (
        1,
        f"Error: port {port} of {HOST} is in use by another program.\n",
    )


@pytest.mark.parametrize(
    "options",
    [
        ["--http", "off", "--tcp", "off", "--udp", "off"],
        ["--http", "65536"],
        ["--udp", "-1"],
        ["--status", "99"],
        ["--count", "0"],
    ],
)
async def test_wrong_usage_is_told(options: list[str]) -> None:
    """Exit status 2, as of every command."""
    assert (await CliRunner().invoke(listen, options)).exit_code == 2
