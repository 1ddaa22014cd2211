"""`callpost reload`: the configuration is read again, and the answer says what that changed."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import asyncclick as click
from rich.text import Text

from callpost.cli.door import control_option, opened
from callpost.cli.figures import counted
from callpost.cli.options import config_option, json_option
from callpost.cli.paper import paper, put, say_json, width_of
from callpost.cli.tables import Cell, labelled, sentence
from callpost.model.changes import Changes, Reloaded
from callpost.model.terminal import escaped

# Thousands of subscriptions are read and compared, and what is removed is written down.
_PATIENCE_S: Final = 300.0
# A reload of hundreds takes less; who waits for longer should know for what.
_SILENT_S: Final = 5.0
_REMOVED: Final = {"gone": "removed", "disabled": "disabled", "left_out": "left out"}
_EXAMPLES: Final = """\b
Examples:
  callpost reload --dry-run
  callpost reload
"""


@click.command(epilog=_EXAMPLES)
@click.option("--dry-run", is_flag=True, help="Only say what would change.")
@config_option
@control_option
@json_option
async def reload(config: Path, control: Path | None, *, dry_run: bool, as_json: bool) -> None:
    """Have the daemon read its configuration again, and wait until it is in force.

    What changes is told, and what becomes of pending deliveries; credentials and TLS files are
    read again too. A configuration with a fault changes nothing: every fault goes to standard
    error as FILE: PATH: CODE: sentence, as `callpost check` prints them.

    Exit status: 0 when the configuration is in force (with --dry-run: has no fault), 1 when it
    has a fault or the daemon is not running, 2 for wrong usage.
    """
    # The HTTP client takes longer to import than most commands take to run.
    from callpost.edge.call_control import Slow  # noqa: PLC0415 - see above

    async with opened(config, control) as daemon:
        answer = await daemon.post(
            "/v1/reload",
            Reloaded,
            {"dryRun": dry_run},
            timeout_s=_PATIENCE_S,
            slow=Slow(_SILENT_S, _tell_slow),
        )
    for fault in answer.faults:
        click.echo(escaped(str(fault)), err=True)
    for warning in answer.warnings:
        click.echo(f"warning: {escaped(str(warning))}", err=True)
    if as_json:
        say_json(answer)
    else:
        console = paper()
        put(told(answer, width_of(console)), console)
    if not answer.ok:
        sys.exit(1)


def _tell_slow() -> None:
    click.echo("callpost is still waiting for the daemon's answer.", err=True)


def told(answer: Reloaded, width: int | None) -> list[Text]:
    """The difference in words."""
    if not answer.ok or answer.changes is None:
        found = counted(len(answer.faults), "fault")
        return sentence(Cell(f"Nothing has changed: {found}.", "bold red"), width)
    changes = answer.changes
    lines: list[Text] = []
    for label, text, style in _differences(changes, dry_run=answer.dry_run):
        lines += labelled(label, Cell(text, style), width)
    changed = bool(lines)
    if changes.unchanged:
        lines += labelled("unchanged", counted(changes.unchanged, "subscription"), width)
    return lines + sentence(Cell(_verdict(changed=changed, dry_run=answer.dry_run), "bold"), width)


def _verdict(*, changed: bool, dry_run: bool) -> str:
    if not changed:
        return "Nothing would change." if dry_run else "Nothing has changed."
    return "Nothing was changed yet (--dry-run)." if dry_run else "The configuration is in force."


def _differences(changes: Changes, *, dry_run: bool) -> Iterator[tuple[str, str, str]]:
    """(label, text, style) for each."""
    for name in changes.added:
        yield "added", name, "green"
    for changed in changes.changed:
        yield "changed", f"{changed.name}: {', '.join(changed.settings)}", "yellow"
    for removed in changes.removed:
        become = "would become" if dry_run else "become"
        pending = counted(removed.pending, "pending delivery").replace("deliverys", "deliveries")
        lost = f": {pending} {become} dead letters" if removed.pending else ""
        yield _REMOVED[removed.why], removed.name + lost, "red"
    for setting in changes.settings:
        yield "set", setting, "green"
    for setting in changes.needs_restart:
        yield "at restart", f"{setting} takes effect at the next start only", "yellow"
