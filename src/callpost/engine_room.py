"""The engine, wired to its world: built from a configuration, and given another while it runs.

A swap happens at one instant: what was routed before it goes the old way, what comes after it
the new one.
"""

import trio
from msgspec import Struct
from structlog.typing import FilteringBoundLogger

from callpost.config import Config
from callpost.edge.dial import Dialer
from callpost.edge.spool import SqliteSpool
from callpost.engine.dispatcher import Dispatcher, queues_of
from callpost.engine.intake import Intake
from callpost.engine.operator import Operator
from callpost.engine.ports import Clock, Dice, Witness
from callpost.engine.world import World
from callpost.model.delivery import Enrolled
from callpost.model.egress import Guard
from callpost.model.forward import Forwards
from callpost.model.mask import without_plus
from callpost.model.numbers import Numbers
from callpost.model.routing import Router
from callpost.model.subscription import Subscription
from callpost.model.tenancy import Registry
from callpost.senders import sender_factory


class Surroundings(Struct, frozen=True):
    """What the engine stands on, and reaches out with."""

    spool: SqliteSpool
    dialer: Dialer
    clock: Clock
    dice: Dice
    witness: Witness
    log: FilteringBoundLogger


class EngineRoom:
    """Intake, dispatcher and operator of one daemon; `enrolled` has the numbers of all queues."""

    def __init__(self, config: Config, enrolled: dict[str, Enrolled], around: Surroundings) -> None:
        self._around = around
        self._egress = config.egress
        self._country = config.country
        self._numbers = Numbers(config.country)
        self._routing = self._router(config, enrolled)
        around.spool.records.show_numbers(config.privacy.log_numbers)
        self.dispatcher = Dispatcher(
            queues_of(enabled(config)),
            enrolled,
            World(
                spool=around.spool,
                open_sender=sender_factory(around.dialer, config.egress),
                clock=around.clock,
                dice=around.dice,
                witness=around.witness,
                log=around.log,
                numbers=self._numbers,
            ),
            max_pending=config.spool.max_pending,
        )
        self.operator = Operator(
            archive=around.spool,
            dispatcher=self.dispatcher,
            clock=around.clock,
            dice=around.dice,
        )
        self.intake = Intake(
            router=self._routing,
            forwards=self._forwards(config),
            spool=around.spool,
            ring=self.dispatcher.ring,
            clock=around.clock,
            dice=around.dice,
            limits=config.intake,
            drops_digits=config.privacy.dtmf == "drop",
            witness=around.witness,
            registry=Registry(config.tenancy),
            log=around.log,
        )

    @classmethod
    async def opened(cls, config: Config, around: Surroundings) -> "EngineRoom":
        """An engine on what the spool knows; raises SpoolUnusable."""
        names = list(queues_of(enabled(config)))
        return cls(config, await around.spool.enroll(names, now=around.clock.steady()), around)

    async def swap(self, config: Config) -> None:
        """Go on by this configuration; raises NotWritten, and nothing has changed then."""
        queues = queues_of(enabled(config))
        enrolled = await self._around.spool.admit(list(queues))
        # In a thread: an index over ten thousand subscriptions takes a tenth of a second.
        router = await trio.to_thread.run_sync(self._router, config, enrolled, self._routing)
        forwards = await trio.to_thread.run_sync(self._forwards, config)
        registry = await trio.to_thread.run_sync(Registry, config.tenancy)
        # From here on nothing waits: it is one instant for all of them.
        factory = None
        if config.egress != self._egress:
            egress = self._egress = config.egress
            self._around.dialer.obey(egress, Guard(deny=egress.deny, allow=egress.allow))
            factory = sender_factory(self._around.dialer, egress)
        self._around.spool.obey(config.spool)
        self.dispatcher.apply(
            queues, enrolled, open_sender=factory, max_pending=config.spool.max_pending
        )
        self._routing = router
        self.intake.obey(
            router,
            config.intake,
            registry,
            forwards=forwards,
            drops_digits=config.privacy.dtmf == "drop",
        )
        self._around.spool.records.show_numbers(config.privacy.log_numbers)

    def pending_of(self, name: str) -> int:
        """How many deliveries wait for a subscription that is served."""
        number = self.dispatcher.numbers.get(name)
        return 0 if number is None else self._around.spool.pending_of(number)

    def _router(
        self, config: Config, enrolled: dict[str, Enrolled], before: Router | None = None
    ) -> Router:
        served = ((enrolled[one.name].number, one) for one in enabled(config))
        # To know a number's country takes 0.2 us a number where it was seen before.
        compared = self._numbers.compared if self._country else without_plus
        return Router(served, compared=compared, before=before)

    def _forwards(self, config: Config) -> Forwards | None:
        """None without any rule: then no event has to be asked about."""
        if not config.forwards:
            return None
        if self._country:
            return Forwards(config.forwards, compared=self._numbers.compared)
        return Forwards(config.forwards)


def enabled(config: Config) -> list[Subscription]:
    """The subscriptions that are to be served."""
    return [one for one in config.subscriptions if one.enabled]
