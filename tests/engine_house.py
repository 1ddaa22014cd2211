"""The engine between a memory spool and a scripted world: the stage of its tests."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import trio

from callpost.engine.dispatcher import Dispatcher, queues_of
from callpost.engine.intake import Intake
from callpost.engine.witnesses import Witnesses
from callpost.engine.world import World
from callpost.model.delivery import Enrolled, Message, Standing
from callpost.model.endpoint import Endpoint, HttpEndpoint
from callpost.model.limits import Intake as IntakeLimits
from callpost.model.numbers import Numbers
from callpost.model.outcome import Delivered, Outcome, Retry
from callpost.model.routing import Router
from callpost.model.schedule import CDR, LIVE
from callpost.model.subscription import Order, Subscription
from callpost.model.tenancy import Registry, Tenancy
from doubles import (
    Behaviour,
    Counted,
    LoadedDice,
    MemorySpool,
    ScriptedWorld,
    VirtualClock,
    logs_into,
)

DOWN = Retry(reason="connect:refused", phase="connect")


def an_endpoint(place: str = "primary") -> HttpEndpoint:
    """An endpoint that nobody dials: the world is scripted."""
    return HttpEndpoint(
        place=place,
        scheme="http",
        host="crm.example",
        port=80,
        target="/",
        method="POSTJSON",
        level=2,
    )


def a_subscription(
    *, order: Order = "call", concurrency: int = 8, fallbacks: int = 0
) -> Subscription:
    """A subscription to everything."""
    places = ["primary", *(f"fallback-{n}" for n in range(1, fallbacks + 1))]
    return Subscription(
        name="crm",
        endpoints=tuple(an_endpoint(place) for place in places),
        schedule=LIVE,
        cdr_schedule=CDR,
        order=order,
        concurrency=concurrency,
    )


@dataclass
class House:
    """The engine between a memory spool and a scripted world."""

    spool: MemorySpool
    world: ScriptedWorld
    intake: Intake
    dispatcher: Dispatcher
    counted: Counted
    lines: list[dict[str, object]] = field(default_factory=list)
    numbers: dict[str, int] = field(default_factory=dict)
    ended: trio.Event = field(default_factory=trio.Event)

    def apply(self, *subscriptions: Subscription) -> None:
        """Serve these from now on, as a reload does; a name keeps its number."""
        queues = queues_of(subscriptions)
        for name in queues:
            self.numbers.setdefault(name, len(self.numbers) + 1)
        enrolled = {
            name: Enrolled(number, self.spool.standings.get(number, Standing()))
            for name, number in self.numbers.items()
        }
        self.dispatcher.apply(queues, enrolled)
        router = Router((self.numbers[one.name], one) for one in subscriptions)
        self.intake.obey(router, IntakeLimits(), Registry(Tenancy()))

    def logged(self, name: str) -> list[dict[str, object]]:
        """The log lines of one name."""
        return [line for line in self.lines if line["event"] == name]

    def reasons(self) -> list[str]:
        """Why deliveries died, in order."""
        return [reason for *_, reason, _ in self.spool.dead]

    async def feed(self, *events: tuple[str, str]) -> None:
        """Accept (callId, kind) events."""
        await self.intake.accept(
            [f'{{"event":"{kind}","callId":"{call}","dtmf":""}}'.encode() for call, kind in events]
        )

    def attempts_at(self) -> list[float]:
        """When each attempt began, from the first on."""
        return [round(sent.at - self.world.sent[0].at, 3) for sent in self.world.sent]


@asynccontextmanager
async def a_house(
    world: ScriptedWorld,
    subscription: Subscription,
    spool: MemorySpool | None = None,
    *,
    max_pending: int = 1_000_000,
    tenancy: Tenancy = Tenancy(),  # noqa: B008 - a frozen noun
) -> AsyncIterator[House]:
    """The engine, running; ends without draining, like a crash."""
    spool = spool or MemorySpool()
    lines: list[dict[str, object]] = []
    clock, dice, logs = VirtualClock(), LoadedDice(first_id=spool.numbers + 1), logs_into(lines)
    counted = Counted()
    witness = Witnesses(counted, logs.attempts.attempted)
    queues = queues_of([subscription])
    enrolled = {
        name: Enrolled(number, spool.standings.get(number, Standing()))
        for number, name in enumerate(queues, 1)
    }
    dispatcher = Dispatcher(
        queues,
        enrolled,
        World(spool, world.open_sender, clock, dice, witness, logs.log, Numbers()),
        max_pending=max_pending,
    )
    intake = Intake(
        router=Router([(1, subscription)]),
        spool=spool,
        ring=dispatcher.ring,
        clock=clock,
        dice=dice,
        limits=IntakeLimits(),
        witness=witness,
        registry=Registry(tenancy),
        log=logs.log,
    )
    async with trio.open_nursery() as nursery:
        nursery.start_soon(spool.run)
        numbers = {name: one.number for name, one in enrolled.items()}
        house = House(spool, world, intake, dispatcher, counted, lines, numbers)
        nursery.start_soon(_run, house)
        yield house
        nursery.cancel_scope.cancel()


async def _run(house: House) -> None:
    await house.dispatcher.run()
    house.ended.set()


def fails(times: int, outcome: Outcome = DOWN) -> Behaviour:
    """A subscriber that answers `outcome` a number of times and then delivers."""
    left: Iterator[Outcome] = iter([outcome] * times)

    async def behave(_: Endpoint, __: Message) -> Outcome:
        await trio.lowlevel.checkpoint()
        return next(left, Delivered())

    return behave
