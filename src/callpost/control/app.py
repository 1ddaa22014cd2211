"""The operator's operations: what only those may ask for who can open the operator's socket."""

from collections.abc import Iterator

from msgspec import Struct

from callpost.control.attempts import attempts
from callpost.control.condition import condition
from callpost.control.metrics import metrics
from callpost.control.ports import Live, Metrics, Operating, Purging, Roster, Settings
from callpost.control.purge import purge
from callpost.control.settings import configuration, log_level
from callpost.control.states import states
from callpost.web.operation import Operation


class Premises(Struct, frozen=True, kw_only=True):
    """What the door opens to, room by room."""

    operating: Operating
    roster: Roster
    purging: Purging
    settings: Settings
    metrics: Metrics
    live: Live


def operators(house: Premises) -> Iterator[Operation]:
    """The whole table of them."""
    yield from condition(house.operating)
    yield from states(house.operating, house.roster)
    yield from purge(house.purging)
    yield from configuration(house.settings)
    yield from log_level(house.settings)
    yield from metrics(house.metrics)
    yield from attempts(house.live)
