"""A whole daemon as a child process, a receiver for it, and a producer: all real.

For the tests of the house from outside; every wait is bounded by the test's own deadline.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import trio

from callpost.edge.listen import Arrived, Behaviour, bind_http, serve_http
from forked import Forked


@dataclass
class Receiver:
    """What has arrived, in order; `changed` is renewed at each arrival."""

    port: int
    arrived: list[Arrived] = field(default_factory=list)
    changed: trio.Event = field(default_factory=trio.Event)

    def take(self, what: Arrived) -> None:
        """Remember an arrival."""
        self.arrived.append(what)
        self.changed.set()
        self.changed = trio.Event()

    def bodies(self) -> list[dict[str, object]]:
        """The JSON bodies that have arrived."""
        return [json.loads(what.content) for what in self.arrived]

    def ids(self) -> list[str]:
        """The event ids, in order of arrival, repeats included."""
        return [str(body["id"]) for body in self.bodies()]

    async def until(self, satisfied: Callable[["Receiver"], bool], *, within_s: float) -> None:
        """Wait for arrivals until satisfied, or raise TooSlowError."""
        with trio.fail_after(within_s):
            while not satisfied(self):
                await self.changed.wait()


@asynccontextmanager
async def a_receiver(
    behave: Behaviour | None = None, *, host: str = "127.0.0.1"
) -> AsyncIterator[Receiver]:
    """An HTTP receiver on loopback."""
    listener = await bind_http(host, 0)
    receiver = Receiver(listener.socket.getsockname()[1])
    async with trio.open_nursery() as nursery:
        await nursery.start(
            partial(
                serve_http,
                listener,
                arrived=receiver.take,
                behave=behave or Behaviour(),
            )
        )
        yield receiver
        nursery.cancel_scope.cancel()


class Daemon:
    """`callpost run` in a directory of its own; `within` is a command that runs it.

    Without one it is forked, which is much cheaper; `env` runs it as a shell does.
    """

    def __init__(
        self, directory: Path, subscriptions: str, top: str = "", *, within: Sequence[str] = ()
    ) -> None:
        self._within = within
        self.config = directory / "callpost.toml"
        self.door = directory / "run" / "events.sock"
        self.datagrams = directory / "run" / "datagrams.sock"
        self.config.write_text(
            f'state_directory = "{directory}/state"\nruntime_directory = "{directory}/run"\n'
            f"{top}\n{subscriptions}"
        )
        self.log: list[dict[str, object]] = []
        self._changed = trio.Event()
        self.process: trio.Process | Forked | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Daemon"]:
        """Start it, wait until it is ready; at the end kill what is left of it."""
        async with trio.open_nursery() as nursery:
            self.log.clear()
            self.process = await self._started()
            try:
                nursery.start_soon(self._read_log)
                await self.logged("daemon.started")
                yield self
            finally:
                if self.process.returncode is None:
                    self.process.kill()
                with trio.CancelScope(shield=True):
                    await self.process.wait()
                nursery.cancel_scope.cancel()

    async def logged(self, name: str, *, within_s: float = 15.0) -> dict[str, object]:
        """Wait for a log line by its event's name."""
        with trio.fail_after(within_s):
            while True:
                for line in self.log:
                    if line["event"] == name:
                        return line
                await self._changed.wait()

    async def until(
        self, satisfied: Callable[[list[dict[str, object]]], bool], *, within_s: float
    ) -> None:
        """Wait until the log satisfies, or raise TooSlowError."""
        with trio.fail_after(within_s):
            while not satisfied(self.log):
                await self._changed.wait()

    async def end(self, with_signal: signal.Signals, *, within_s: float = 30.0) -> int:
        """Send a signal and wait for the exit status."""
        assert self.process is not None
        self.process.send_signal(with_signal)
        with trio.fail_after(within_s):
            return await self.process.wait()

    async def _started(self) -> trio.Process | Forked:
        arguments = ["run", "--config", str(self.config)]
        if not self._within:
            return Forked(arguments, os.environ)
        return await trio.lowlevel.open_process(
            [*self._within, sys.executable, "-m", "callpost", *arguments],
            stdout=subprocess.PIPE,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
        )

    async def _read_log(self) -> None:
        assert self.process is not None
        assert self.process.stdout is not None
        rest = b""
        async with self.process.stdout:
            async for chunk in self.process.stdout:
                *lines, rest = (rest + chunk).split(b"\n")
                self.log += [json.loads(line) for line in lines]
                self._changed.set()
                self._changed = trio.Event()


@dataclass
class Producer:
    """A plain client of the stream socket: what it sent, and what was acknowledged."""

    door: Path
    replies: list[dict[str, object]] = field(default_factory=list)

    def acknowledged(self) -> list[str]:
        """The ids that were answered ok, in order."""
        return [str(reply["id"]) for reply in self.replies if reply["ok"]]

    async def feed(
        self,
        lines: Sequence[bytes],
        *,
        answered: Callable[[], None] = lambda: None,
    ) -> None:
        """Send everything, read every reply; a daemon that dies ends it quietly."""
        stream = await trio.open_unix_socket(str(self.door))
        async with stream, trio.open_nursery() as nursery:
            nursery.start_soon(self._send, stream, lines)
            rest = b""
            try:
                async for chunk in stream:
                    *whole, rest = (rest + chunk).split(b"\n")
                    self.replies += [json.loads(line) for line in whole]
                    answered()
            except trio.BrokenResourceError:
                nursery.cancel_scope.cancel()

    async def _send(self, stream: trio.SocketStream, lines: Sequence[bytes]) -> None:
        try:
            for start in range(0, len(lines), 50):
                await stream.send_all(b"".join(lines[start : start + 50]))
            await stream.send_eof()
        except trio.BrokenResourceError:
            return


def an_event(call: str, kind: str, **more: object) -> bytes:
    """One event line."""
    return json.dumps({"event": kind, "callId": call, **more}).encode() + b"\n"
