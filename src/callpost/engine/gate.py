"""Whether one subscription may send now, and through which of its doors.

The gate knows the health of each endpoint, the pause, the rate limit and this machine's own
faults; the courier asks it before it takes work, the round before each attempt. What must
outlive a restart it writes to the spool as the subscription's standing.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from callpost.engine.figures import Figures
from callpost.engine.wayout import WayOut
from callpost.engine.world import World
from callpost.model.delivery import Pause, Standing, StandingChanged
from callpost.model.endpoint import Endpoint, TcpEndpoint, fingerprint
from callpost.model.endurance import Endurance
from callpost.model.health import Change, Health
from callpost.model.outcome import Delivered, LocalFault, Outcome, Retry
from callpost.model.pace import Pace
from callpost.model.progress import STUCK
from callpost.model.schedule import held_s
from callpost.model.subscription import Subscription
from callpost.model.vocabulary import Kind

_NEVER: Final = float("inf")
# A disk that takes no outcomes is looked at again every second.
_CLOGGED_PAUSE_S: Final = 1.0


# What one gate tells the next about an endpoint.
Known = tuple[Endpoint, Health]


class Gate:
    """The gate of subscription number `number`; a success tells `way_out` that there is one.

    Of endpoints that are among those `known` to the gate before it goes on with their health.
    """

    def __init__(
        self,
        number: int,
        subscription: Subscription,
        standing: Standing,
        *,
        world: World,
        way_out: WayOut,
        figures: Figures,
        known: Iterable[Known] = (),
    ) -> None:
        self._number = number
        self._name = subscription.name
        self._paused = standing.paused
        self._paused_since = standing.paused_since
        self._spool = world.spool
        self._clock = world.clock
        self._way_out = way_out
        self.figures = figures
        self._log = world.log
        self._schedule = subscription.schedule
        self._pace = Pace(subscription.rate_per_s)
        self._endurance = Endurance(standing.failing_since)
        self._proven = False
        self._endpoints = {one.place: one for route in subscription.routes for one in route}
        self._health = {
            place: Health(
                concurrency=_most_out(endpoint, subscription),
                gone=fingerprint(endpoint) in standing.gone,
            )
            for place, endpoint in self._endpoints.items()
        }
        self._take_over(known, subscription)
        self._routes = tuple(
            tuple(self._health[one.place] for one in route) for route in subscription.routes
        )
        self._look_at_pause()

    def _take_over(self, known: Iterable[Known], subscription: Subscription) -> None:
        """An endpoint that has stayed the same keeps its health."""
        for endpoint, health in known:
            if self._endpoints.get(endpoint.place) == endpoint:
                health.resize(_most_out(endpoint, subscription))
                self._health[endpoint.place] = health

    def _look_at_pause(self) -> None:
        if self._paused == "gone" and not self._all_gone():
            # The configuration has another endpoint now.
            self._set_paused("")
        if self._paused == "auto":
            self._slow_down()

    @property
    def is_proven(self) -> bool:
        """Something was delivered since the start or since the last time it all failed."""
        return self._proven

    @property
    def is_busy(self) -> bool:
        """An attempt is out."""
        return any(health.is_busy for health in self._health.values())

    @property
    def paused(self) -> Pause:
        """Who has paused it, "" where nobody has."""
        return self._paused

    @property
    def paused_since(self) -> float | None:
        """When that was, on the steady clock."""
        return self._paused_since

    @property
    def doors(self) -> Iterator[Known]:
        """Its endpoints, each with what is known of its health."""
        return ((self._endpoints[place], health) for place, health in self._health.items())

    @property
    def standing(self) -> Standing:
        """What outlives a restart."""
        return Standing(
            paused=self._paused,
            paused_since=self._paused_since,
            failing_since=self._endurance.failing_since,
            gone=tuple(
                fingerprint(self._endpoints[place])
                for place, health in self._health.items()
                if health.is_gone
            ),
        )

    def opens_at(self, now: float) -> float:
        """When the next delivery may be taken; now or earlier: at once; `inf`: not by itself."""
        if self._paused in {"operator", "gone"}:
            return _NEVER
        opens_at = self._route_opens_at(self._routes[0], now)
        if len(self._routes) > 1:
            opens_at = min(opens_at, self._route_opens_at(self._routes[1], now))
        if self._spool.clogged:
            opens_at = max(opens_at, now + _CLOGGED_PAUSE_S)
        return max(opens_at, self._pace.opens_at())

    def way_opens_at(self, kind: Kind, now: float) -> float:
        """When a delivery of this kind may be sent: new calls may go another way than the rest."""
        return self._route_opens_at(self._routes[0 if kind == "newCall" else -1], now)

    def admits(self, place: str, now: float) -> bool:
        """An attempt at this endpoint may begin now."""
        return self._health[place].opens_at(now) <= now

    def _route_opens_at(self, route: tuple[Health, ...], now: float) -> float:
        """Its first endpoint that is not shut decides: who is merely busy is waited for."""
        opens_at = _NEVER
        for health in route:
            door_at = health.opens_at(now)
            if door_at <= now:
                # An endpoint before it, which is shut, may open sooner than this one has room.
                return now if health.has_room() else opens_at
            opens_at = min(opens_at, door_at)
        return opens_at

    def take(self, now: float) -> None:
        """A delivery is taken: it counts for the rate limit."""
        self._pace.step(now)

    def begin(self, place: str) -> bool:
        """An attempt begins; says whether it is a probe."""
        return self._health[place].begin()

    def abandon(self, place: str, *, is_probe: bool) -> None:
        """An attempt was cancelled."""
        self._health[place].abandon(is_probe=is_probe)

    def end(self, place: str, outcome: Outcome, *, is_probe: bool) -> None:
        """An attempt ended: learn from it, and say what changed."""
        now = self._clock.steady()
        hold_s = 0.0
        if isinstance(outcome, Retry) and outcome.retry_after_s is not None:
            # Bounded as for live events, whoever heard it: a patient cdr waits longer by itself.
            hold_s = held_s(self._schedule, outcome.retry_after_s)
        changes = self._health[place].end(outcome, now, is_probe=is_probe, hold_s=hold_s)
        self._way_out.learn(outcome, now)
        figures = self.figures
        figures.attempts += 1
        match outcome:
            case Delivered():
                figures.delivered += 1
                figures.last_delivered_at = now
                self._proven = True
                self._recover()
            case LocalFault():
                pass
            case Retry(retry_after_s=None):
                self._fail(now)
            case _:
                # Any answer ends a row of failures: whoever answers lives.
                self._recover()
        if not isinstance(outcome, Delivered):
            figures.fail(outcome, now)
        for change in changes:
            self._tell(change, place, outcome, hold_s)

    def give_up(self, place: str, *, is_probe: bool) -> None:
        """An attempt did not come back, and was taken back: another would not either, for now."""
        self.end(place, STUCK, is_probe=is_probe)
        for change in self._health[place].break_open(self._clock.steady()):
            self._tell(change, place, STUCK, 0.0)

    def pause(self) -> None:
        """An operator pauses it: events are kept, nothing is sent, ages count."""
        self._set_paused("operator")

    def resume(self) -> None:
        """An operator resumes it, whoever paused it; every endpoint gets a new chance."""
        for health in self._health.values():
            health.reset()
        self._endurance.succeed()
        self._set_paused("")

    def _recover(self) -> None:
        must_forget = self._endurance.succeed()
        if self._paused == "auto":
            self._set_paused("")
        elif must_forget:
            self._write_down()

    def _fail(self, now: float) -> None:
        self._endurance.fail(now)
        if self._endurance.is_exhausted(now) and not self._paused:
            self._slow_down()
            self._set_paused("auto")
        elif self._endurance.is_worth_keeping(now):
            self._write_down()

    def _slow_down(self) -> None:
        for health in self._health.values():
            health.slow_down(self._clock.steady(), since=self._endurance.failing_since)

    def _all_gone(self) -> bool:
        """Nobody is left to hear of a new call; a status callback alone makes no sense."""
        return all(health.is_gone for health in self._routes[0])

    def _tell(self, change: Change, place: str, outcome: Outcome, hold_s: float) -> None:
        origin = self._endpoints[place].origin
        fields = {"subscription": self._name, "endpoint": origin, "place": place}
        match change:
            case "opened":
                self._proven = False
                self._log.warning("breaker.opened", **fields, reason=outcome.reason)
            case "closed":
                self._log.info("breaker.closed", **fields)
            case "held":
                self._log.info("endpoint.held", **fields, seconds=round(hold_s, 3))
            case "gone":
                self._log.warning("endpoint.gone", **fields, reason=outcome.reason)
                if self._all_gone():
                    self._set_paused("gone")
                else:
                    self._write_down()

    def _set_paused(self, paused: Pause) -> None:
        if paused == self._paused:
            return
        before, self._paused = self._paused, paused
        self._paused_since = self._clock.steady() if paused else None
        if self._paused:
            self._log.warning(
                "subscription.paused", subscription=self._name, reason=f"paused_{self._paused}"
            )
        else:
            self._log.info(
                "subscription.resumed", subscription=self._name, reason=f"paused_{before}"
            )
        self._write_down()

    def _write_down(self) -> None:
        self._spool.settle(StandingChanged(subscription=self._number, standing=self.standing))


def _most_out(endpoint: Endpoint, subscription: Subscription) -> int:
    """On one TCP connection frames, and their answers, go one after the other."""
    return 1 if isinstance(endpoint, TcpEndpoint) else subscription.concurrency
