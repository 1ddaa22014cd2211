"""Draws charts as SVG, with matplotlib: the only file that needs it."""

from collections.abc import Iterable
from pathlib import Path
from typing import assert_never

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.findings import Bars, Chart, Curves

_INCHES = (7.0, 3.6)


def draw(charts: Iterable[Chart], folder: Path) -> None:
    """Write each chart to `FOLDER/FILE.svg`."""
    for chart in charts:
        figure = Figure(figsize=_INCHES, layout="constrained")
        axes = figure.add_subplot()
        axes.set_title(chart.title)
        match chart:
            case Bars():
                _draw_bars(chart, axes)
            case Curves():
                _draw_curves(chart, axes)
            case _ as unreachable:
                assert_never(unreachable)
        figure.savefig(folder / f"{chart.file}.svg", metadata={"Date": None})


def _draw_bars(chart: Bars, axes: Axes) -> None:
    drawn = axes.barh(list(chart.bars), list(chart.bars.values()))
    axes.bar_label(drawn, labels=[f"{value:,.0f}" for value in chart.bars.values()], padding=3)
    # The first one is read first, so it stands on top.
    axes.invert_yaxis()
    axes.margins(x=0.15)
    axes.set_xlabel(chart.unit)


def _draw_curves(chart: Curves, axes: Axes) -> None:
    for name, points in chart.curves.items():
        axes.plot([f"{x:,.10g}" for x, _ in points], [y for _, y in points], "o-", label=name)
    axes.margins(y=0.2)
    axes.set_ylim(bottom=0)
    axes.set_xlabel(chart.x)
    axes.set_ylabel(chart.y)
    axes.grid(visible=True, alpha=0.3)
    axes.legend()
