"""The life of a daemon that is a process of its own: producers, receivers, crashes, and a history.

All times are of the machine's clock, which nobody may step meanwhile. A life is over when every
acknowledged event has come or is dead; one that never gets there is judged as it is.
"""

import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from math import inf
from pathlib import Path
from random import Random
from typing import Final

import trio

from callpost.edge.spool.read_only import StoppedSpool
from callpost.model.instant import microseconds
from callpost.model.replay import Selection
from faults.attempts_in_the_log import LoggedAttempts, over_a_link_that_delays
from faults.history import Arrival, Death, History, Promise, Reported, Sent
from faults.oracle import Breach, breaches_of
from faults.patient_producer import PatientProducer
from faults.real_receivers import Receivers
from faults.real_subscriptions import (
    CONDUCTS,
    GUESTS,
    PROMISES,
    calls,
    configured,
    fresh,
    reconfigured,
)
from faults.story import told
from household import Daemon

# What has been done rides with a commit for 20 ms; the rest is for a machine with much to do.
_SETTLES_WITHIN_S: Final = 1.0
# After the faults a fresh event must come within this: no breaker pauses for longer before it
# probes, and what was spooled meanwhile goes first.
_FRESH_WITHIN_S: Final = 60.0
_DRAINED_WITHIN_S: Final = 90.0
# Every line of the log costs this process time; what went well is seen at the receivers.
_TOP: Final = '[log]\nattempts = "failures"\n'


@dataclass(frozen=True)
class Places:
    """Where the receivers are reached; `within` is the command that a daemon is run by."""

    host: str
    http: trio.SocketListener
    tcp: trio.SocketListener
    nobody: int
    within: Sequence[str] = ()

    def port_of(self, listener: trio.SocketListener) -> int:
        """Its port."""
        return int(listener.socket.getsockname()[1])


class Life:
    """One spool, and everything that happens around it.

    While `lived`, the receivers and two producers are there.
    """

    def __init__(
        self,
        directory: Path,
        chance: Random,
        places: Places,
        *,
        pace_per_s: float,
        settings: str = "",
        link_delays: bool = False,
        reloads: bool = False,
    ) -> None:
        # A report that fails twice waits for minutes: on a bad link nobody asks for one.
        promises = [replace(one, reported=frozenset()) for one in PROMISES]
        self.chance = chance
        self.history = History(
            promises if link_delays else list(PROMISES), settles_within_s=_SETTLES_WITHIN_S
        )
        self.breaches: list[Breach] = []
        self.deeds: list[tuple[float, str]] = []
        # So often the configuration changes while a daemon lives.
        self._reload_pause_s = 0.3 if reloads else inf
        self._directory = directory
        self._link_delays = link_delays
        self._places = places
        self._log: list[dict[str, object]] = []
        self._taken: set[tuple[str, str]] = set()
        self._missing: set[tuple[str, str]] = set()
        self._unreported: set[str] = set()
        self._changed = trio.Event()
        self.daemon = Daemon(
            directory,
            self._configured(self.history.promises),
            f"{_TOP}{settings}",
            within=places.within,
        )
        self._base = self.daemon.config.read_text()
        if reloads:
            self.history.promises += GUESTS
        self.receivers = Receivers(
            Random(chance.random()), CONDUCTS, arrived=self._arrived, reported=self._reported
        )
        self._producers = [
            PatientProducer(
                self.daemon.door,
                calls(Random(chance.random()), name),
                pace_per_s=pace_per_s / 2,
                acknowledged=self._acknowledged,
            )
            for name in ("p1", "p2")
        ]

    @asynccontextmanager
    async def lived(self) -> AsyncIterator[None]:
        """Receivers and producers live in this nursery."""
        async with trio.open_nursery() as nursery:
            for serve, listener in (
                (self.receivers.serve_http, self._places.http),
                (self.receivers.serve_tcp, self._places.tcp),
            ):
                await nursery.start(partial(trio.serve_listeners, serve, [listener]))
            for producer in self._producers:
                nursery.start_soon(producer.feed)
            yield
            nursery.cancel_scope.cancel()

    async def until_killed(self, *, early_s: float | None, late_s: float) -> None:
        """Start the daemon and kill it: `early_s` from now, or `late_s` after it is ready."""
        with trio.CancelScope() as living:
            if early_s is not None:
                living.deadline = trio.current_time() + early_s
            async with self.daemon.running():
                self._note("ready")
                living.deadline = min(living.deadline, trio.current_time() + late_s)
                await self.reload_now_and_then()
        # What was answered before has ended before: nothing is heard by who is dead.
        self.history.crashes.append(time.time())
        self._keep_log()

    async def reload_now_and_then(self) -> None:
        """Change the configuration under a living daemon, sometimes for a faulty one."""
        while True:
            await trio.sleep(self.chance.uniform(0, 2) * self._reload_pause_s)
            may_fail = (self._directory / "state" / "config.last-good").exists()
            if may_fail and self.chance.random() < 0.2:
                self._reload(f"nonsense = 1\n{self._base}")
                continue
            guests = self.chance.sample(GUESTS, self.chance.randint(0, len(GUESTS)))
            text = f"{self._base}\n{self._configured(guests)}"
            self._reload(reconfigured(text, self.chance))

    def _reload(self, text: str) -> None:
        self._note("a reload")
        # In one step: the daemon may be reading it, and must not find half of it.
        fresh = self.daemon.config.with_suffix(".new")
        fresh.write_text(text)
        fresh.replace(self.daemon.config)
        assert self.daemon.process is not None
        self.daemon.process.send_signal(signal.SIGHUP)

    def _configured(self, promises: Sequence[Promise]) -> str:
        places = self._places
        http, tcp = places.port_of(places.http), places.port_of(places.tcp)
        return configured(promises, places.host, http, tcp, places.nobody)

    async def end_well(
        self, faults: Callable[[], Awaitable[None]] = trio.lowlevel.checkpoint
    ) -> None:
        """Start the daemon and wait for the last `faults` to end.

        Then everything must drain, and a fresh call must come soon.
        """
        if (self._directory / "state" / "spool.db").exists():
            self._note_deaths()
        self.daemon.config.write_text(self._base)
        async with self.daemon.running():
            await faults()
            self.receivers.are_well = True
            self._note("the faults stop")
            await self.drain()
            if await self.daemon.end(signal.SIGTERM) != 0:
                self.breaches.append(Breach("the_last_stop_is_clean", "its exit status was not 0"))
        self._keep_log()

    async def drain(self) -> None:
        """Send a fresh call and wait until nobody is owed anything."""
        for producer in self._producers:
            producer.is_inventing = False
        with trio.move_on_after(_DRAINED_WITHIN_S) as draining:
            for producer in self._producers:
                await producer.content()
            self._note("everything is acknowledged")
            self._producers[0].urgent.extend(fresh(_FRESH_WITHIN_S))
            await self._producers[0].content()
            # What has died while the faults were there is owed to nobody; the log says so.
            async with trio.open_nursery() as nursery:
                nursery.start_soon(partial(self.daemon.until, self._strike_dead, within_s=inf))
                while self._missing or self._unreported:
                    await self._changed.wait()
                nursery.cancel_scope.cancel()
        if draining.cancelled_caught:
            rest = f"{len(self._missing)} deliveries, {len(self._unreported)} reports"
            self.breaches.append(Breach("it_drains_when_the_faults_stop", f"{rest} are missing"))
        self._note("drained")

    def judge(self) -> str:
        """Nothing where no law was broken; else the breaches, and what happened."""
        history = self.history
        history.sent = [one for producer in self._producers for one in producer.sent]
        attempts = LoggedAttempts(self._log)
        history.arrivals = attempts.settled(self.receivers.seen, history.crashes)
        if self._link_delays:
            history.arrivals = over_a_link_that_delays(history.arrivals)
        self._note_deaths()
        self._read_log()
        breaches = self.breaches + breaches_of(history)
        if not breaches:
            return ""
        mentioned = "\n".join(f"{one.law}: {one.sentence}" for one in breaches[:20])
        story = self._directory / "story.txt"
        story.write_text(told(history, self.deeds, breaches))
        return f"{len(breaches)} breaches; the story is in {story}\n{mentioned}"

    def summary(self) -> str:
        """How much was lived through."""
        seen = self.receivers.seen
        crashes, arrivals = len(self.history.crashes), len(seen)
        reloads = sum(line["event"] in {"config.reloaded", "config.rejected"} for line in self._log)
        sent = sum(len(producer.sent) for producer in self._producers)
        dead, reports = len(self.history.deaths), len(self.history.reports)
        repeats = arrivals - len({(*_place(one.arrival), one.arrival.attempt) for one in seen})
        return (
            f"{crashes} crashes, {reloads} reloads, {sent} events, {arrivals} arrivals, "
            f"{repeats} attempts twice, {dead} dead letters, {reports} reports"
        )

    def _note(self, deed: str) -> None:
        self.deeds.append((time.time(), deed))

    def _acknowledged(self, sent: Sent) -> None:
        owed = {(name, sent.id) for name in sent.wanted_by}
        self._missing |= owed - self._taken

    def _arrived(self, arrival: Arrival) -> None:
        if not arrival.taken:
            return
        place = _place(arrival)
        reported = (one.name for one in self.history.promises if one.reported)
        if arrival.subscription in reported and place not in self._taken:
            self._unreported.add(arrival.id)
        self._taken.add(place)
        self._missing.discard(place)
        self._renew()

    def _strike_dead(self, log: list[dict[str, object]]) -> bool:
        """Strike off what the log calls dead; there may always be more."""
        self._missing -= {
            (str(line["subscription"]), str(line["eventId"]))
            for line in log
            if line["event"] == "delivery.died"
        }
        self._renew()
        return False

    def _reported(self, report: Reported) -> None:
        self.history.reports.append(report)
        self._unreported.discard(report.event_id)
        self._renew()

    def _renew(self) -> None:
        self._changed.set()
        self._changed = trio.Event()

    def _keep_log(self) -> None:
        self._log += self.daemon.log

    def _note_deaths(self) -> None:
        """What the spool of a daemon that has stopped holds of dead letters."""
        calls_of = {one.id: one.call for producer in self._producers for one in producer.sent}
        spool = StoppedSpool(self._directory / "state")
        letters = spool.dead(Selection(), limit=10_000_000, cursor="").deliveries
        self.history.deaths = [
            Death(
                one.subscription,
                one.event_id,
                calls_of.get(one.event_id, one.call_id),
                one.seq,
                one.reason,
                microseconds(one.died_at) / 1e6,
            )
            for one in reversed(letters)
        ]
        self._missing -= {(one.subscription, one.id) for one in self.history.deaths}

    def _read_log(self) -> None:
        for line in self._log:
            if line["event"] == "delivery.died":
                story = (line["subscription"], line["eventId"], line["reason"])
                self.history.told.append((str(story[0]), str(story[1]), str(story[2])))
            if "exception" in line or line["event"] == "sender.failed":
                self.breaches.append(Breach("no_traceback_is_logged", f"{line}"))


def _place(arrival: Arrival) -> tuple[str, str]:
    return arrival.subscription, arrival.id
