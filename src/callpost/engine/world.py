"""What every courier works with: the ports, in one noun."""

import structlog
from msgspec import Struct

from callpost.engine.ports import Clock, Dice, SenderFactory, Spool, Witness
from callpost.model.numbers import Numbers


class World(Struct, frozen=True):
    """The world as the engine sees it."""

    spool: Spool
    open_sender: SenderFactory
    clock: Clock
    dice: Dice
    witness: Witness
    log: structlog.typing.FilteringBoundLogger
    numbers: Numbers
