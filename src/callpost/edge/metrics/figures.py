"""Counts what happens, in plain numbers: see ports.Witness.

An attempt is two look-ups and two additions; nothing here takes a lock, for all of it happens on
the event loop (but for commits, which are told there, too).
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from callpost.model.delivery import Attempted

# How many subscriptions are counted by their names. More would make a page of megabytes, and
# more series than one program should ask a Prometheus to keep.
NAMED_MAX: Final = 500
# The name that stands for all of them together.
TOGETHER: Final = ""

# From an answer on the same machine to the longest time-out by default, in seconds.
ATTEMPT_BOUNDS_S: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 15.0)
# From "at once" to the age at which a hangup is given up, in seconds: finer where a pop-up still
# helps the person who answers, then by the pauses of the schedule.
LAG_BOUNDS_S: Final = (
    *(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0),
    *(60.0, 300.0, 900.0, 3_600.0, 14_400.0, 43_200.0, 86_400.0),
)
# From a disk with a battery behind it to one that hangs, in seconds.
COMMIT_BOUNDS_S: Final = (
    *(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05),
    *(0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
)


class Histogram:
    """How many values lay in each bucket (the last is without bound), and their sum."""

    __slots__ = ("_bounds", "_counts", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def observe(self, value: float) -> None:
        """Take a value in; a bound belongs to the bucket below it, as Prometheus has it."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self.total += value

    def cumulated(self) -> list[tuple[str, float]]:
        """How many were not above each bound, in Prometheus' words, `+Inf` last."""
        buckets = []
        count = 0
        for bound, more in zip((*map(repr, self._bounds), "+Inf"), self._counts, strict=True):
            count += more
            buckets.append((bound, float(count)))
        return buckets


class _ByName(dict[str, Counter[str]]):
    """Counters by subscription; with more than `most` of them, all together for good."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most

    def __missing__(self, name: str) -> Counter[str]:
        if TOGETHER in self:
            return self[TOGETHER]
        if len(self) >= self.most:
            together: Counter[str] = Counter()
            for counts in self.values():
                together.update(counts)
            self.clear()
            self[TOGETHER] = together
            return together
        counts = self[name] = Counter()
        return counts


class Figures:
    """All counts since the start, of at most `named_max` subscriptions by their names.

    `commit_s` is how long the last commit took.
    """

    def __init__(self, *, named_max: int = NAMED_MAX) -> None:
        self.events = 0
        self.duplicates = 0
        self.refusals: Counter[str] = Counter()
        self.attempt_times = Histogram(ATTEMPT_BOUNDS_S)
        self.lags = Histogram(LAG_BOUNDS_S)
        # See ports.Witness; in between would be a call for each delivery.
        self.delivered = self.lags.observe
        self.commit_times = Histogram(COMMIT_BOUNDS_S)
        self.commit_s = 0.0
        self.deaths: Counter[str] = Counter()
        self._attempts = _ByName(named_max)

    @property
    def named_max(self) -> int:
        """How many subscriptions may be told apart."""
        return self._attempts.most

    @property
    def attempts(self) -> Mapping[str, Counter[str]]:
        """Attempts by subscription and outcome."""
        return self._attempts

    def attempted(self, attempt: Attempted) -> None:
        """See ports.Witness."""
        self._attempts[attempt.subscription][attempt.outcome] += 1
        self.attempt_times.observe(attempt.total_ms / 1000)

    def accepted(self, events: int, *, duplicates: int) -> None:
        """See ports.Witness."""
        self.events += events
        self.duplicates += duplicates

    def refused(self, code: str) -> None:
        """See ports.Witness."""
        self.refusals[code] += 1

    def died(self, subscription: str, reason: str) -> None:  # noqa: ARG002 - counted by reason alone
        """See ports.Witness."""
        self.deaths[reason] += 1

    def removed(self, subscription: str) -> None:
        """See ports.Witness; with its name goes its place among those that may be named."""
        self._attempts.pop(subscription, None)

    def committed(self, took_s: float) -> None:
        """Take note of a commit that held."""
        self.commit_times.observe(took_s)
        self.commit_s = took_s
