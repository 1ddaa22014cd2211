"""The command, and the table that it ends in."""

import signal
import sys
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

import asyncclick as click
import trio
from rich import box
from rich.console import Console
from rich.table import Table

from callpost.cli.demo.call import KINDS
from callpost.cli.demo.cast import CAST, Subscriber


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

    console = Console(highlight=False)
    console.print(f"An inbound call to a hunt group, {len(KINDS)} events:")
    console.print(f"  {' '.join(KINDS)}")
    console.print(f"{len(CAST)} subscribers; postxml2-down is down and has a fallback.\n")
    stage = Stage()
    with TemporaryDirectory(prefix="callpost-demo-") as directory:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_end_on_signal, nursery.cancel_scope)
            await stage.play(Path(directory))
            nursery.cancel_scope.cancel()
    subscribers = stage.subscribers.values()
    console.print(_table(subscribers))
    content = sum(subscriber.is_content for subscriber in subscribers)
    console.print(f"{content} of {len(subscribers)} subscribers received the whole call in order.")
    if content < len(subscribers):
        sys.exit(1)


async def _end_on_signal(everything: trio.CancelScope) -> None:
    """The curtain falls early, and the temporary directory goes all the same."""
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async for _ in signals:
            everything.cancel()


def _table(subscribers: Iterable[Subscriber]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("subscriber", "method", "transport"):
        table.add_column(heading, no_wrap=True)
    for heading in ("received", "in order", "retried"):
        table.add_column(heading, justify="right", no_wrap=True)
    for subscriber in subscribers:
        role = subscriber.role
        table.add_row(
            role.name,
            role.method,
            f"{role.transport}, fallback" if role.down else role.transport,
            f"{len(subscriber.received)} of {len(KINDS)}",
            "yes" if subscriber.is_content else "NO",
            str(subscriber.retried),
        )
    return table
