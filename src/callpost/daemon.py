"""The composition root: the one place where engine and edge meet.

Nesting is the order of the stop: the producers' doors end first, then the couriers get the
drain deadline, then the spool makes its last commit. Outside failures are outcomes; a bug
flies, the nurseries fold, and the spool has everything.
"""

import gc
import os
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from socket import socket
from typing import Final, assert_never

import trio
from msgspec import Struct
from structlog.typing import FilteringBoundLogger

from callpost import __version__
from callpost.config import Config
from callpost.doors import CannotStart, Doors, folding, open_doors
from callpost.edge.clock import SystemClock
from callpost.edge.dial import Dialer
from callpost.edge.dial.tls import TlsContexts
from callpost.edge.dice import SystemDice
from callpost.edge.logs import Logs
from callpost.edge.receive_unix import serve_datagrams, serve_stream
from callpost.edge.send_http import HttpSender
from callpost.edge.send_tcp import TcpSender
from callpost.edge.send_udp import UdpSender
from callpost.edge.spool import SpoolUnusable, SqliteSpool, open_spool
from callpost.edge.systemd import Notifier
from callpost.engine.dispatcher import Dispatcher, queues_of
from callpost.engine.intake import Intake
from callpost.engine.operator import Operator
from callpost.engine.ports import Sender, SenderFactory
from callpost.engine.world import World
from callpost.model.delivery import SpoolUnreadable
from callpost.model.egress import Guard
from callpost.model.endpoint import Endpoint, HttpEndpoint, TcpEndpoint, UdpEndpoint
from callpost.model.limits import Egress
from callpost.model.routing import Router

__all__ = ["CannotStart", "House", "opened", "run", "sender_factory"]

# After the drain: the last commit and its fsync, told to systemd so that it does not kill us.
_LAST_COMMIT_S: Final = 10.0


async def run(config: Config, *, environment: Mapping[str, str], logs: Logs) -> None:
    """Run until SIGTERM or SIGINT; a second signal cuts the draining short."""
    stopping = trio.Event()
    with opened(config, environment, logs) as house, logs.gathered():
        async with trio.open_nursery() as background:
            background.start_soon(_obey_signals, stopping, house.hurry, logs.log)
            await house.live(stopping)
            background.cancel_scope.cancel()


@contextmanager
def opened(config: Config, environment: Mapping[str, str], logs: Logs) -> Iterator["House"]:
    """Take hold of the doors and of the spool, or raise `CannotStart`; let the doors go after."""
    with ExitStack() as held:
        doors = open_doors(config, environment, held)
        try:
            spool = open_spool(Path(config.state_directory), limits=config.spool, log=logs.log)
        except SpoolUnusable as fault:
            raise CannotStart(str(fault)) from None
        held.callback(spool.close)
        with folding(SpoolUnusable, SpoolUnreadable):
            yield House(config, spool=spool, doors=doors, logs=logs, notifier=Notifier(environment))


class House:
    """Everything above the doors and the spool, wired once."""

    def __init__(
        self, config: Config, *, spool: SqliteSpool, doors: Doors, logs: Logs, notifier: Notifier
    ) -> None:
        self._config = config
        self._spool = spool
        self._doors = doors
        self._log = logs.log
        self._witness = logs.attempts
        self._notifier = notifier
        self._clock = SystemClock(spool.newest_stamp())
        self._dice = SystemDice()
        egress = config.egress
        self._dialer = Dialer(egress, Guard(deny=egress.deny, allow=egress.allow))
        self._downstream = trio.CancelScope()

    def hurry(self) -> None:
        """Cut the draining short: what is in flight is left to the next start."""
        self._downstream.cancel()

    async def live(
        self,
        stopping: trio.Event,
        *,
        task_status: trio.TaskStatus[Operator] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """Deliver until `stopping`; `task_status` gets the operator once events are accepted.

        In `spool_floor` live the spool's writer and its keeper, in `downstream` the couriers,
        in `upstream` the producers' doors.
        """
        async with trio.open_nursery() as spool_floor:
            await spool_floor.start(self._spool.run)
            spool_floor.start_soon(partial(self._spool.keep, now=self._clock.steady))
            engine = await self._engine()
            with self._downstream:
                await self._serve(engine, stopping, task_status)
            self._spool.finish()
        self._log.info("daemon.stopped")

    async def _serve(
        self, engine: "_Engine", stopping: trio.Event, task_status: trio.TaskStatus[Operator]
    ) -> None:
        async with trio.open_nursery() as downstream:
            await downstream.start(self._deliver, engine.dispatcher)
            async with trio.open_nursery() as upstream:
                self._open(engine.intake, upstream, stopping)
                # What stands now stays: with 10,000 subscriptions a full collection would stop
                # the loop for 190 ms to find that out again.
                gc.freeze()
                self._announce()
                task_status.started(engine.operator)
                await stopping.wait()
                self._log.info("daemon.stopping", drainS=self._config.drain_s)
                self._notifier.stopping()
                self._notifier.extend(self._config.drain_s + _LAST_COMMIT_S)
            engine.intake.close()
            engine.dispatcher.drain()
            self._downstream.deadline = trio.current_time() + self._config.drain_s

    async def _engine(self) -> "_Engine":
        enabled = [one for one in self._config.subscriptions if one.enabled]
        queues = queues_of(enabled)
        enrolled = await self._spool.enroll(list(queues), now=self._clock.steady())
        dispatcher = Dispatcher(
            queues, enrolled, self._world(), max_pending=self._config.spool.max_pending
        )
        operator = Operator(
            queues,
            enrolled,
            archive=self._spool,
            dispatcher=dispatcher,
            clock=self._clock,
        )
        router = Router((enrolled[one.name].number, one) for one in enabled)
        return _Engine(dispatcher, operator, self._intake(router, dispatcher))

    async def _deliver(
        self,
        dispatcher: Dispatcher,
        *,
        task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """In the nursery lives what holds the connections to their deadlines."""
        async with trio.open_nursery() as nursery:
            await nursery.start(self._dialer.tend)
            await dispatcher.run(task_status=task_status)
            nursery.cancel_scope.cancel()

    def _world(self) -> World:
        return World(
            spool=self._spool,
            open_sender=sender_factory(self._dialer, self._config.egress),
            clock=self._clock,
            dice=self._dice,
            witness=self._witness,
            log=self._log,
        )

    def _intake(self, router: Router, dispatcher: Dispatcher) -> Intake:
        return Intake(
            router=router,
            spool=self._spool,
            ring=dispatcher.ring,
            clock=self._clock,
            dice=self._dice,
            limits=self._config.intake,
            log=self._log,
        )

    def _open(self, intake: Intake, upstream: trio.Nursery, stopping: trio.Event) -> None:
        if self._doors.stream is not None:
            upstream.start_soon(self._serve_stream, self._doors.stream, intake, stopping)
        if self._doors.datagram is not None:
            upstream.start_soon(self._serve_datagrams, self._doors.datagram, intake, stopping)

    async def _serve_stream(self, door: socket, intake: Intake, stopping: trio.Event) -> None:
        await serve_stream(
            door,
            accept=intake.accept,
            limits=self._config.intake,
            stopping=stopping,
            log=self._log,
        )

    async def _serve_datagrams(self, door: socket, intake: Intake, stopping: trio.Event) -> None:
        await serve_datagrams(
            door,
            accept=intake.accept,
            limits=self._config.intake,
            stopping=stopping,
            log=self._log,
        )

    def _announce(self) -> None:
        subscriptions = sum(one.enabled for one in self._config.subscriptions)
        pending = sum(self._spool.pending().values())
        self._log.info(
            "daemon.started",
            version=__version__,
            pid=os.getpid(),
            subscriptions=subscriptions,
            pending=pending,
            stream=_name_of(self._doors.stream),
            datagram=_name_of(self._doors.datagram),
            stateDirectory=self._config.state_directory,
        )
        plural = "" if subscriptions == 1 else "s"
        self._notifier.status(f"{subscriptions} subscription{plural}, {pending} pending")
        self._notifier.ready()


class _Engine(Struct, frozen=True):
    dispatcher: Dispatcher
    operator: Operator
    intake: Intake


def sender_factory(dialer: Dialer, egress: Egress) -> SenderFactory:
    """A new transport is one line here, one Struct in `endpoint` and one `edge/send_x`."""
    contexts = TlsContexts()

    def open_sender(endpoint: Endpoint) -> Sender:
        match endpoint:
            case HttpEndpoint(http2=False, proxy=None):
                return HttpSender(endpoint, dialer=dialer, egress=egress, version=__version__)
            case HttpEndpoint():
                return _negotiating_sender(endpoint, dialer, contexts, egress)
            case TcpEndpoint():
                return TcpSender(endpoint, dialer=dialer, egress=egress)
            case UdpEndpoint():
                return UdpSender(endpoint, dialer=dialer, egress=egress)
            case _ as unreachable:
                assert_never(unreachable)

    return open_sender


def _negotiating_sender(
    endpoint: HttpEndpoint, dialer: Dialer, contexts: TlsContexts, egress: Egress
) -> Sender:
    # h2, hpack and h11 take 27 ms to import, and most installations never need them.
    from callpost.edge.send_http_negotiated import NegotiatingHttpSender  # noqa: PLC0415 - see above

    return NegotiatingHttpSender(
        endpoint,
        dialer=dialer,
        vet=dialer.refusal,
        contexts=contexts.context,
        egress=egress,
        version=__version__,
    )


async def _obey_signals(
    stopping: trio.Event, hurry: Callable[[], None], log: FilteringBoundLogger
) -> None:
    with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT, signal.SIGHUP) as signals:
        async for number in signals:
            if number == signal.SIGHUP:
                # Left to itself it would kill the daemon where a closed terminal sends it.
                log.warning("signal.ignored", signal="SIGHUP")
            elif stopping.is_set():
                hurry()
            else:
                stopping.set()


def _name_of(door: socket | None) -> str | None:
    return None if door is None else str(door.getsockname())
