"""`callpost subscriptions`: each with its state and figures, the furthest behind first."""

from pathlib import Path
from typing import Final

import asyncclick as click

from callpost.cli.couriers import is_failing, overview
from callpost.cli.door import control_option, opened
from callpost.cli.names import Listed
from callpost.cli.options import config_option, json_option
from callpost.cli.paper import paper, put, say, say_json, width_of

_EXAMPLES: Final = """\b
Examples:
  callpost subscriptions
  callpost subscriptions --failing
  callpost subscriptions --json | jq -r '.subscriptions[] | select(.pending > 100) .name'
"""


@click.command(epilog=_EXAMPLES)
@click.option("--failing", is_flag=True, help="Only those of which an endpoint fails.")
@click.option("--paused", is_flag=True, help="Only those that are paused.")
@config_option
@control_option
@json_option
async def subscriptions(
    config: Path, control: Path | None, *, failing: bool, paused: bool, as_json: bool
) -> None:
    """List the subscriptions with state and figures, the furthest behind first.

    LAG is the age of the oldest delivery that could go; what waits for its next attempt does not
    count. Last come those that get nothing, disabled or left out because the configuration forbids
    by now what was made over the API. CUSTOMER is there where any of them has one. In a narrow
    terminal the less important columns are left out; a pipe gets them all. --failing and --paused
    together list what is either.

    Exit status: 0 when they were listed, also when there are none, 1 when the daemon is not
    running, 2 for wrong usage.
    """
    async with opened(config, control) as daemon:
        listed = await daemon.get("/v1/states", Listed)
    if failing or paused:
        states = tuple(
            one
            for one in listed.subscriptions
            if (failing and is_failing(one)) or (paused and one.condition != "active")
        )
        listed = Listed(states)
    if as_json:
        say_json(listed)
    elif listed.names():
        console = paper()
        put(overview(listed.subscriptions, width_of(console), listed.unserved), console)
    else:
        say("There is none such." if failing or paused else "There is no subscription.")
