"""What a benchmark finds: rows for the table, every run's figures, and what can be drawn.

A figure is kept for each run under a name that ends in its unit; a row says it in words.
"""

import statistics
from collections.abc import Mapping, Sequence

from msgspec import Struct


class CannotMeasure(Exception):
    """A figure cannot be had; the message is one sentence for people."""


class Row(Struct, frozen=True, kw_only=True):
    """One line of the table; `met` is None where there is nothing to judge."""

    what: str
    goal: str
    measured: str
    met: bool | None


class Bars(Struct, frozen=True, kw_only=True, tag=True):
    """A chart of one bar for each name; `file` is its name without the ending."""

    file: str
    title: str
    unit: str
    bars: Mapping[str, float]


class Curves(Struct, frozen=True, kw_only=True, tag=True):
    """A chart of points (x, y) for each name, joined; every x has the same room."""

    file: str
    title: str
    x: str
    y: str
    curves: Mapping[str, Sequence[tuple[float, float]]]


Chart = Bars | Curves


class Findings(Struct, frozen=True, kw_only=True):
    """All that one benchmark has found; `runs` has one value for each run, by name."""

    rows: tuple[Row, ...]
    runs: Mapping[str, Sequence[float]] = {}
    charts: tuple[Chart, ...] = ()


class Tally:
    """The figures of several runs, as they come in."""

    def __init__(self) -> None:
        self.runs: dict[str, list[float]] = {}

    def add(self, **figures: float) -> None:
        """Note one run's figures."""
        for name, figure in figures.items():
            self.runs.setdefault(name, []).append(figure)

    def median(self, name: str) -> float:
        """The middle one of a figure's runs."""
        return statistics.median(self.runs[name])


def percentile(ordered: Sequence[float], percent: float) -> float:
    """The value that `percent` of the ordered values do not exceed (nearest rank)."""
    if not ordered:
        raise CannotMeasure("Nothing arrived that could be timed.")
    rank = max(1, -(-len(ordered) * percent // 100))
    return ordered[int(rank) - 1]
