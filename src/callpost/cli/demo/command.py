"""The command, and the table that it ends in."""

import signal
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import asyncclick as click
import trio
from rich.text import Text

from callpost.cli.demo.call import KINDS
from callpost.cli.demo.cast import CAST, Subscriber
from callpost.cli.paper import paper, put, width_of
from callpost.cli.tables import Cell, Column, labelled, sentence, table

# The names tell method and transport as well; what arrived is nowhere else.
_COLUMNS: Final = (
    Column(title="SUBSCRIBER"),
    Column(title="METHOD", rank=3),
    Column(title="TRANSPORT", rank=2),
    Column(title="RECEIVED", right=True),
    Column(title="IN ORDER", right=True),
    Column(title="RETRIED", right=True, rank=1),
)


@click.command(epilog="Example: callpost demo")
async def demo() -> None:
    """Play a call from first ring to hangup to twelve subscribers, here and now.

    It needs no set-up: a daemon in a temporary directory, a receiver on loopback for every
    method and transport, and one subscriber that is down and has a fallback. The table shows
    what each received.

    Exit status: 0 when everything arrived in order, 1 when not, 2 for wrong usage.
    """
    # The stage brings the daemon and every transport with it; only this command pays for that.
    from callpost.cli.demo.stage import Stage  # noqa: PLC0415 - see above

    console = paper()
    width = width_of(console)
    put(_announcement(width), console)
    stage = Stage()
    with TemporaryDirectory(prefix="callpost-demo-") as directory:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_end_on_signal, nursery.cancel_scope)
            await stage.play(Path(directory))
            nursery.cancel_scope.cancel()
    subscribers = list(stage.subscribers.values())
    put(told(subscribers, width), console)
    content = sum(subscriber.is_content for subscriber in subscribers)
    verdict = f"{content} of {len(subscribers)} subscribers received the whole call in order."
    put([Text(""), *sentence(verdict, width)], console)
    if content < len(subscribers):
        sys.exit(1)


def told(subscribers: Sequence[Subscriber], width: int | None) -> list[Text]:
    """The table for people: what each received."""
    return table(_COLUMNS, map(_row, subscribers), width)


def _announcement(width: int | None) -> Iterator[Text]:
    yield from sentence(f"An inbound call to a hunt group, {len(KINDS)} events:", width)
    yield from labelled("", " ".join(KINDS), width, indent=2)
    told = f"{len(CAST)} subscribers; postxml2-down is down and has a fallback."
    yield from (*sentence(told, width), Text(""))


async def _end_on_signal(everything: trio.CancelScope) -> None:
    """The curtain falls early, and the temporary directory goes all the same."""
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async for _ in signals:
            everything.cancel()


def _row(subscriber: Subscriber) -> Sequence[Cell | str]:
    role = subscriber.role
    return (
        role.name,
        role.method,
        f"{role.transport}, fallback" if role.down else role.transport,
        f"{len(subscriber.received)} of {len(KINDS)}",
        Cell("yes", "green") if subscriber.is_content else Cell("NO", "bold red"),
        str(subscriber.retried),
    )
