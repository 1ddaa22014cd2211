"""Who works for a courier, each with one thing to decide or to do."""

from msgspec import Struct

from callpost.engine.bell import Bell
from callpost.engine.cull import Cull
from callpost.engine.gate import Gate
from callpost.engine.reports import Reports
from callpost.engine.round import Rounds
from callpost.engine.window import Window


class Staff(Struct, frozen=True):
    """Of one courier."""

    bell: Bell
    gate: Gate
    window: Window
    rounds: Rounds
    cull: Cull
    reports: Reports
