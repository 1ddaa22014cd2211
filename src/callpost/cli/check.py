"""`callpost check`: every fault of the configuration, or what would run.

Endpoints are shown as origin and place only: paths and queries may hold secrets.
"""

import os
import sys
from pathlib import Path

import asyncclick as click
import msgspec
from rich.console import Console

from callpost.cli.options import config_option
from callpost.cli.overview import Row, rows, show
from callpost.config import Config, Fault, FaultyConfig
from callpost.loading import load


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What `--json` prints."""

    ok: bool
    faults: tuple[Fault, ...] = ()
    warnings: tuple[Fault, ...] = ()
    subscriptions: tuple[Row, ...] = ()


@click.command(epilog="Example: callpost check --config /etc/callpost/callpost.toml")
@config_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on standard output.")
async def check(config: Path, *, as_json: bool) -> None:
    """Check the configuration and show what would run.

    Every fault of every file goes to standard error as FILE: PATH: CODE: sentence, and the exit
    status is 1. A good configuration is shown with its endpoints, what secures them and what
    they guarantee; the exit status is 0.
    """
    try:
        settings = load(config, os.environ)
    except FaultyConfig as faulty:
        for fault in faulty.faults:
            click.echo(str(fault), err=True)
        if as_json:
            _echo_json(Verdict(ok=False, faults=faulty.faults))
        sys.exit(1)
    overview = rows(settings)
    if as_json:
        _echo_json(Verdict(ok=True, warnings=settings.warnings, subscriptions=overview))
    else:
        _show(config, settings, overview)


def _echo_json(verdict: Verdict) -> None:
    click.echo(msgspec.json.format(msgspec.json.encode(verdict), indent=2))


def _show(path: Path, settings: Config, overview: tuple[Row, ...]) -> None:
    show(overview, Console(markup=False, highlight=False))
    for warning in settings.warnings:
        click.echo(f"warning: {warning}")
    click.echo(f"{path}: {_counted(len(overview), 'subscription')}, {_warned(settings)}")


def _warned(settings: Config) -> str:
    count = len(settings.warnings)
    return f"no fault, {_counted(count, 'warning')}" if count else "no fault"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
