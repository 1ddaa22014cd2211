"""The command: looks once a second, draws what it saw, and listens to the keys."""

import os
import signal
import sys
import termios
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import asyncclick as click
import trio
from rich.console import Console, Group
from rich.live import Live

from callpost.cli.door import control_option
from callpost.cli.interrupts import until_interrupted
from callpost.cli.options import NumberRange, config_option
from callpost.cli.paper import paper, put, width_of
from callpost.cli.top.eye import Eye
from callpost.cli.top.frame import ORDERS, Order, Room

# Oftener nobody can read it, and the daemon has better things to do.
_INTERVAL_LEAST_S: Final = 0.2
# In a pipe nothing is cut.
_PAPER_WIDTH: Final = 1_000_000
# Somebody who leans on a key.
_KEYS_MAX: Final = 64
_EXAMPLES: Final = """\b
Examples:
  callpost top
  callpost top --sort lag
  callpost top --once > frame.txt
"""


@click.command(epilog=_EXAMPLES)
@click.option(
    "--sort",
    "order",
    type=click.Choice(ORDERS),
    default="rate",
    show_default=True,
    help="The order of the subscriptions; `s` changes it.",
)
@click.option(
    "--interval",
    "interval_s",
    type=NumberRange(_INTERVAL_LEAST_S, 3_600),
    default=1.0,
    show_default=True,
    metavar="SECONDS",
    help="How long from one look to the next.",
)
@click.option("--once", is_flag=True, help="Print all of it once and end; needs no terminal.")
@config_option
@control_option
async def top(
    order: Order, interval_s: float, config: Path, control: Path | None, *, once: bool
) -> None:
    """Watch the daemon live: its rates, and its subscriptions by rate, lag or failures.

    RATE counts attempts by the second, FAILED the failures in a row. The keys: q quits, s sorts
    otherwise. While the daemon does not answer, the last frame stays, and the reason is shown.

    Exit status: 0 at the end, 1 when the daemon is not running at the start, 2 for wrong usage,
    also where there is no terminal.
    """
    if not once and not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise click.UsageError("This is no terminal; `callpost top --once` prints all of it once.")
    eye = Eye(config, control)
    await eye.look()
    if once:
        # A rate takes two looks.
        await trio.sleep(interval_s)
        await eye.look()
        console = paper()
        put(eye.page(order, width_of(console) or _PAPER_WIDTH), console)
    else:
        await until_interrupted(lambda: _Screen(eye, order, interval_s).live())


class _Screen:
    """The terminal while `top` has it."""

    def __init__(self, eye: Eye, order: Order, interval_s: float) -> None:
        self._eye = eye
        self._order = order
        self._interval_s = interval_s
        self._console = Console(highlight=False, markup=False, emoji=False)

    async def live(self) -> None:
        """Draw until `q`; in the nursery live who looks, who reads keys and who hears of sizes."""
        shown = Live(console=self._console, screen=True, auto_refresh=False)
        with _keys_at_once(), shown:
            async with trio.open_nursery() as nursery:
                # Before the first frame: a size that changes while it is drawn is not missed.
                await nursery.start(self._fit_again, shown)
                nursery.start_soon(self._look_again, shown)
                self._draw(shown)
                await self._obey_keys(shown)
                nursery.cancel_scope.cancel()

    async def _look_again(self, shown: Live) -> None:
        while True:
            await trio.sleep(self._interval_s)
            await self._eye.look_if_there()
            self._draw(shown)

    async def _fit_again(
        self, shown: Live, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        with trio.open_signal_receiver(signal.SIGWINCH) as sizes:
            task_status.started()
            async for _ in sizes:
                self._draw(shown)

    async def _obey_keys(self, shown: Live) -> None:
        """Return at `q`, or when the terminal is gone."""
        while True:
            await trio.lowlevel.wait_readable(sys.stdin.fileno())
            keys = os.read(sys.stdin.fileno(), _KEYS_MAX)
            if not keys or b"q" in keys:
                return
            for _ in range(keys.count(b"s")):
                self._order = ORDERS[(ORDERS.index(self._order) + 1) % len(ORDERS)]
            self._draw(shown)

    def _draw(self, shown: Live) -> None:
        size = self._console.size
        room = Room(size.width, size.height)
        shown.update(Group(*self._eye.lines(self._order, room)), refresh=True)


@contextmanager
def _keys_at_once() -> Iterator[None]:
    """Keys come without Enter and are not shown; afterwards all is as it was."""
    keyboard = sys.stdin.fileno()
    before = termios.tcgetattr(keyboard)
    try:
        tty.setcbreak(keyboard)
        yield
    finally:
        termios.tcsetattr(keyboard, termios.TCSADRAIN, before)
