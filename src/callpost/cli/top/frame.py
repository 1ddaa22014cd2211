"""One frame of the live view: a headline, the totals, and as many subscriptions as fit.

Pure: what was seen, the order, the time and the room in, lines out; never wider or higher.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final, Literal

from msgspec import Struct
from rich.cells import cell_len
from rich.text import Text

from callpost.cli.couriers import primary, state_of
from callpost.cli.figures import moment, span
from callpost.cli.standing import is_well
from callpost.cli.tables import Cell, Column, sentence, table
from callpost.cli.top.rates import Look, Rates, sparkline
from callpost.model.condition import SubscriptionState

Order = Literal["rate", "lag", "failures", "name"]
ORDERS: Final[tuple[Order, ...]] = ("rate", "lag", "failures", "name")
# Where a bar of one cell would tell nothing.
_SPARKLINE_LEAST: Final = 10
_COLUMNS: Final = (
    Column(title="NAME", least=12, cut=True),
    Column(title="STATE"),
    Column(title="RATE", right=True),
    Column(title="LAG", right=True),
    Column(title="PENDING", right=True),
    Column(title="FAILED", right=True, rank=1),
    Column(title="DEAD", right=True, rank=3),
    Column(title="FLYING", right=True, rank=4),
    Column(title="ENDPOINT", least=16, cut=True, rank=2),
)


class Room(Struct, frozen=True):
    """The terminal's size."""

    width: int
    height: int


def frame(
    look: Look, rates: Rates, *, order: Order, now: datetime, room: Room, fault: str = ""
) -> list[Text]:
    """The lines; `fault` stands there while the daemon does not answer."""
    top = _above(look, rates, now, room.width, fault)
    states = sorted(look.subscriptions, key=_key(order, rates))
    # Rows that nobody will see are not laid out; the columns fit those that are seen.
    fitting = max(0, room.height - len(top) - 2)
    rows = [_row(one, rates) for one in states[:fitting]]
    lines = [*top, *table(_COLUMNS, rows, room.width)][: room.height - 1]
    lines += sentence(_foot(order, len(states) - len(rows)), room.width)
    return lines[: room.height]


def page(look: Look, rates: Rates, *, order: Order, now: datetime, width: int) -> list[Text]:
    """The same for paper: every subscription, and no keys."""
    states = sorted(look.subscriptions, key=_key(order, rates))
    rows = [_row(one, rates) for one in states]
    return [*_above(look, rates, now, width, ""), *table(_COLUMNS, rows, width)]


def _above(look: Look, rates: Rates, now: datetime, width: int, fault: str) -> list[Text]:
    headline = sentence(_headline(look, now, fault), width)
    return [*headline, *_totals(look, rates, width), Text("")]


def _foot(order: Order, hidden: int) -> Cell:
    """What is shown, and the keys; what is not shown must not seem not to be."""
    more = f"   {hidden:,} more below" if hidden else ""
    return Cell(f"sorted by {order}{more}   q quits   s sorts otherwise", "dim")


def _headline(look: Look, now: datetime, fault: str) -> Cell:
    if fault:
        return Cell(f"{now:%H:%M:%S}  {fault}", "bold red")
    health, version = look.status.health, look.status.version
    since = moment(look.status.started_at, now)
    if is_well(health):
        return Cell(f"{now:%H:%M:%S}  callpost {version} healthy since {since}", "bold green")
    reasons = "; ".join(one.sentence for one in health.degraded)
    words = f"degraded: {reasons}" if reasons else health.phase
    return Cell(f"{now:%H:%M:%S}  callpost {version} {words}", "bold red")


def _totals(look: Look, rates: Rates, width: int) -> list[Text]:
    status = look.status
    pace = (
        f"{rates.accepted:,.1f}/s accepted, {rates.attempts:,.1f}/s attempts,"
        f" {rates.delivered:,.1f}/s delivered"
    )
    oldest = f", the oldest {span(status.lag_s)} old" if status.lag_s >= 1 else ""
    standing = (
        f"{status.spool.pending:,} pending{oldest}, {status.in_flight:,} in flight,"
        f" {status.spool.dead:,} dead, {len(status.paused):,} paused"
    )
    lines = sentence(pace, width)
    bars = width - cell_len(lines[0].plain) - 2
    if len(lines) == 1 and bars >= _SPARKLINE_LEAST:
        lines[0].append(f"  {sparkline(rates.history, bars)}", "green")
    return [*lines, *sentence(standing, width)]


def _key(order: Order, rates: Rates) -> Callable[[SubscriptionState], tuple[float, str]]:
    match order:
        case "rate":
            return lambda one: (-rates.by_name.get(one.name, 0.0), one.name)
        case "lag":
            return lambda one: (-one.lag_s, one.name)
        case "failures":
            return lambda one: (-_failures(one), one.name)
        case "name":
            return lambda one: (0.0, one.name)


def _failures(one: SubscriptionState) -> int:
    return sum(door.failures for door in one.endpoints)


def _row(one: SubscriptionState, rates: Rates) -> Sequence[Cell | str]:
    return (
        one.name,
        state_of(one),
        f"{rates.by_name.get(one.name, 0.0):,.1f}/s",
        span(one.lag_s) if one.lag_s >= 1 else "",
        f"{one.pending:,}",
        f"{_failures(one):,}",
        f"{one.dead:,}",
        f"{one.in_flight:,}",
        primary(one),
    )
