"""`callpost pause` and `callpost resume`: whether a subscription sends; its events are kept.

Either every name is known, or nothing is changed.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import asyncclick as click

from callpost.cli.door import control_option, opened
from callpost.cli.names import Listed, complete_names
from callpost.cli.options import config_option, json_option
from callpost.cli.paper import say, say_json
from callpost.model.condition import SubscriptionState

_names = click.argument("names", nargs=-1, required=True, shell_complete=complete_names)


@click.command(epilog="Example: callpost pause crm crm-backup")
@_names
@config_option
@control_option
@json_option
async def pause(
    names: tuple[str, ...], config: Path, control: Path | None, *, as_json: bool
) -> None:
    """Stop sending to these subscriptions; their events are kept.

    What is in flight ends. Events go on being accepted and wait, also over a restart, until
    `callpost resume`; their age counts, so what waits for too long becomes a dead letter. One that
    is disabled or taken away and comes back begins anew, and sends.

    Exit status: 0 when all are paused, 1 when a name is unknown, disabled or left out (then
    nothing is changed) or the daemon is not running, 2 for wrong usage.
    """
    states = await _turned("pause", names, config, control)
    _tell(states, "is paused", as_json=as_json)


@click.command(epilog="Example: callpost resume crm crm-backup")
@_names
@config_option
@control_option
@json_option
async def resume(
    names: tuple[str, ...], config: Path, control: Path | None, *, as_json: bool
) -> None:
    """Send to these subscriptions again, whoever paused them.

    An endpoint that answered 410 Gone is tried again as well.

    Exit status: 0 when all are active, 1 when a name is unknown, disabled or left out (then
    nothing is changed) or the daemon is not running, 2 for wrong usage.
    """
    states = await _turned("resume", names, config, control)
    _tell(states, "is active", as_json=as_json)


async def _turned(
    verb: Literal["pause", "resume"], names: Sequence[str], config: Path, control: Path | None
) -> list[SubscriptionState]:
    async with opened(config, control) as daemon:
        listed = await daemon.get("/v1/states", Listed)
        if fault := listed.fault(names):
            changed = " Nothing was changed." if len(names) > 1 else ""
            raise click.ClickException(fault + changed)
        return [
            # A name has letters, digits and `-_.` only, so that it stands in a path as it is.
            await daemon.post(f"/v1/subscriptions/{name}/{verb}", SubscriptionState)
            for name in dict.fromkeys(names)
        ]


def _tell(states: Sequence[SubscriptionState], now: str, *, as_json: bool) -> None:
    if as_json:
        say_json({"subscriptions": states})
        return
    for one in states:
        waiting = f", {one.pending:,} pending" if one.pending else ""
        say(f"{one.name} {now}{waiting}")
