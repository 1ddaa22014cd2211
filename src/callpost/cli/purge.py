"""`callpost purge`: personal data is removed, by the daemon, or from the spool that it left."""

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final, TypedDict, Unpack

import asyncclick as click
import trio

from callpost.cli.customers import configured_customers, unknown_customer
from callpost.cli.door import NoDaemon, control_option, documents_of, opened
from callpost.cli.moments import MOMENT
from callpost.cli.options import config_option, json_option
from callpost.cli.paper import say, say_json
from callpost.config import Fault
from callpost.config.faults import NO_LOOKUPS
from callpost.config.top import Top, read_top
from callpost.model.instant import utc_text
from callpost.model.purge import Criteria, Purged, fault_of
from callpost.model.terminal import escaped

_EXAMPLES: Final = """\b
Examples:
  callpost purge --number +4526110203 --dry-run
  callpost purge --number "26 11 02 03" --yes
  callpost purge --customer acme --before 2026-11-01
"""
# As the control door calls them, and as the command line does.
_OPTIONS: Final = {
    "number": "--number",
    "callId": "--call",
    "customer": "--customer",
    "before": "--before",
}
_WARNINGS: Final = frozenset({"warning", "error", "critical"})


class Asked(TypedDict):
    """What the options say."""

    number: str
    call_id: str
    customer: str
    before: float | None


@click.command(epilog=_EXAMPLES)
@click.option("--number", default="", metavar="N", help="All calls in which this number is.")
@click.option("--call", "call_id", default="", metavar="ID", help="This call.")
@click.option("--customer", default="", metavar="ID", help="This customer's calls.")
@click.option(
    "--before",
    type=MOMENT,
    metavar="WHEN",
    help="What was accepted before then: 10m, 2h, 3d, 2026-11-21, 2026-11-21T10:00.",
)
@click.option("--dry-run", is_flag=True, help="Only say how much there is.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@json_option
@config_option
@control_option
async def purge(
    config: Path,
    control: Path | None,
    *,
    dry_run: bool,
    yes: bool,
    as_json: bool,
    **asked: Unpack[Asked],
) -> None:
    """Remove personal data everywhere callpost keeps it, and say how much.

    What meets all of the options goes: events, deliveries that wait, dead letters, delivery
    reports, attempts, and what is in the write-ahead log and in free pages. A number may be
    spelled in any way, and takes its whole calls with it. Copies of damaged spools are removed
    whole. An attempt that is on its way cannot be called back; a receiver sees the gap in `seq`.
    Where no daemon runs, the spool that it left is purged.

    Exit status: 0 when it was done, though nothing was there, 1 when it was not, or something
    remains, 2 for wrong usage, such as no option that says what.
    """
    criteria = Criteria(**asked)
    _check(criteria)
    asks = not dry_run and not yes and click.get_text_stream("stdin").isatty()
    if asks:
        counted = await _purged(config, control, criteria, dry_run=True)
        _note(counted)
        click.confirm(f"{_told(counted, dry_run=True)} Remove it for good?", abort=True, err=True)
    purged = await _purged(config, control, criteria, dry_run=dry_run)
    await _warn_of_customer(config, control, criteria.customer, purged)
    if as_json:
        say_json(purged)
    else:
        if not asks:
            _note(purged)
        say(_told(purged, dry_run=dry_run))
    remains = escaped(" ".join(purged.remains))
    if remains and not dry_run:
        raise click.ClickException(remains)
    if remains:
        click.echo(remains, err=True)


def _check(criteria: Criteria) -> None:
    if criteria.before is not None and criteria.before > time.time():
        raise click.UsageError("--before lies in the future: that would be everything there is.")
    fault = fault_of(criteria)
    if fault is None:
        return
    field, sentence = fault
    if field is None:
        raise click.UsageError("Say what to purge: --number, --call, --customer or --before.")
    raise click.UsageError(f"{_OPTIONS[field]}: {sentence}.")


async def _purged(
    config: Path, control: Path | None, criteria: Criteria, *, dry_run: bool
) -> Purged:
    body: Mapping[str, object] = {
        "number": criteria.number,
        "callId": criteria.call_id,
        "customer": criteria.customer,
        "before": None if criteria.before is None else utc_text(criteria.before),
        "dryRun": dry_run,
    }
    try:
        async with opened(config, control) as daemon:
            # A large spool takes its time, and nothing is lost by waiting.
            return await daemon.post("/v1/purge", Purged, body, timeout_s=None)
    except NoDaemon as fault:
        if control is not None:
            raise
        top = await trio.to_thread.run_sync(_top, config)
        click.echo(f"{fault.message} The spool in {top.state_directory} is used.", err=True)
    return await _from_spool(top, criteria, dry_run=dry_run)


async def _from_spool(top: Top, criteria: Criteria, *, dry_run: bool) -> Purged:
    from callpost.purging import CannotPurge, purge_stopped  # noqa: PLC0415 - opens a whole spool

    try:
        return await purge_stopped(
            Path(top.state_directory),
            criteria,
            country=top.numbers.country,
            limits=top.spool.limits(0.0),
            dry_run=dry_run,
            tell=_warn,
        )
    except CannotPurge as fault:
        raise click.ClickException(escaped(str(fault))) from None


def _top(config: Path) -> Top:
    faults: list[Fault] = []
    documents = documents_of(config, faults)
    if faults:
        raise NoDaemon(str(faults[0]))
    top = read_top(documents, os.environ, faults, NO_LOOKUPS)
    if faults:
        # Another country, or another directory, would purge something else.
        raise click.ClickException(str(faults[0]))
    return top


def _warn(line: dict[str, object]) -> None:
    if line["level"] in _WARNINGS:
        told = " ".join(f"{name}={value}" for name, value in line.items() if name != "level")
        click.echo(escaped(told), err=True)


async def _warn_of_customer(
    config: Path, control: Path | None, customer: str, purged: Purged
) -> None:
    """One who has left the registry may be purged; of whom nothing is found may be misspelt."""
    # With another control socket nobody knows whose configuration this is.
    if control is not None or not customer or purged != Purged(note=purged.note):
        return
    known = await trio.to_thread.run_sync(configured_customers, config)
    if sentence := unknown_customer(customer, known):
        click.echo(escaped(sentence), err=True)


def _note(purged: Purged) -> None:
    """How the criteria were understood, aside."""
    if purged.note:
        click.echo(escaped(purged.note), err=True)


def _told(purged: Purged, *, dry_run: bool) -> str:
    """The figures in one sentence."""
    parts = [
        _counted(purged.events, "event", "events"),
        _counted(purged.calls, "whole call", "whole calls"),
        _counted(purged.reports, "delivery report", "delivery reports"),
        _counted(purged.pending, "pending delivery", "pending deliveries"),
        _counted(purged.dead, "dead letter", "dead letters"),
        _counted(purged.attempts, "attempt", "attempts"),
    ]
    if purged.files:
        named = ", ".join(purged.files)
        parts.append(
            f"{_counted(len(purged.files), 'copy', 'copies')} of a damaged spool ({named})"
        )
    verb = "Would be purged" if dry_run else "Purged"
    return escaped(f"{verb}: {', '.join(parts)}.")


def _counted(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"
