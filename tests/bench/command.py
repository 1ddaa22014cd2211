"""The command: which benchmarks, how large, and where the report goes.

A benchmark that fails says so in its row and does not stop the others; Ctrl-C ends all children
and still reports what has been found.
"""

import argparse
import resource
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Final

import msgspec
from rich.console import Console

from bench import (
    measure_backlog,
    measure_end_to_end,
    measure_fan_out,
    measure_growth,
    measure_https,
    measure_intake,
    measure_latency,
    measure_lines,
    measure_many,
    measure_neighbours,
    measure_numbers,
)
from bench.findings import CannotMeasure, Chart, Findings, Row
from bench.machine import described
from bench.nginx import INSTALL, nginx_running, program
from bench.peers import syslog_ng_is_installed
from bench.report import compiled, save, show
from bench.scale import FULL, QUICK, Scale
from bench.setting import Setting

# By name, in the order of the goals: what is measured, and how.
_BENCHMARKS: Final[Mapping[str, tuple[str, Callable[[Setting], Findings]]]] = {
    "end-to-end": ("one subscription at saturation, beside its peers", measure_end_to_end.measure),
    "https": ("HTTPS keep-alive against HTTP", measure_https.measure),
    "lines": ("TCP and UDP subscribers", measure_lines.measure),
    "intake": ("events acknowledged a second", measure_intake.measure),
    "latency": ("added latency at 500 events/s", measure_latency.measure),
    "fan-out": ("one event to a thousand subscriptions", measure_fan_out.measure),
    "many": ("ten thousand subscriptions", measure_many.measure),
    "numbers": ("numbers read as a country's, and written anew", measure_numbers.measure),
    "backlog": ("a backlog of a million events", measure_backlog.measure),
    "neighbours": ("half of the subscriptions dead, slow or hostile", measure_neighbours.measure),
    "growth": ("cost by events and by subscriptions", measure_growth.measure),
}

# What a shell reports of a program that SIGINT has ended.
_EXIT_INTERRUPTED: Final = 130
# Of the table where it does not go to a terminal.
_WIDTH: Final = 150


def main() -> None:
    """Run what is asked for, show the table, save the report."""
    arguments = _arguments()
    if arguments.list:
        for name, (what, _) in _BENCHMARKS.items():
            sys.stdout.write(f"{name:12} {what}\n")
        return
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    _check_servers(console)
    draw = None if arguments.no_charts else _drawing()
    _prepare_process()
    arguments.out.mkdir(parents=True, exist_ok=True)
    names = list(dict.fromkeys(arguments.only or _BENCHMARKS))
    with tempfile.TemporaryDirectory(prefix="callpost-", dir=arguments.work) as folder:
        machine = described(Path(folder))
        found = _measured(names, _scale(arguments), Path(folder), console)
    report = compiled(found, machine=machine, quick=arguments.quick)
    save(report, arguments.out)
    if draw:
        draw(report.charts, arguments.out)
    show(report, Console(width=None if sys.stdout.isatty() else _WIDTH))
    sys.stdout.write(f"Saved in {arguments.out}\n")
    if len(found) < len(names):
        sys.exit(_EXIT_INTERRUPTED)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="The benchmarks of callpost, beside its peers.")
    parser.add_argument("--only", nargs="+", choices=_BENCHMARKS, metavar="NAME", help="see --list")
    parser.add_argument("--quick", action="store_true", help="small sizes, to try it out")
    parser.add_argument("--runs", type=int, choices=range(1, 100), metavar="N", help="of each; 3")
    parser.add_argument("--out", type=Path, default=Path("bench-report"), metavar="FOLDER")
    # /tmp is memory on many machines, where an fsync costs nothing.
    parser.add_argument(
        "--work",
        type=Path,
        default=Path("/var/tmp"),
        metavar="FOLDER",
        help="where spools lie while measuring: on a disk; /var/tmp",
    )
    parser.add_argument("--no-charts", action="store_true", help="do without matplotlib")
    parser.add_argument("--list", action="store_true", help="the names of the benchmarks")
    arguments = parser.parse_args()
    if not arguments.work.is_dir():
        parser.error(f"--work: there is no folder {arguments.work}")
    return arguments


def _drawing() -> Callable[[tuple[Chart, ...], Path], None]:
    try:
        from bench.charts import draw  # noqa: PLC0415 - only charts need matplotlib
    except ModuleNotFoundError:
        sys.exit(
            "The charts need matplotlib: pip install -c .ci/constraints.txt -e '.[bench]', "
            "or go without them: --no-charts."
        )
    return draw


def _scale(arguments: argparse.Namespace) -> Scale:
    scale = QUICK if arguments.quick else FULL
    return msgspec.structs.replace(scale, runs=arguments.runs or scale.runs)


def _check_servers(console: Console) -> None:
    if program("nginx") is None:
        sys.exit(f"The benchmarks need nginx as their receiver. As root:\n  {INSTALL}")
    if not syslog_ng_is_installed():
        console.print(f"syslog-ng, a peer, is not installed. As root:\n  {INSTALL}")


def _prepare_process() -> None:
    """Ctrl-C and SIGTERM unwind everything; a thousand subscribers are a thousand connections."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    # Children inherit it.
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _measured(
    names: list[str], scale: Scale, folder: Path, console: Console
) -> dict[str, Findings]:
    found: dict[str, Findings] = {}
    try:
        with nginx_running(folder / "nginx") as nginx:
            for name in names:
                began_at = time.monotonic()
                say = partial(_say, console, name, began_at)
                place = folder / str(len(found))
                place.mkdir()
                found[name] = _found(name, Setting(place, nginx=nginx, scale=scale, say=say))
                say("done")
    except CannotMeasure as fault:
        sys.exit(str(fault))
    except KeyboardInterrupt:
        console.print("Interrupted; what has been found so far:")
    return found


def _say(console: Console, name: str, began_at: float, text: str) -> None:
    console.print(f"{name:12} {time.monotonic() - began_at:5.0f} s  {text}")


def _found(name: str, setting: Setting) -> Findings:
    what, measure = _BENCHMARKS[name]
    try:
        return measure(setting)
    except CannotMeasure as fault:
        sentence = str(fault)
    except Exception as fault:  # noqa: BLE001 - one broken benchmark must not stop the others
        sentence = f"{type(fault).__name__}: {fault}"
    setting.say(f"failed: {sentence}")
    row = Row(what=what.capitalize(), goal="", measured=f"failed: {sentence}", met=False)
    return Findings(rows=(row,))
