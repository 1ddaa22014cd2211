"""A history, looked up by subscription and by event or call; it judges nothing."""

from collections import defaultdict
from collections.abc import Sequence
from functools import cached_property

from faults.history import Arrival, Death, History, Promise

# A subscription's name, and an event's id or a call.
Place = tuple[str, str]


class Ledger:
    """Each index is made when a law first asks for it."""

    def __init__(self, history: History) -> None:
        self.history = history
        self.promises = {promise.name: promise for promise in history.promises}
        self.sent = {one.id: one for one in history.sent}

    def promise_of(self, name: str) -> Promise:
        """The subscription's promise; a stranger has promised nothing."""
        return self.promises.get(name) or Promise(name, order="none")

    @cached_property
    def taken(self) -> dict[Place, list[Arrival]]:
        """What receivers have kept, by event."""
        found: dict[Place, list[Arrival]] = defaultdict(list)
        for one in self.history.arrivals:
            if one.taken:
                found[one.subscription, one.id].append(one)
        return dict(found)

    @cached_property
    def deaths(self) -> dict[Place, list[Death]]:
        """Dead letters, by event."""
        found: dict[Place, list[Death]] = defaultdict(list)
        for one in self.history.deaths:
            found[one.subscription, one.id].append(one)
        return dict(found)

    @cached_property
    def calls(self) -> dict[Place, list[Arrival]]:
        """Everything that came, replays included, by call."""
        found: dict[Place, list[Arrival]] = defaultdict(list)
        for one in self.history.arrivals:
            found[one.subscription, one.call].append(one)
        return dict(found)

    @cached_property
    def deaths_of_calls(self) -> dict[Place, list[Death]]:
        """Dead letters, by call."""
        found: dict[Place, list[Death]] = defaultdict(list)
        for one in self.history.deaths:
            found[one.subscription, one.call].append(one)
        return dict(found)

    @cached_property
    def lanes(self) -> dict[Place, list[Arrival]]:
        """Everything that came and must not be out together with its like."""
        found: dict[Place, list[Arrival]] = defaultdict(list)
        for one in self.history.arrivals:
            match self.promise_of(one.subscription).order:
                case "call":
                    found[one.subscription, one.call].append(one)
                case "subscription":
                    found[one.subscription, ""].append(one)
                case "none":
                    found[one.subscription, one.id].append(one)
        return dict(found)

    def may_repeat(self, before: Arrival, at: float) -> bool:
        """What was taken may come again, or die, at `at`: nobody could know that it was taken."""
        if not before.heard:
            return True
        until = min(at, before.ended_at + self.history.settles_within_s)
        if any(before.ended_at <= crash <= until for crash in self.history.crashes):
            return True
        place = (before.subscription, before.id)
        return any(before.begun_at <= asked_at <= at for asked_at in self._replays.get(place, ()))

    def seqs(self, call: Place) -> dict[int, str]:
        """Whose each seq of the call is, as far as anyone has heard."""
        deaths: Sequence[Death] = self.deaths_of_calls.get(call, ())
        found = {one.seq: one.id for one in deaths}
        for one in self.calls.get(call, ()):
            found.setdefault(one.seq, one.id)
        return found

    @cached_property
    def _replays(self) -> dict[Place, list[float]]:
        found: dict[Place, list[float]] = defaultdict(list)
        for one in self.history.replays:
            found[one.subscription, one.id].append(one.at)
        return dict(found)
