"""Sets the stage: real receivers on loopback and a real daemon in a temporary directory."""

import socket
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final

import msgspec
import trio

from callpost import daemon
from callpost.cli.demo.call import EVENTS, event
from callpost.cli.demo.cast import CAST, Role, Subscriber, subscription_toml
from callpost.config import Config, Source, parse
from callpost.edge.feed_unix import Refusal, connected, feed
from callpost.edge.listen import (
    Arrived,
    Behaviour,
    bind_http,
    bind_tcp,
    bind_udp,
    serve_http,
    serve_tcp,
    serve_udp,
)
from callpost.edge.logs import collecting_logs

_LOOPBACK: Final = "127.0.0.1"
# Between two events of the call: slow enough to look like one, quick enough to watch.
_EVENT_PAUSE_S: Final = 0.2
# What is not there by then does not come: the demo must end by itself within 20 s.
_CURTAIN_S: Final = 15.0


class Stage:
    """The demo from the first ring to the last arrival."""

    def __init__(self) -> None:
        self.subscribers = {role.name: Subscriber(role) for role in CAST}
        self._complete = trio.Event()

    async def play(self, directory: Path) -> None:
        """Play the call; returns when everything arrived or the curtain falls.

        In the nursery live the receivers and the daemon, which drains before they go.
        """
        async with trio.open_nursery() as stage:
            texts = [await self._cast(role, stage) for role in CAST]
            stopping, stopped = trio.Event(), trio.Event()
            await stage.start(_run_daemon, self, _config(directory, texts), stopping, stopped)
            with trio.move_on_after(_CURTAIN_S):
                await _ring(directory / "events.sock")
                await self._complete.wait()
            stopping.set()
            await stopped.wait()
            stage.cancel_scope.cancel()

    def read_log(self, fields: Mapping[str, object]) -> None:
        """Count the attempts that were not a delivery's first."""
        if fields["event"] == "delivery.attempted" and fields["attempt"] != 1:
            self.subscribers[str(fields["subscription"])].retried += 1

    async def _cast(self, role: Role, stage: trio.Nursery) -> str:
        """Give a subscriber its receiver; returns its subscription."""
        subscriber = self.subscribers[role.name]

        def arrived(what: Arrived) -> None:
            subscriber.take(what)
            if all(one.is_content for one in self.subscribers.values()):
                self._complete.set()

        port = await _receiver(role, stage, arrived)
        if not role.down:
            return subscription_toml(role, port=port, fallback_port=None)
        return subscription_toml(role, port=_deserted_port(), fallback_port=port)


async def _receiver(role: Role, stage: trio.Nursery, arrived: Callable[[Arrived], None]) -> int:
    """Start the receiver of a subscriber; returns its port."""
    well = Behaviour()
    match role.transport:
        case "http":
            web = await bind_http(_LOOPBACK, 0)
            stage.start_soon(partial(serve_http, web, arrived=arrived, behave=well))
            return _port_of(web.socket)
        case "tcp":
            lines = await bind_tcp(_LOOPBACK, 0)
            stage.start_soon(partial(serve_tcp, lines, arrived=arrived, behave=well))
            return _port_of(lines.socket)
        case "udp":
            datagrams = await bind_udp(_LOOPBACK, 0)
            stage.start_soon(partial(serve_udp, datagrams, arrived=arrived))
            return _port_of(datagrams)


async def _run_daemon(
    stage: Stage,
    config: Config,
    stopping: trio.Event,
    stopped: trio.Event,
    *,
    task_status: trio.TaskStatus[object] = trio.TASK_STATUS_IGNORED,
) -> None:
    with daemon.opened(config, {}, collecting_logs(stage.read_log)) as house:
        await house.live(stopping, task_status=task_status)
    stopped.set()


async def _ring(door: Path) -> None:
    """Play the call into the daemon's socket, one event after the other."""

    async def lines() -> AsyncIterator[bytes]:
        for number in range(len(EVENTS)):
            yield msgspec.json.encode(event(number)) + b"\n"
            await trio.sleep(_EVENT_PAUSE_S)

    async with connected(door) as producer:
        await feed(producer, lines(), refused=_stop, moved=lambda _: None)


def _stop(refusal: Refusal) -> None:
    raise AssertionError(f"the demo's own event was refused: {refusal.message}")


def _config(directory: Path, subscriptions: Sequence[str]) -> Config:
    top = f'state_directory = "{directory}/state"\nruntime_directory = "{directory}"\n'
    # It ends before anybody could operate it.
    top += '[control]\nsocket = ""\n'
    source = Source("the demo's configuration", (top + "".join(subscriptions)).encode())
    return parse([source], secret=lambda _directory, _name: None, environment={})


def _deserted_port() -> int:
    """A port where nobody listens: whoever dials it is refused at once."""
    with socket.socket() as deserted:
        deserted.bind((_LOOPBACK, 0))
        return int(deserted.getsockname()[1])


def _port_of(bound: trio.socket.SocketType) -> int:
    return int(bound.getsockname()[1])
