"""One engine from its start to its end: it crashes at a step of the scheduler, or it is stopped.

It is put together as the daemon does it, and ends as the daemon ends: at a stop the producers go
first, the couriers get a deadline, then the spool writes its last; at a crash all go at once.
"""

import json
import logging
from collections.abc import Awaitable, Callable
from copy import copy
from functools import partial
from typing import Final

import structlog
import trio

from callpost.engine.dispatcher import Dispatcher, queues_of
from callpost.engine.intake import Intake
from callpost.engine.operator import Operator
from callpost.engine.world import World
from callpost.model.delivery import Attempted
from callpost.model.limits import Intake as IntakeLimits
from callpost.model.numbers import Numbers
from callpost.model.replay import Selection
from callpost.model.routing import Router
from callpost.model.tenancy import Registry, Tenancy
from faults.oracle import Breach
from faults.simulated_disk import DiskMood
from faults.simulated_endpoints import Senders
from faults.simulated_ground import DrawnDice, Ground, VirtualClock
from faults.simulated_reloads import AWAY_S, changed, some_of
from faults.simulated_settings import (
    Letter,
    Script,
    disk_mood,
    fresh,
    longest_pause_s,
    reordered,
)
from faults.simulated_spool import ReadFailed, SimulatedSpool
from faults.simulated_watch import watch_over

_DRAIN_S: Final = 5.0
# Everything has ended by then: the ages of the built-in schedules are at most a week.
_ENDS_WITHIN_S: Final = 8 * 86_400.0
# A probe a minute, a wish of 20 s, an attempt through three doors that hang, and the rest.
_FRESH_WITHIN_S: Final = 200.0


class Blind:
    """A witness that looks away: what was attempted is told by the receivers."""

    def attempted(self, attempt: Attempted) -> None:
        """See ports.Witness."""

    def delivered(self, lag_s: float) -> None:
        """See ports.Witness."""

    def accepted(self, events: int, *, duplicates: int) -> None:
        """See ports.Witness."""

    def refused(self, code: str) -> None:
        """See ports.Witness."""

    def died(self, subscription: str, reason: str) -> None:
        """See ports.Witness."""

    def removed(self, subscription: str) -> None:
        """See ports.Witness."""


class Shift:
    """One engine on this ground."""

    def __init__(self, ground: Ground, mood: DiskMood) -> None:
        self._ground = ground
        self._chance = ground.chance
        self._mood = mood
        self._spool = SimulatedSpool(ground.disk, ground.chance, mood, ground.names)
        self._senders = Senders(ground.endpoints)
        self._power = trio.CancelScope()
        self._downstream = trio.CancelScope()
        self._upstream = trio.CancelScope()
        self._healed = False
        self._said = [trio.Event() for _ in ground.scripts]
        self.has_ended = False
        ground.close_books()
        ground.check_pauses()
        ground.weathers.append(copy(mood))
        for name, known in ground.enrolled().items():
            if known.standing.paused == "operator":
                self._senders.pause(name)
        log = _telling(ground.history.told)
        subscriptions = [one for one in ground.subscriptions if one.name in ground.served]
        if ground.settings.orders_change:
            subscriptions = [reordered(one, ground.chance) for one in subscriptions]
        self._subscriptions = subscriptions
        queues, enrolled = queues_of(subscriptions), ground.enrolled()
        clock, dice = VirtualClock(), DrawnDice(ground.chance)
        self._dispatcher = Dispatcher(
            queues,
            enrolled,
            World(
                spool=self._spool,
                open_sender=self._senders.open,
                clock=clock,
                dice=dice,
                witness=Blind(),
                log=log,
                numbers=Numbers(),
            ),
            max_pending=ground.settings.max_pending,
        )
        self._operator = Operator(
            archive=self._spool, dispatcher=self._dispatcher, clock=clock, dice=dice
        )
        self._intake = Intake(
            router=Router((enrolled[one.name].number, one) for one in subscriptions),
            spool=self._spool,
            ring=self._dispatcher.ring,
            clock=clock,
            dice=dice,
            limits=IntakeLimits(),
            witness=Blind(),
            registry=Registry(Tenancy()),
            log=log,
        )

    async def work(self) -> None:
        """Work for a while; then crash, or stop as one should."""
        lasts_s = self._chance.choice((0.05, 1.0, 10.0, 60.0, 300.0))
        if self._chance.random() < 0.7:
            # Small steps fall into recovery, large ones anywhere.
            step = int(2 ** (self._chance.random() * 11))
            self._ground.steps.call_after(step, self._crash)
        await self._live(partial(trio.sleep, lasts_s))
        self._ground.steps.call_never()
        self._tell_breaches()

    async def finish(self) -> None:
        """Work until the producers have said everything; then nothing fails any more."""
        await self._live(self._see_the_end)
        self._tell_breaches()

    def _tell_breaches(self) -> None:
        breaches = [Breach("shut_doors_stay_shut", one) for one in self._senders.trespasses]
        if not self._senders.dead and any(
            at < self._downstream.deadline for at in self._senders.cut_at
        ):
            breaches.append(Breach("a_stop_waits_for_attempts", f"cut at {self._senders.cut_at}"))
        self._ground.breaches += breaches

    def _crash(self) -> None:
        if not self._senders.dead:
            self._ground.history.crashes.append(trio.current_time())
            self._senders.dead = True
            self._spool.die()
            self._power.cancel()

    async def _live(self, until: Callable[[], Awaitable[None]]) -> None:
        """In the nurseries live the spool, then the couriers, then whoever wants something."""
        self._ground.note("an engine starts")
        try:
            with self._power:
                async with trio.open_nursery() as floor:
                    floor.start_soon(self._spool.run)
                    with self._downstream:
                        async with trio.open_nursery() as downstream:
                            downstream.start_soon(self._dispatcher.run)
                            async with trio.open_nursery() as upstream:
                                self._open_doors(upstream)
                                await until()
                                upstream.cancel_scope.cancel()
                            self._ground.note("the engine is asked to stop")
                            self._intake.close()
                            self._dispatcher.drain()
                            self._downstream.deadline = trio.current_time() + _DRAIN_S
                    self._spool.finish()
        except* ReadFailed:
            self._crash()
        self._ground.note("the engine has crashed" if self._senders.dead else "it has stopped")

    def _open_doors(self, upstream: trio.Nursery) -> None:
        for script, said in zip(self._ground.scripts, self._said, strict=True):
            upstream.start_soon(self._produce, script, said)
        upstream.start_soon(self._operate)
        if self._ground.settings.reloads:
            upstream.start_soon(self._reload)
        upstream.start_soon(watch_over, self._dispatcher, self._tell_stall)
        if self._chance.random() < 0.3:
            upstream.start_soon(self._change_the_weather)

    def _tell_stall(self, sentence: str) -> None:
        self._ground.breaches.append(Breach("nobody_stands_still", sentence))

    async def _see_the_end(self) -> None:
        await trio.sleep(self._chance.choice((0.0, 5.0, 60.0)))
        self._heal()
        await self._send(fresh(self._ground.settings, within_s=self._fresh_within_s()))
        for said in self._said:
            await said.wait()
        with trio.move_on_after(_ENDS_WITHIN_S) as patience:
            await self._spool.emptied()
        if patience.cancelled_caught:
            left = {owner: list(rows) for owner, rows in self._ground.disk.pending.items()}
            sentence = f"left: {left}, waiting: {self._ground.disk.deferred}"
            self._ground.breaches.append(Breach("everything_ends", sentence))
        # Whoever still thinks that there is something to send has the time to do so.
        await trio.sleep(120)
        self.has_ended = True

    def _fresh_within_s(self) -> float:
        within_s = _FRESH_WITHIN_S
        if any(one.order == "subscription" for one in self._subscriptions):
            # It waits until the delivery before it is tried again.
            within_s += max(longest_pause_s(one) for one in self._subscriptions)
        return within_s

    def _heal(self) -> None:
        """From now on disk and receivers are well, and the operator has resumed everything."""
        self._ground.note("all faults stop")
        self._healed = True
        if self._ground.settings.reloads:
            self._apply(frozenset(one.name for one in self._ground.subscriptions))
        self._mood.heal()
        self._ground.endpoints.are_well = True
        all_of_them = self._chance.random() < 0.5
        for name in self._ground.names:
            standing = self._dispatcher.courier(name).gate.standing
            if all_of_them or standing.paused or standing.gone:
                self._resume(name)

    async def _produce(self, script: Script, said: trio.Event) -> None:
        """Say what is left of the script; who is patient says it until it is acknowledged."""
        while script.batches:
            pause_s, letters = script.batches[0]
            await trio.sleep(pause_s)
            if not script.is_patient:
                del script.batches[0]
            left = await self._send(letters)
            if script.is_patient:
                script.batches[:1] = [(1.0, left)] if left else []
        said.set()

    async def _send(self, letters: list[Letter]) -> list[Letter]:
        """Return those that were refused."""
        for letter in letters:
            if letter.sent.sent_at < 0:
                letter.sent.sent_at = trio.current_time()
                self._ground.history.sent.append(letter.sent)
            letter.send(self._ground.served)
        refused = []
        replies = await self._intake.accept([letter.line for letter in letters])
        for letter, line in zip(letters, replies, strict=True):
            reply = json.loads(line)
            if not reply["ok"]:
                letter.refused()
                refused.append(letter)
            elif letter.sent.acknowledged_at is None:
                letter.stored(before=reply.get("duplicate", False))
                letter.sent.acknowledged_at = trio.current_time()
                letter.sent.number = reply["number"]
                if reply["matched"] not in map(len, letter.tries):
                    self._ground.breaches.append(Breach("replies_count_the_matches", str(reply)))
        return refused

    async def _reload(self) -> None:
        """Change the configuration now and then; who is taken out may come back soon."""
        everybody = frozenset(one.name for one in self._ground.subscriptions)
        for _ in range(self._chance.choice((1, 2, 6))):
            await trio.sleep(self._chance.random() * 15)
            for names in (some_of(everybody, self._chance), everybody):
                if not self._healed:
                    self._apply(names)
                    await trio.sleep(self._chance.choice(AWAY_S))

    def _apply(self, names: frozenset[str]) -> None:
        """Serve these from now on, some of them under other settings."""
        ground = self._ground
        ground.note(f"a reload: {sorted(names)}")
        for name in names - ground.served:
            self._senders.reopen(name)
            self._senders.reopen(f"{name}!report")
        ground.serve(names)
        may_reorder = ground.settings.orders_change
        self._subscriptions = [
            changed(one, self._chance, may_reorder=may_reorder)
            for one in ground.subscriptions
            if one.name in names
        ]
        enrolled = ground.enrolled()
        self._dispatcher.apply(queues_of(self._subscriptions), enrolled)
        router = Router((enrolled[one.name].number, one) for one in self._subscriptions)
        self._intake.obey(router, IntakeLimits(), Registry(Tenancy()))

    async def _operate(self) -> None:
        for _ in range(self._chance.choice((0, 0, 1, 3))):
            await trio.sleep(self._chance.random() * 15)
            if not self._subscriptions:
                continue
            name = self._chance.choice([one.name for one in self._subscriptions])
            act = self._chance.choice(("pause", "resume", "replay"))
            if self._healed:
                return
            match act:
                case "pause":
                    self._ground.note(f"the operator pauses {name}")
                    self._ground.paused[name] = trio.current_time()
                    self._senders.pause(name)
                    self._dispatcher.pause(name)
                case "resume":
                    self._resume(name)
                case _:
                    self._ground.note(f"the operator replays {name}")
                    delivered = self._chance.random() < 0.3
                    await self._operator.replay(Selection(subscription=name, delivered=delivered))

    def _resume(self, name: str) -> None:
        self._ground.note(f"the operator resumes {name}")
        self._ground.paused.pop(name, None)
        self._senders.reopen(name)
        self._dispatcher.resume(name)

    async def _change_the_weather(self) -> None:
        while not self._healed:
            await trio.sleep(self._chance.random() * 20)
            if not self._healed:
                self._mood.become(disk_mood(self._chance))
                self._ground.weathers.append(copy(self._mood))
                self._ground.note(f"the disk is {self._mood}")


def _telling(told: list[tuple[str, str, str]]) -> structlog.typing.FilteringBoundLogger:
    """A log that remembers whose death it was told of, and costs little else."""

    def hand_over(
        _: object, __: str, fields: structlog.typing.EventDict
    ) -> structlog.typing.EventDict:
        if fields["event"] == "delivery.died" and "!" not in str(fields["subscription"]):
            name, event_id = str(fields["subscription"]), str(fields["eventId"])
            told.append((name, event_id, str(fields["reason"])))
        raise structlog.DropEvent

    log: structlog.typing.FilteringBoundLogger = structlog.wrap_logger(
        None,
        processors=[hand_over],
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        context_class=dict,
        cache_logger_on_first_use=True,
    )
    return log
