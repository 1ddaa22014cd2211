"""The house of one daemon: everything above the doors and the spool, wired once.

Nesting is the order of the stop: the producers' doors end first, then the couriers get the
drain deadline, then the spool makes its last commit; what watches and serves the operator is in
the background and ends last.
"""

import gc
import os
from functools import partial
from socket import socket
from typing import Final

import trio

from callpost import __version__
from callpost.background import start_background
from callpost.doors import Doors, place_of
from callpost.edge.clock import SystemClock
from callpost.edge.dial import Dialer, file_ends_at
from callpost.edge.dice import SystemDice
from callpost.edge.logs import Logs
from callpost.edge.metrics import NAMED_MAX, Figures
from callpost.edge.receive_unix import serve_datagrams, serve_stream
from callpost.edge.spool import SqliteSpool
from callpost.edge.systemd import Notifier
from callpost.engine.expiry import Expiry
from callpost.engine.intake import Intake
from callpost.engine.operator import Operator
from callpost.engine.witnesses import Witnesses
from callpost.engine_room import EngineRoom, Surroundings, enabled
from callpost.front_desk import open_front_desk
from callpost.loading import ConfigFiles, Loaded
from callpost.model.condition import Phase
from callpost.model.egress import Guard
from callpost.reload import Reload

# After the drain: the last commit and its fsync, told to systemd so that it does not kill us.
_LAST_COMMIT_S: Final = 10.0


class House:
    """Made of what `opened` holds; `files` None: there is nothing to be read again."""

    def __init__(
        self,
        start: Loaded,
        *,
        files: ConfigFiles | None,
        spool: SqliteSpool,
        doors: Doors,
        logs: Logs,
        notifier: Notifier,
    ) -> None:
        config = start.config
        self.doors = doors
        self.logs = logs
        self.notifier = notifier
        self.spool = spool
        named_max = NAMED_MAX if config.metrics.per_subscription == "auto" else 0
        self.figures = Figures(named_max=named_max)
        spool.tell_commits(self.figures.committed)
        self.witnesses = Witnesses(self.figures, logs.attempts.attempted)
        self.clock = SystemClock(spool.newest_stamp())
        egress = config.egress
        self.dialer = Dialer(egress, Guard(deny=egress.deny, allow=egress.allow))
        self.settings = Reload(
            start,
            files=files,
            shelf=spool,
            logs=logs,
            clock=self.clock,
            notifier=notifier,
            tell_state=self.tell_state,
        )
        self.expiry = self._expiry()
        self.phase: Phase = "starting"
        self.producers: set[socket] = set()
        self.is_closing = False
        self.ended = trio.Event()
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

        In `operators` live the doors for those who look on and act, until the house has `ended`;
        in `background` what `start_background` starts, in `spool_floor` the spool's writer
        and its keeper, in `downstream` the couriers, in `upstream` the producers' doors.
        """
        async with trio.open_nursery() as operators:
            async with trio.open_nursery() as background:
                async with trio.open_nursery() as spool_floor:
                    await spool_floor.start(self.spool.run)
                    spool_floor.start_soon(partial(self.spool.keep, now=self.clock.steady))
                    room = await EngineRoom.opened(self.settings.config, self._surroundings())
                    await start_background(background, self, room)
                    await open_front_desk(operators, self, room)
                    with self._downstream:
                        await self._serve(room, stopping, task_status)
                    self.is_closing = True
                    self.spool.finish()
                background.cancel_scope.cancel()
            self.ended.set()
        self.logs.log.info("daemon.stopped")

    def tell_state(self) -> None:
        """One useful line for `systemctl status`."""
        subscriptions = len(enabled(self.settings.config))
        plural = "" if subscriptions == 1 else "s"
        troubles = (self.spool.counts.trouble, self.settings.trouble)
        told = "".join(f"; {one.sentence}" for one in troubles if one is not None)
        pending = self.spool.counts.pending
        self.notifier.status(f"{subscriptions} subscription{plural}, {pending} pending{told}")

    async def _serve(
        self, room: EngineRoom, stopping: trio.Event, task_status: trio.TaskStatus[Operator]
    ) -> None:
        async with trio.open_nursery() as downstream:
            await downstream.start(self._deliver, room)
            async with trio.open_nursery() as upstream:
                self._open(room.intake, upstream, stopping)
                # What stands now stays: with 10,000 subscriptions a full collection would stop
                # the loop for 190 ms to find that out again.
                gc.freeze()
                await self.settings.begin(room)
                self._announce()
                self.phase = "ready"
                task_status.started(room.operator)
                await stopping.wait()
                self.phase = "draining"
                self.settings.close()
                drain_s = self.settings.config.drain_s
                self.logs.log.info("daemon.stopping", drainS=drain_s)
                self.notifier.stopping()
                self.notifier.extend(drain_s + _LAST_COMMIT_S)
            room.intake.close()
            room.dispatcher.drain()
            self._downstream.deadline = trio.current_time() + drain_s

    async def _deliver(
        self,
        room: EngineRoom,
        *,
        task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """In the nursery lives what holds the connections to their deadlines."""
        async with trio.open_nursery() as nursery:
            await nursery.start(self.dialer.tend)
            await room.dispatcher.run(task_status=task_status)
            nursery.cancel_scope.cancel()

    def _surroundings(self) -> Surroundings:
        return Surroundings(
            spool=self.spool,
            dialer=self.dialer,
            clock=self.clock,
            dice=SystemDice(),
            witness=self.witnesses,
            log=self.logs.log,
        )

    def _expiry(self) -> Expiry:
        return Expiry(
            subscriptions=lambda: enabled(self.settings.config),
            seen=self.dialer.certificates.ends_at,
            of_file=file_ends_at,
            shown=lambda: (tls.cert for tls in (self.settings.config.api.tls,) if tls is not None),
            clock=self.clock,
            log=self.logs.log,
        )

    def _open(self, intake: Intake, upstream: trio.Nursery, stopping: trio.Event) -> None:
        for door, serve in (
            (self.doors.stream, partial(serve_stream, connections=self.producers)),
            (self.doors.datagram, serve_datagrams),
        ):
            if door is not None:
                upstream.start_soon(
                    partial(
                        serve,
                        door,
                        accept=intake.accept,
                        limits=self.settings.config.intake,
                        stopping=stopping,
                        log=self.logs.log,
                    )
                )

    def _announce(self) -> None:
        config = self.settings.config
        self.logs.log.info(
            "daemon.started",
            version=__version__,
            pid=os.getpid(),
            subscriptions=len(enabled(config)),
            pending=self.spool.counts.pending,
            stream=place_of(self.doors.stream),
            datagram=place_of(self.doors.datagram),
            control=place_of(self.doors.control),
            api=place_of(self.doors.api),
            metrics=place_of(self.doors.metrics),
            stateDirectory=config.state_directory,
        )
        self.tell_state()
        self.notifier.ready()
