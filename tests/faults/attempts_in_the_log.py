"""What the daemon's log says of attempts that failed, and what a receiver could not know of them.

A receiver cannot see that its answer came too late, or that there was nobody left to hear it.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from faults.history import Arrival
from faults.real_receivers import Seen


class LoggedAttempts:
    """When each attempt ended that was not delivered."""

    def __init__(self, log: Sequence[Mapping[str, object]]) -> None:
        self._failed_at: dict[tuple[object, ...], list[float]] = {}
        for line in log:
            if line["event"] == "delivery.attempted" and line["outcome"] != "delivered":
                at = datetime.fromisoformat(str(line["timestamp"])).timestamp()
                named = ("subscription", "place", "eventId", "attempt")
                self._failed_at.setdefault(tuple(line[name] for name in named), []).append(at)

    def settled(self, seen: Sequence[Seen], crashes: Sequence[float]) -> list[Arrival]:
        """The arrivals as the daemon must have seen them, in the order in which they were sent.

        What comes after its attempt has ended was on its way all the time.
        """
        arrivals = [self._settled(one, crashes) for one in seen]
        return sorted(arrivals, key=lambda one: one.begun_at)

    def _settled(self, seen: Seen, crashes: Sequence[float]) -> Arrival:
        """It ends with its answer, a time-out or a crash, whatever comes first."""
        one = seen.arrival
        ends = [one.ended_at]
        heard = one.heard
        # Who dies takes its connections along, whenever the receiver gets to know it.
        life = bisect_left(crashes, seen.connected_at)
        if life < len(crashes) and crashes[life] < one.ended_at:
            ends.append(crashes[life])
            heard = False
        # An attempt has the same number again where the daemon died before writing it down; and
        # a receiver may know of a connection only when the other side has given it up.
        born_at = crashes[life - 1] if life else 0.0
        of_it = self._failed_at.get((one.subscription, one.place, one.id, one.attempt), [])
        failed_at = next((at for at in of_it if at > born_at), None)
        if one.taken and failed_at is not None:
            ends.append(failed_at)
            heard = False
        ended_at = min(ends)
        return replace(one, begun_at=min(one.begun_at, ended_at), ended_at=ended_at, heard=heard)


def over_a_link_that_delays(arrivals: Sequence[Arrival]) -> list[Arrival]:
    """The same, where a request may come when the daemon that sent it has long been dead.

    The next daemon's has the same number then; which of them is whose nobody can say, but that
    only the last has an answer that anybody has heard.
    """
    last = {_attempt(one): place for place, one in enumerate(arrivals)}
    return [
        replace(one, heard=one.heard and last[_attempt(one)] == place)
        for place, one in enumerate(arrivals)
    ]


def _attempt(one: Arrival) -> tuple[str, str, str, int]:
    return one.subscription, one.place, one.id, one.attempt
