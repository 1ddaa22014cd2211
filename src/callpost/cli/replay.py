"""`callpost replay`: what has ended is delivered again, at once or so many a second."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Final, Unpack

import asyncclick as click
import trio
from msgspec import Struct
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

from callpost.cli.archive import REPORT
from callpost.cli.door import control_option, opened
from callpost.cli.interrupts import until_interrupted
from callpost.cli.names import Listed
from callpost.cli.options import NumberRange, config_option, json_option
from callpost.cli.paper import say, say_json
from callpost.cli.selecting import Criteria, selecting, selection_of, subscription_argument
from callpost.model.instant import utc_text
from callpost.model.replay import Replayed, Selection
from callpost.model.terminal import escaped

if TYPE_CHECKING:
    from callpost.edge.call_control import Control

# Queued with one request where no rate is set; counted with one at a dry run.
_AT_ONCE: Final = 5_000
_COUNTED_AT_ONCE: Final = 100_000
# A request is answered when its deliveries are on disk.
_PATIENCE_S: Final = 120.0
_EXAMPLES: Final = """\b
Examples:
  callpost replay crm --since 2026-11-20 --dry-run
  callpost replay crm --since 2026-11-20T08:00 --until 2026-11-20T12:00 --rate 20
  callpost replay --call 4f1c-2205 --delivered
"""


class Order(Struct, frozen=True, kw_only=True):
    """What to deliver again, and how; `rate_per_s` 0 is as fast as it goes."""

    selection: Selection
    rate_per_s: float
    dry_run: bool

    def body(self, *, limit: int, cursor: str) -> dict[str, object]:
        """As the control door wants it."""
        wanted = self.selection
        return {
            "subscription": wanted.subscription,
            "customer": wanted.customer,
            "callId": wanted.call_id,
            "eventId": wanted.event_id,
            "kinds": sorted(wanted.kinds),
            "since": None if wanted.since is None else utc_text(wanted.since),
            "until": None if wanted.until is None else utc_text(wanted.until),
            "delivered": wanted.delivered,
            "limit": limit,
            "cursor": cursor,
            "dryRun": self.dry_run,
        }


@click.command(epilog=_EXAMPLES)
@subscription_argument
@selecting
@click.option("--all-dead", is_flag=True, help="Every dead letter there is.")
@click.option("--delivered", is_flag=True, help="Also what was delivered and is still kept.")
@click.option("--dry-run", is_flag=True, help="Only say how many there are.")
@click.option(
    "--rate",
    type=NumberRange(0.01, 10_000),
    default=None,
    metavar="N",
    help="Queue at most N deliveries a second.  [default: all at once]",
)
@json_option
@config_option
@control_option
async def replay(
    config: Path,
    control: Path | None,
    *,
    all_dead: bool,
    delivered: bool,
    dry_run: bool,
    rate: float | None,
    as_json: bool,
    **criteria: Unpack[Criteria],
) -> None:
    """Deliver dead letters again: those of SUBSCRIPTION, or whatever the options select.

    Each is queued behind what waits already and keeps its id and its place in the call, so that
    a receiver knows what it has; its age counts from now. What is pending is passed over: a
    replay that was cut off is finished by asking for it again. Events that come later are not
    meant. It needs a running daemon.

    Exit status: 0 when everything selected was queued, though that be nothing, 1 when it was
    not, 2 for wrong usage, such as no selection at all.
    """
    selection = selection_of(criteria, delivered=delivered)
    _check(selection, all_dead=all_dead)
    order = Order(selection=selection, rate_per_s=rate or 0.0, dry_run=dry_run)
    run = _Run(order)
    await until_interrupted(lambda: run.through(config, control))
    if as_json:
        say_json(run.replayed())
    else:
        say(run.told())
    if not run.is_over:
        raise click.ClickException("The replay was cut off; what is named above is queued.")


def _check(selection: Selection, *, all_dead: bool) -> None:
    selects = selection != Selection(delivered=selection.delivered)
    if all_dead and (selects or selection.delivered):
        raise click.UsageError("--all-dead means every dead letter: leave the other options out.")
    if not all_dead and not selects:
        raise click.UsageError(
            "Say what to deliver again: a subscription, --customer, --call, --event, --kind,"
            " --since or --until; or --all-dead."
        )


class _Run:
    """A replay on its way, and what it has come to."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._queued: Counter[str] = Counter()
        self.is_over = False

    async def through(self, config: Path, control: Path | None) -> None:
        """Ask for one part after the other, until there is none left."""
        order, rate = self._order, self._order.rate_per_s
        async with opened(config, control) as daemon:
            if name := order.selection.subscription:
                listed = await daemon.get("/v1/states", Listed)
                if fault := listed.fault([name.removesuffix(REPORT)]):
                    raise click.ClickException(fault)
            with _progress(shown=rate > 0 and not order.dry_run) as progress:
                task = progress.add_task("replaying", total=None)
                if not progress.disable:
                    progress.update(task, total=await _counted(daemon, order))
                began = trio.current_time()
                cursor = ""
                while not self.is_over:
                    body = order.body(limit=self._part(), cursor=cursor)
                    done = await daemon.post("/v1/replay", Replayed, body, timeout_s=_PATIENCE_S)
                    self._queued.update(done.by_subscription)
                    progress.advance(task, done.deliveries)
                    cursor, self.is_over = done.next, not done.next
                    if rate and not self.is_over:
                        await trio.sleep_until(began + self._queued.total() / rate)

    def replayed(self) -> Replayed:
        """The sum of all parts."""
        return Replayed(deliveries=self._queued.total(), by_subscription=dict(self._queued))

    def told(self) -> str:
        """The sum in one sentence."""
        count = self._queued.total()
        if not count:
            return "Nothing is there to be delivered again."
        would = "would be" if self._order.dry_run else "is" if count == 1 else "are"
        noun = "delivery" if count == 1 else "deliveries"
        by_name = ", ".join(f"{name} {n:,}" for name, n in self._queued.most_common())
        return escaped(f"{count:,} {noun} {would} queued again: {by_name}.")

    def _part(self) -> int:
        if self._order.dry_run:
            return _COUNTED_AT_ONCE
        rate = self._order.rate_per_s
        return max(1, int(rate)) if rate else _AT_ONCE


async def _counted(daemon: "Control", order: Order) -> int:
    """How many there will be."""
    dry = Order(selection=order.selection, rate_per_s=0.0, dry_run=True)
    count, cursor = 0, ""
    while True:
        body = dry.body(limit=_COUNTED_AT_ONCE, cursor=cursor)
        part = await daemon.post("/v1/replay", Replayed, body, timeout_s=_PATIENCE_S)
        count, cursor = count + part.deliveries, part.next
        if not cursor:
            return count


def _progress(*, shown: bool) -> Progress:
    console = Console(stderr=True, highlight=False)
    return Progress(
        "[progress.description]{task.description}",
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not (shown and console.is_terminal),
    )
