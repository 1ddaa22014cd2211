"""`callpost check`: every fault of the configuration, or what would run.

Endpoints are shown as origin and place only: paths and queries may hold secrets.
"""

import os
import sys
from pathlib import Path

import asyncclick as click
import msgspec
from rich.console import Console

from callpost.cli.connections import show_connections
from callpost.cli.options import config_option
from callpost.cli.overview import Row, rows, show
from callpost.cli.paper import paper
from callpost.config import Config, Fault, FaultyConfig
from callpost.loading import load
from callpost.model.connection import Connection


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What `--json` prints."""

    ok: bool
    faults: tuple[Fault, ...] = ()
    warnings: tuple[Fault, ...] = ()
    subscriptions: tuple[Row, ...] = ()
    connections: tuple[Connection, ...] | msgspec.UnsetType = msgspec.UNSET


@click.command(epilog="Example: callpost check --config /etc/callpost/callpost.toml")
@config_option
@click.option("--connect", is_flag=True, help="Also connect to each endpoint; nothing is sent.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on standard output.")
async def check(config: Path, *, connect: bool, as_json: bool) -> None:
    """Check the configuration and show what would run.

    Every fault of every file goes to standard error as FILE: PATH: CODE: sentence. A good
    configuration is shown with its endpoints, what secures them and what they guarantee.

    With --connect each endpoint of the subscriptions that are enabled is tried, within its own
    connect time-out: name, connection, proxy and TLS. No request is sent; of UDP only the name
    can be tried.

    Exit status: 0 for a good configuration, 1 for a faulty one or, with --connect, where an
    endpoint cannot be reached, 2 for wrong usage.
    """
    try:
        settings = load(config, os.environ)
    except FaultyConfig as faulty:
        for fault in faulty.faults:
            click.echo(str(fault), err=True)
        if as_json:
            _echo_json(Verdict(ok=False, faults=faulty.faults))
        sys.exit(1)
    connections = await _tried(settings) if connect else None
    if as_json:
        _echo_json(_verdict(settings, connections))
    else:
        _show(config, settings, connections)
    if failed := sum(not one.ok for one in connections or ()):
        whole = _counted(len(connections or ()), "endpoint")
        click.echo(f"{config}: {failed} of {whole} cannot be reached.", err=True)
        sys.exit(1)


async def _tried(settings: Config) -> tuple[Connection, ...]:
    # The dialler and what it needs take 100 ms to import; whoever only checks does not wait.
    from callpost.connecting import try_endpoints  # noqa: PLC0415 - see above

    return tuple(await try_endpoints(settings))


def _echo_json(verdict: Verdict) -> None:
    click.echo(msgspec.json.format(msgspec.json.encode(verdict), indent=2))


def _verdict(settings: Config, connections: tuple[Connection, ...] | None) -> Verdict:
    return Verdict(
        ok=all(one.ok for one in connections or ()),
        warnings=settings.warnings,
        subscriptions=rows(settings),
        connections=msgspec.UNSET if connections is None else connections,
    )


def _show(path: Path, settings: Config, connections: tuple[Connection, ...] | None) -> None:
    overview = rows(settings)
    show(overview, Console(markup=False, highlight=False))
    for warning in settings.warnings:
        click.echo(f"warning: {warning}")
    click.echo(f"{path}: {_counted(len(overview), 'subscription')}, {_warned(settings)}")
    if connections:
        click.echo()
        show_connections(connections, paper())


def _warned(settings: Config) -> str:
    count = len(settings.warnings)
    return f"no fault, {_counted(count, 'warning')}" if count else "no fault"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
