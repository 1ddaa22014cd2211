"""`callpost status`: one screen on the daemon, or on one of its subscriptions."""

import sys
from datetime import datetime
from pathlib import Path
from typing import Final

import asyncclick as click

from callpost.cli.couriers import detail, detail_unserved
from callpost.cli.door import control_option, opened
from callpost.cli.names import Listed, complete_names
from callpost.cli.options import config_option, json_option
from callpost.cli.paper import paper, put, say_json, width_of
from callpost.cli.standing import is_well, screen
from callpost.model.condition import Status, SubscriptionState, Unserved

_EXAMPLES: Final = """\b
Examples:
  callpost status
  callpost status crm
  callpost status --json | jq .health.degraded
"""


@click.command(epilog=_EXAMPLES)
@click.argument("name", required=False, shell_complete=complete_names)
@config_option
@control_option
@json_option
async def status(name: str | None, config: Path, control: Path | None, *, as_json: bool) -> None:
    """Show on one screen whether all is well, what is behind, and who fails.

    With NAME one subscription is shown in detail, with each of its endpoints; of one that is
    disabled or left out, why it gets nothing, also with --json. Endpoints that fail are grouped
    by host; certificates are named that end within 21 days.

    Exit status: 0 when the daemon is healthy (with NAME: when it was shown), 1 when it is
    degraded, not ready or not running, or there is no such subscription, 2 for wrong usage.
    """
    if name is not None:
        _show_one(await _subscription(name, config, control), as_json=as_json)
        return
    async with opened(config, control) as daemon:
        found = await daemon.get("/v1/status", Status)
    if as_json:
        say_json(found)
    else:
        console = paper()
        put(screen(found, _now(), width_of(console)), console)
    if not is_well(found.health):
        sys.exit(1)


async def _subscription(
    name: str, config: Path, control: Path | None
) -> SubscriptionState | Unserved:
    async with opened(config, control) as daemon:
        listed: Listed = await daemon.get("/v1/states", Listed)
    every: list[SubscriptionState | Unserved] = [*listed.subscriptions, *listed.unserved]
    for one in every:
        if one.name == name:
            return one
    raise click.ClickException(listed.fault([name]))


def _show_one(found: SubscriptionState | Unserved, *, as_json: bool) -> None:
    console = paper()
    if as_json:
        say_json(found)
    elif isinstance(found, Unserved):
        put(detail_unserved(found, width_of(console)), console)
    else:
        put(detail(found, _now(), width_of(console)), console)


def _now() -> datetime:
    return datetime.now().astimezone()
