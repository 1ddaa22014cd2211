"""`delivery_report`: the door for reports on deliveries that have ended, and on which of them.

A report is content of its own: of the primary's keys it takes over only what proves who we are,
and that only at the same scheme, host and port.
"""

from typing import Final, get_args

from msgspec import UNSET, Struct, convert
from msgspec.structs import replace

from callpost.config.doors import DOOR, Door, door_of, following
from callpost.config.faults import Spot
from callpost.config.rules import Rules, choice, list_of, read_table, wrong_type
from callpost.model.subscription import Ended

# What has failed is what somebody must look at; the rest would double the traffic.
_DEFAULT_ON: Final[tuple[Ended, ...]] = ("dead",)


class ReportDoor(Struct, frozen=True):
    """A door as written, and which ends are reported to it."""

    door: Door
    on: frozenset[Ended]


def _no_level(_value: object, spot: Spot) -> object:
    return spot.report("senseless", "makes no sense here: a report is the same at every level")


_REPORT: Final[Rules] = {
    **DOOR,
    "level": _no_level,
    "on": list_of(choice(get_args(Ended)), least=1, most=len(get_args(Ended))),
}


def delivery_report(value: object, spot: Spot) -> object:
    """A table with the keys of a door but `level`, and `on`."""
    if not isinstance(value, dict):
        return wrong_type("a table with a url", value, spot)
    values = read_table(value, _REPORT, spot)
    door = door_of(value, values, spot)
    if not isinstance(door, Door):
        return UNSET
    return ReportDoor(door, convert(values.get("on", _DEFAULT_ON), frozenset[Ended]))


def following_report(report: ReportDoor, primary: Door) -> Door:
    """The door with what it takes over; it speaks POSTJSON unless it says otherwise."""
    door = report.door
    return following(replace(door, method=door.method or "POSTJSON"), primary)
