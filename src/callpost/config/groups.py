"""The group that a socket of ours is given to, which must be there to be given anything."""

from callpost.config.faults import Spot
from callpost.config.rules import Rule, quoted, text


def group(*, spared: str = "") -> Rule:
    """A group of this machine; "" is the daemon's own, and `spared` need not be there."""
    as_text = text(most=32)

    def rule(value: object, spot: Spot) -> object:
        read = as_text(value, spot)
        if (
            not isinstance(read, str)
            or read in {"", spared}
            or spot.lookups.machine.has_group(read)
        ):
            return read
        return spot.report("group", f"there is no group {quoted(read)} on this machine")

    return rule
