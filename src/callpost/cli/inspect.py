"""`callpost inspect`: the story of a call, or of one event."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import asyncclick as click
from msgspec.structs import replace
from rich.text import Text

from callpost.cli.archive import Archive, Events, ask
from callpost.cli.door import control_option
from callpost.cli.names import complete_names
from callpost.cli.options import config_option, json_option
from callpost.cli.paper import paper, put, say_json, width_of
from callpost.cli.selecting import customer_option
from callpost.cli.stories import call_told, events_told
from callpost.cli.waits import Waits
from callpost.model.story import CallStory, EventStory
from callpost.model.terminal import escaped

_EXAMPLES: Final = """\b
Examples:
  callpost inspect 4f1c-2205
  callpost inspect 4f1c-2205 --subscription crm
  callpost inspect evt_01937b1e5c6f7d3a9b2c4d5e6f708192
  callpost inspect 4f1c-2205 --json | jq '.events[].deliveries[] | select(.state == "dead")'
"""


@click.command(epilog=_EXAMPLES)
@click.argument("identity", metavar="ID")
@customer_option
@click.option(
    "--subscription",
    default="",
    metavar="NAME",
    shell_complete=complete_names,
    help="Only deliveries to NAME.",
)
@click.option(
    "-n",
    "--limit",
    type=click.IntRange(1, 1_000),
    default=100,
    show_default=True,
    metavar="N",
    help="Tell at most N events of a call.",
)
@json_option
@config_option
@control_option
async def inspect(
    identity: str,
    config: Path,
    control: Path | None,
    *,
    customer: str,
    subscription: str,
    limit: int,
    as_json: bool,
) -> None:
    """Tell the story of a call or of an event: ID is the id of either.

    Each event, each subscription that wanted it, each attempt with its time, place, outcome and
    reason, and how the delivery ended, or when it goes on and what it waits for: a pause, a
    breaker's probe. Numbers are shown by their last three digits, endpoints by their place. Where
    no daemon runs its spool is read, which knows of pauses alone.

    Exit status: 0 when the story was told, 1 when nothing of ID is kept, or there is neither a
    daemon nor a spool, 2 for wrong usage.
    """

    async def read(archive: Archive) -> tuple[CallStory | Events, Waits]:
        call = await archive.call(identity, customer=customer, limit=limit)
        story = call or Events(await archive.events(identity, customer=customer))
        if subscription:
            story = replace(story, events=tuple(_only(subscription, story.events)))
            if not any(event.deliveries for event in story.events):
                await archive.know(subscription)
        return story, await _waits(archive, story.events, as_json=as_json)

    story, waits = await ask(config, control, read)
    if isinstance(story, Events) and not story.events:
        of = f" of customer {customer}" if customer else ""
        fault = f"Neither a call nor an event{of} with the id {identity!r} is kept."
        raise click.ClickException(escaped(fault))
    if as_json:
        say_json(story)
        return
    console = paper()
    put(_told(story, waits, width_of(console), subscription), console)


def _only(subscription: str, events: Iterable[EventStory]) -> Iterator[EventStory]:
    """The events without what others got of them."""
    for event in events:
        kept = [one for one in event.deliveries if one.subscription == subscription]
        yield replace(event, deliveries=tuple(kept))


async def _waits(archive: Archive, events: Iterable[EventStory], *, as_json: bool) -> Waits:
    """What is waited for, where somebody reads it and something goes on."""
    goes_on = any(one.state == "pending" for event in events for one in event.deliveries)
    return await archive.waits() if goes_on and not as_json else Waits()


def _told(
    story: CallStory | Events, waits: Waits, width: int | None, subscription: str
) -> list[Text]:
    if isinstance(story, Events):
        return events_told(story.events, width, waits=waits, subscription=subscription)
    return call_told(story, width, waits=waits, subscription=subscription)
