"""The report: one table for people, and every figure of every run as JSON."""

import statistics
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec
from msgspec import Struct
from rich.console import Console
from rich.table import Table

from bench.findings import Chart, Findings, Row


class Report(Struct, frozen=True, kw_only=True):
    """What is saved; `runs` and `medians` are by benchmark, then by figure."""

    machine: Mapping[str, str]
    quick: bool
    rows: tuple[Row, ...]
    runs: Mapping[str, Mapping[str, list[float]]]
    medians: Mapping[str, Mapping[str, float]]
    charts: tuple[Chart, ...]


def compiled(found: Mapping[str, Findings], *, machine: Mapping[str, str], quick: bool) -> Report:
    """One report of what all benchmarks have found, by their names."""
    return Report(
        machine=machine,
        quick=quick,
        rows=tuple(row for findings in found.values() for row in findings.rows),
        runs={name: dict(_lists(findings)) for name, findings in found.items()},
        medians={
            name: {figure: statistics.median(runs) for figure, runs in _lists(findings)}
            for name, findings in found.items()
        },
        charts=tuple(chart for findings in found.values() for chart in findings.charts),
    )


def save(report: Report, folder: Path) -> None:
    """Write `report.json`, and the table as `report.md`."""
    text = msgspec.json.format(msgspec.json.encode(report), indent=2)
    (folder / "report.json").write_bytes(text + b"\n")
    lines = ["| what | goal | measured | met |", "|---|---|---|---|"]
    lines += [
        f"| {row.what} | {row.goal} | {row.measured} | {_verdict(row)} |" for row in report.rows
    ]
    lines += ["", *(f"- {name}: {value}" for name, value in report.machine.items())]
    (folder / "report.md").write_text("\n".join(lines) + "\n")


def show(report: Report, console: Console) -> None:
    """Print the table and what it was made on."""
    table = Table("what", "goal", "measured", "met", title=_title(report))
    for row in report.rows:
        style = {True: "green", False: "red", None: ""}[row.met]
        table.add_row(row.what, row.goal, row.measured, _verdict(row), style=style)
    console.print(table)
    for name, value in report.machine.items():
        console.print(f"{name}: {value}", highlight=False)


def _lists(findings: Findings) -> Iterable[tuple[str, list[float]]]:
    return ((figure, list(runs)) for figure, runs in findings.runs.items())


def _title(report: Report) -> str:
    return "callpost: a quick try, not figures to show" if report.quick else "callpost"


def _verdict(row: Row) -> str:
    return {True: "yes", False: "no", None: "-"}[row.met]
