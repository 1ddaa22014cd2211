"""`callpost tail`: one line for each attempt as it happens, until Ctrl-C or the daemon leaves."""

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import asyncclick as click
from msgspec import Struct

from callpost.cli.attempts import STYLES, lines_of
from callpost.cli.door import NoDaemon, control_option, opened
from callpost.cli.figures import counted
from callpost.cli.interrupts import until_interrupted
from callpost.cli.names import Listed, complete_names
from callpost.cli.options import config_option
from callpost.cli.paper import paper, put, say_json_line, width_of
from callpost.model.delivery import Attempted
from callpost.model.vocabulary import KINDS

if TYPE_CHECKING:
    from callpost.edge.call_control import Control

_FAILURES: Final = tuple(outcome for outcome in STYLES if outcome != "delivered")
# The attempts of a subscription's delivery reports go under its name with this behind it.
_REPORT: Final = "!report"
_EXAMPLES: Final = """\b
Examples:
  callpost tail --failures
  callpost tail --subscription crm --count 10
  callpost tail --json | jq -r 'select(.totalMs > 1000) | .endpoint'
"""


class Wanted(Struct, frozen=True, kw_only=True):
    """Which attempts to show: one word of each filter must fit, none means all fit."""

    subscription: tuple[str, ...]
    outcome: tuple[str, ...]
    call: tuple[str, ...]
    kind: tuple[str, ...]
    endpoint: tuple[str, ...]
    count: int | None


@click.command(epilog=_EXAMPLES)
@click.option(
    "--subscription",
    metavar="NAME",
    multiple=True,
    shell_complete=complete_names,
    help="Only those of NAME; NAME!report has the attempts of its delivery reports.",
)
@click.option(
    "--outcome",
    type=click.Choice(list(STYLES)),
    multiple=True,
    help="Only those that ended so.",
)
@click.option("--failures", is_flag=True, help="Only those that delivered nothing.")
@click.option("--call", metavar="ID", multiple=True, help="Only those of this call.")
@click.option("--kind", type=click.Choice(KINDS), multiple=True, help="Only those of such events.")
@click.option(
    "--endpoint", metavar="HOST", multiple=True, help="Only those to this host, or origin."
)
@click.option("-n", "--count", type=click.IntRange(1), metavar="N", help="End after N attempts.")
@click.option("-f", "--follow", is_flag=True, help="Go on for ever, which is the default.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per attempt.")
@config_option
@control_option
async def tail(  # noqa: PLR0913 - one argument per option
    config: Path,
    control: Path | None,
    *,
    subscription: tuple[str, ...],
    outcome: tuple[str, ...],
    failures: bool,
    call: tuple[str, ...],
    kind: tuple[str, ...],
    endpoint: tuple[str, ...],
    count: int | None,
    follow: bool,
    as_json: bool,
) -> None:
    """Show each attempt as it happens, one line for each, until Ctrl-C.

    Time, outcome, subscription, kind of event, call, attempt, HTTP status, time taken, endpoint
    and reason; in a narrow terminal the less important ones are left out. All
    filters must hold; of one that is given several times, any.
    Attempts that come faster than they can be shown are counted on standard error.

    Exit status: 0 after Ctrl-C, after N attempts or when nobody reads any more, 1 when the
    daemon is not running or leaves, 2 for wrong usage.
    """
    if failures and outcome:
        raise click.UsageError("--failures names outcomes already: give it or --outcome.")
    if follow and count is not None:
        raise click.UsageError("--follow goes on for ever, --count ends: give one of them.")
    wanted = Wanted(
        subscription=subscription,
        outcome=_FAILURES if failures else outcome,
        call=call,
        kind=kind,
        endpoint=endpoint,
        count=count,
    )
    show = say_json_line if as_json else _shown_on_paper()
    await until_interrupted(lambda: _follow(wanted, config, control, show))


async def _follow(
    wanted: Wanted, config: Path, control: Path | None, show: Callable[[Attempted], None]
) -> None:
    shown = 0
    async with opened(config, control) as daemon:
        await _know(wanted.subscription, daemon)
        async with daemon.attempts(
            subscription=wanted.subscription,
            outcome=wanted.outcome,
            call=wanted.call,
            kind=wanted.kind,
            endpoint=wanted.endpoint,
        ) as attempts:
            async for one in attempts:
                if isinstance(one, int):
                    click.echo(f"({counted(one, 'attempt')} not shown: too fast)", err=True)
                else:
                    show(one)
                    shown += 1
                if shown == wanted.count:
                    return
    raise NoDaemon("The daemon has left.")


async def _know(names: Sequence[str], daemon: "Control") -> None:
    """Wait for nothing that cannot come."""
    if names:
        listed = await daemon.get("/v1/states", Listed)
        if fault := listed.fault([name.removesuffix(_REPORT) for name in names]):
            raise click.ClickException(fault)


def _shown_on_paper() -> Callable[[Attempted], None]:
    console = paper()
    return lambda attempt: put(
        # The terminal may have another size by now.
        lines_of(attempt, datetime.now().astimezone(), width_of(console)),
        console,
    )
