"""Receivers in virtual time that fail in every way, and remember what they have seen.

A receiver has a mood, and its moods change; what comes of one attempt is drawn from the mood.
Each engine opens senders of its own: those of an engine that has died do nothing any more.
"""

import json
from dataclasses import dataclass
from random import Random
from typing import Final, Literal, get_args

import trio

from callpost.model.delivery import Message, Report
from callpost.model.endpoint import Endpoint
from callpost.model.outcome import (
    Delivered,
    Gone,
    LocalFault,
    Outcome,
    Refused,
    Rejected,
    Retry,
)
from faults.history import Arrival, History, Reported, digest_of

Mood = Literal[
    "well",
    "mixed",
    "slow",
    "down",
    "flapping",
    "hanging",
    "forgetful",
    "busy",
    "picky",
    "hostile",
    "local",
    "buggy",
    "gone",
]


@dataclass(frozen=True, slots=True)
class Plan:
    """What comes of one attempt: `outcome` None is a bug of the sender's own.

    It lasts `lasts_s` and up to `stretch_s` more. A receiver that `takes` an event and does not
    say so has its answer lost on the way.
    """

    outcome: Outcome | None
    takes: bool = False
    lasts_s: float = 0.0
    stretch_s: float = 0.0


_DOWN: Final = Retry(reason="connect:refused", phase="connect")
_HUNG: Final = Retry(reason="timeout:first-byte", phase="first-byte", timed_out=True)
_CUT: Final = Retry(reason="read:closed", phase="read")
_SICK: Final = Plan(Retry(reason="http:503", http_status=503))
_PICKY: Final = Plan(Refused("http:409", 409))
_WELL: Final = tuple(Plan(Delivered(), takes=True, lasts_s=lasts_s) for lasts_s in (0, 0, 0.01))
_WISHES: Final = tuple(
    Plan(Retry(reason="http:429", http_status=429, retry_after_s=wish_s))
    for wish_s in (0.0, 0.3, 4.0, 20.0)
)
# How often an attempt goes ill in a mood, and what comes of it then.
_ILL: Final[dict[Mood, tuple[float, tuple[Plan, ...]]]] = {
    "well": (0.0, ()),
    "slow": (1.0, (Plan(Delivered(), takes=True, stretch_s=14),)),
    "down": (1.0, (Plan(_DOWN), Plan(_DOWN, lasts_s=3))),
    "flapping": (0.5, (_SICK,)),
    "hanging": (1.0, (Plan(_HUNG, lasts_s=15), Plan(_HUNG, takes=True, lasts_s=15))),
    "forgetful": (0.5, (Plan(_CUT, takes=True, lasts_s=0.02),)),
    "busy": (0.5, _WISHES),
    "picky": (0.5, (_PICKY,)),
    "hostile": (0.5, (Plan(Rejected("http:422", 422)),)),
    "local": (0.5, (Plan(LocalFault("no_route")),)),
    "buggy": (0.5, (Plan(None),)),
    "gone": (0.25, (Plan(Gone("http:410", 410)),)),
}
_MOODS: Final[tuple[Mood, ...]] = ("well", "mixed", *get_args(Mood))
# A receiver in a mixed mood that could say that it is gone would soon be nothing else.
_MIXED: Final[tuple[Mood, ...]] = tuple(mood for mood in _ILL if mood != "gone")


class SenderBug(Exception):
    """A sender that raises: the engine takes it for a failed attempt."""


class Endpoints:
    """Every receiver of one life; they outlive the engines that send to them."""

    def __init__(self, chance: Random, history: History) -> None:
        self._chance = chance
        self._history = history
        self._moods: dict[tuple[str, str], Mood] = {}
        self.are_well = False
        self.restlessness = 0.0
        self.poisoned: frozenset[str] = frozenset()

    def mood_of(self, door: tuple[str, str]) -> Mood:
        """The receiver's mood, which may just have changed."""
        if self.are_well:
            return "well"
        if door not in self._moods or self._chance.random() < self.restlessness:
            self._moods[door] = self._chance.choice(_MOODS)
        return self._moods[door]

    def plan(self, door: tuple[str, str], call: str) -> Plan:
        """Draw what comes of an attempt at this door."""
        mood = self.mood_of(door)
        if call in self.poisoned and not self.are_well:
            return self._chance.choice((_SICK, _PICKY))
        if mood == "mixed":
            mood = self._chance.choice(_MIXED)
        often, plans = _ILL[mood]
        return self._chance.choice(plans if self._chance.random() < often else _WELL)

    def lasts_s(self, plan: Plan) -> float:
        """Draw how long it takes."""
        return plan.lasts_s + plan.stretch_s * self._chance.random()

    def see(self, arrival: Arrival) -> None:
        """An attempt has begun."""
        self._history.arrivals.append(arrival)

    def hear(self, report: Reported) -> None:
        """A delivery report has come."""
        self._history.reports.append(report)


class Senders:
    """The senders of one engine; `trespasses` are attempts that it should not have made.

    `cut_at` says when an attempt was cut off that was still out.
    """

    def __init__(self, endpoints: Endpoints) -> None:
        self._endpoints = endpoints
        self._shut_until: dict[tuple[str, str], float] = {}
        self.trespasses: list[str] = []
        self.cut_at: list[float] = []
        self.dead = False

    def open(self, endpoint: Endpoint, tenant: str) -> "SimulatedSender":  # noqa: ARG002 - the port's
        """See ports.SenderFactory; the host is the subscription's name."""
        return SimulatedSender(self, (endpoint.host, endpoint.place))

    def pause(self, name: str) -> None:
        """An operator has paused it: no round may begin at its primary."""
        self._shut_until[name, "primary"] = float("inf")

    def reopen(self, queue: str) -> None:
        """An operator has given every endpoint of the queue another chance."""
        for name, place in list(self._shut_until):
            if queue == (f"{name}!report" if place == "report" else name):
                del self._shut_until[name, place]

    async def attempt(self, door: tuple[str, str], message: Message) -> Report:
        """One attempt, from its first byte to its outcome."""
        if self.dead:
            await trio.sleep_forever()
        begun_at = trio.current_time()
        if begun_at < self._shut_until.get(door, 0.0):
            self.trespasses.append(f"{message.id} went to {door} before it may at {begun_at:.3f}")
        fields: dict[str, object] = json.loads(message.content)
        is_report = door[1] == "report"
        plan = self._endpoints.plan(door, "" if is_report else call_of(fields))
        if is_report:
            await self._last(plan)
            if plan.takes:
                self._endpoints.hear(_reported(door, fields))
        else:
            arrival = _arrival(door, message, fields, plan, begun_at)
            self._endpoints.see(arrival)
            try:
                await self._last(plan)
            except trio.Cancelled:
                self.cut_at.append(trio.current_time())
                raise
            finally:
                arrival.ended_at = trio.current_time()
            arrival.heard = isinstance(plan.outcome, Delivered) or not plan.takes
        return self._end(door, plan, begun_at)

    async def _last(self, plan: Plan) -> None:
        await trio.sleep(self._endpoints.lasts_s(plan))
        if self.dead:
            # This step was due when the engine died.
            await trio.sleep_forever()

    def _end(self, door: tuple[str, str], plan: Plan, begun_at: float) -> Report:
        now = trio.current_time()
        if plan.outcome is None:
            raise SenderBug
        if isinstance(plan.outcome, Gone):
            self._shut_until[door] = float("inf")
        elif isinstance(plan.outcome, Retry) and plan.outcome.retry_after_s is not None:
            until = now + max(1.0, plan.outcome.retry_after_s)
            self._shut_until[door] = max(self._shut_until.get(door, 0.0), until)
        return Report(
            outcome=plan.outcome, connect_ms=None, total_ms=(now - begun_at) * 1e3, reused=True
        )


@dataclass(frozen=True, slots=True)
class SimulatedSender:
    """See ports.Sender."""

    senders: Senders
    door: tuple[str, str]

    async def send(self, message: Message) -> Report:
        """Make one attempt."""
        return await self.senders.attempt(self.door, message)

    def headers(self, message: Message) -> tuple[tuple[str, str], ...]:  # noqa: ARG002 - the port's
        """Nothing is shown."""
        return ()

    def close(self) -> None:
        """Nothing is kept open."""


def call_of(fields: dict[str, object]) -> str:
    """The key of an event's call, as every producer and receiver would build it."""
    return "/".join(str(fields.get(name, "")) for name in ("customer", "source", "callId"))


def _reported(door: tuple[str, str], fields: dict[str, object]) -> Reported:
    ended = str(fields["type"]).removeprefix("delivery.")
    return Reported(door[0], str(fields["eventId"]), ended)


def _arrival(
    door: tuple[str, str], message: Message, fields: dict[str, object], plan: Plan, at: float
) -> Arrival:
    """What the receiver notes; until the attempt is over nobody has heard its answer."""
    headers = (message.id, message.seq, message.previous_id)
    is_true = headers == (fields["id"], fields["seq"], fields.get("previousId", ""))
    return Arrival(
        subscription=door[0],
        place=door[1],
        id=message.id,
        call=call_of(fields),
        kind=str(fields["event"]),
        seq=message.seq,
        previous_id=message.previous_id,
        attempt=message.attempt,
        digest=digest_of(fields) if is_true else "headers and body differ",
        begun_at=at,
        ended_at=at,
        taken=plan.takes,
        heard=False,
        replay=message.replay,
    )
