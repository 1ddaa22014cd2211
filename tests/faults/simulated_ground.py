"""What outlives the engines of one simulated life: its disk, receivers, producers and memory."""

import json
from random import Random

import trio

from callpost.engine.dispatcher import queues_of
from callpost.model.delivery import Delivery, Died, Enrolled, Standing
from callpost.model.subscription import Subscription
from faults.history import Death, History, Replay, Reported
from faults.oracle import Breach
from faults.simulated_disk import Disk, DiskMood
from faults.simulated_endpoints import Endpoints, call_of
from faults.simulated_settings import promise_of, scripts, settings
from faults.steps import Steps


class VirtualClock:
    """Both clocks on trio's own."""

    def steady(self) -> float:
        """Seconds since the life began."""
        return trio.current_time()

    def wall(self) -> float:
        """A date in 2026."""
        return 1_795_000_000.0 + trio.current_time()


class DrawnDice:
    """Dice of the life's own chance."""

    def __init__(self, chance: Random) -> None:
        self._chance = chance

    def roll(self) -> float:
        """See ports.Dice."""
        return self._chance.random()

    def event_id(self) -> str:
        """Every producer names its events here."""
        raise NotImplementedError


class Ground:
    """Drawn from `chance`.

    `deeds` tells what engines and operators did; `breaches` are of laws that no history can tell.
    """

    def __init__(self, chance: Random) -> None:
        self.chance = chance
        self.settings = settings(chance)
        self.history = History([promise_of(one, self.settings) for one in self.subscriptions])
        self.scripts = scripts(chance, self.settings)
        self.disk = Disk(buried=self._bury, queued_again=self._queue_again)
        self.endpoints = Endpoints(chance, self.history)
        self.endpoints.restlessness = chance.choice((0.0, 0.02, 0.1, 0.3))
        if chance.random() < 0.2:
            self.endpoints.poisoned = frozenset({"/p1/c0", "acme/p1/c0"})
        # The numbers of the queues follow from their places here, at every start.
        self.names = list(queues_of(self.subscriptions))
        self.deeds: list[tuple[float, str]] = []
        self.breaches: list[Breach] = []
        self.steps = Steps()
        self.weathers: list[DiskMood] = []
        self.paused: dict[str, float] = {}
        # Whom the configuration names at the moment.
        self.served = frozenset(one.name for one in self.subscriptions)

    @property
    def subscriptions(self) -> list[Subscription]:
        """What the configuration says at first."""
        return self.settings.subscriptions

    def enrolled(self) -> dict[str, Enrolled]:
        """What the disk knows of each queue."""
        return {
            name: Enrolled(number, self.disk.standings.get(number, Standing()))
            for number, name in enumerate(self.names, 1)
        }

    def serve(self, names: frozenset[str]) -> None:
        """The configuration names these now; who is gone is paused no more."""
        self.served = names
        for name in self.paused.keys() - names:
            del self.paused[name]

    def close_books(self) -> None:
        """What a start does for those that have gone: what is pending for them is dead."""
        there = queues_of(one for one in self.subscriptions if one.name in self.served)
        for number, name in enumerate(self.names, 1):
            if name not in there:
                self.disk.bury(number, now=trio.current_time(), most=1_000_000)

    def settles_within_s(self) -> float:
        """How long what is done may be unwritten: the ride, and the commits before and of it."""
        if any(one.write_fails for one in self.weathers):
            return float("inf")
        return 0.02 + 8 * max(one.commit_s for one in self.weathers) + 1e-6

    def check_pauses(self) -> None:
        """Whom an operator has paused, and not just now, is paused also after a crash."""
        for name, paused_at in list(self.paused.items()):
            if self.enrolled()[name].standing.paused in {"operator", "gone"}:
                continue
            # A pause of just now may have been lost with the crash, and is forgotten then.
            del self.paused[name]
            if paused_at + self.settles_within_s() < trio.current_time():
                self.breaches.append(Breach("pauses_outlive_a_crash", name))

    def note(self, deed: str) -> None:
        """Remember what was done, and when."""
        self.deeds.append((trio.current_time(), deed))

    def _bury(self, died: Died) -> None:
        fields = json.loads(died.delivery.body)
        name = self.names[died.subscription - 1]
        if name.endswith("!report"):
            about = fields["report"]
            ended = str(about["type"]).removeprefix("delivery.")
            report = Reported(about["subscription"], about["eventId"], ended, taken=False)
            self.history.reports.append(report)
            return
        pending = len(self.disk.pending[died.subscription]) + 1
        if died.reason == "overflow" and pending <= self.settings.max_pending:
            sentence = f"{fields['id']} went, but only {pending} were pending for {name}"
            self.breaches.append(Breach("overflow_takes_no_more_than_it_must", sentence))
        death = Death(
            subscription=name,
            id=fields["id"],
            call=call_of(fields),
            seq=died.delivery.seq,
            reason=died.reason,
            at=trio.current_time(),
        )
        self.history.deaths.append(death)

    def _queue_again(self, owner: int, delivery: Delivery) -> None:
        event_id = json.loads(delivery.body)["id"]
        self.history.replays.append(Replay(self.names[owner - 1], event_id, trio.current_time()))
