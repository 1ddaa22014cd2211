"""The one screen of `callpost status`: how it is, what is behind, who fails and why.

Pure: a Status, the time and the room in, lines out. Twenty lines, whatever happens.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Final

from rich.text import Text

from callpost.cli.figures import counted, day, host, moment, seconds_since, size, span
from callpost.cli.tables import Cell, labelled, sentence
from callpost.model.condition import (
    Certificate,
    ConfigFigures,
    EndpointCondition,
    HealthReport,
    HostTrouble,
    IntakeFigures,
    Status,
)

# What does not fit on one screen is counted.
_HOSTS_MAX: Final = 8
_CERTIFICATES_MAX: Final = 4
_NAMES_MAX: Final = 6

STYLES: Final[dict[EndpointCondition, str]] = {
    "ok": "green",
    "failing": "yellow",
    "down": "red",
    "held": "cyan",
    "gone": "red",
}


def is_well(health: HealthReport) -> bool:
    """Nothing is wrong, and events are accepted."""
    return health.live and health.ready and not health.degraded


def screen(status: Status, now: datetime, width: int | None) -> list[Text]:
    """The lines of the screen."""
    lines = list(_headline(status, now, width))
    for label, cells in _paragraphs(status, now):
        for cell in cells:
            lines += labelled(label, cell, width)
            label = ""  # noqa: PLW2901 - only the first line of a paragraph has its label
    return lines


def _headline(status: Status, now: datetime, width: int | None) -> Iterator[Text]:
    health = status.health
    if is_well(health):
        word = Cell(f"callpost {status.version} is healthy", "bold green")
    elif health.degraded:
        word = Cell(f"callpost {status.version} is degraded", "bold red")
    else:
        doing = "starting" if health.phase == "starting" else "stopping"
        word = Cell(f"callpost {status.version} is {doing}", "bold yellow")
    yield from sentence(word, width)
    for trouble in health.degraded:
        since = f" (since {moment(trouble.since, now)})" if trouble.since else ""
        words = trouble.sentence.removesuffix(".") if since else trouble.sentence
        yield from labelled("because", Cell(f"{words}{since}", "red"), width)


def _paragraphs(status: Status, now: datetime) -> Iterator[tuple[str, Iterable[Cell | str]]]:
    yield "behind", [_behind(status)]
    yield "failing", _failing(status.troubled, now) or ["nobody"]
    if status.paused:
        yield "paused", [Cell(listed(status.paused), "yellow")]
    if left_out := _left_out(status.config):
        yield "left out", left_out
    if status.certificates:
        yield "certificates", _certificates(status.certificates, now)
    yield "spool", [_spool(status)]
    yield "intake", [_intake(status.intake)]
    yield "deliveries", [_deliveries(status)]
    yield "configured", [_configuration(status, now)]
    since_s = seconds_since(status.started_at, now)
    started = moment(status.started_at, now)
    yield "running", [f"since {started} ({span(since_s)}), process {status.pid}"]


def _behind(status: Status) -> Cell | str:
    pending = status.spool.pending
    if not pending:
        return "nothing is pending"
    oldest = f", the oldest {span(status.lag_s)} old" if status.lag_s >= 1 else ""
    return f"{pending:,} pending{oldest}, {status.in_flight:,} in flight"


def _failing(troubled: Sequence[HostTrouble], now: datetime) -> list[Cell | str]:
    """The worst first: by how many deliveries wait, then by how many subscriptions."""
    ranked = sorted(troubled, key=lambda one: (-one.pending, -len(one.subscriptions), one.endpoint))
    cells: list[Cell | str] = [
        Cell(host_trouble(one, now), STYLES[one.condition]) for one in ranked[:_HOSTS_MAX]
    ]
    if (more := len(ranked) - _HOSTS_MAX) > 0:
        cells.append(f"and {counted(more, 'more host')}: callpost subscriptions --failing")
    return cells


def host_trouble(one: HostTrouble, now: datetime) -> str:
    """`crm.example.com: 37 subscriptions, down since 09:02, certificate expired`."""
    names = one.subscriptions
    who = names[0] if len(names) == 1 else counted(len(names), "subscription")
    since = f" since {moment(one.since, now)}" if one.since else ""
    reason = f", {one.reason}" if one.reason else ""
    pending = f" ({one.pending:,} pending)" if one.pending else ""
    return f"{host(one.endpoint)}: {who}, {one.condition}{since}{reason}{pending}"


def _certificates(certificates: Sequence[Certificate], now: datetime) -> list[Cell | str]:
    ranked = sorted(certificates, key=lambda one: one.expires_at)
    cells: list[Cell | str] = []
    for one in ranked[:_CERTIFICATES_MAX]:
        is_over = seconds_since(one.expires_at, now) > 0
        words = f"{host(one.name)} {'ended' if is_over else 'ends'} {day(one.expires_at, now)}"
        cells.append(Cell(words, "red" if is_over else "yellow"))
    if (more := len(ranked) - _CERTIFICATES_MAX) > 0:
        cells.append(f"and {more:,} more")
    return cells


def _left_out(config: ConfigFigures) -> list[Cell | str]:
    """What clients have made and gets nothing, and where it is listed."""
    counts = (
        (config.left_out, "subscription", "callpost subscriptions"),
        (config.left_out_forwards, "forward rule", "GET /v1/forwards"),
    )
    return [
        Cell(f"{counted(count, noun)}, forbidden by now: {listing}", "yellow")
        for count, noun, listing in counts
        if count
    ]


def _spool(status: Status) -> str:
    spool = status.spool
    share = 100 * spool.used_bytes // spool.max_bytes if spool.max_bytes else 0
    return (
        f"{size(spool.used_bytes)} of {size(spool.max_bytes)} ({share} %),"
        f" {counted(spool.dead, 'dead letter')}, last commit {spool.commit_ms:.1f} ms"
    )


def _intake(intake: IntakeFigures) -> Cell | str:
    parts = [f"{intake.accepted:,} accepted"]
    if intake.duplicates:
        parts.append(counted(intake.duplicates, "duplicate"))
    refused = sum(intake.refused.values())
    codes = sorted(intake.refused.items(), key=lambda one: -one[1])
    why = ", ".join(f"{code} {count:,}" for code, count in codes if count)
    parts.append(f"{refused:,} refused ({why})" if refused else "none refused")
    parts.append(counted(intake.connections, "connection"))
    return Cell(", ".join(parts), "yellow" if refused else "")


def _deliveries(status: Status) -> str:
    return (
        f"{counted(status.subscriptions, 'subscription')}, {counted(status.attempts, 'attempt')},"
        f" {status.delivered:,} delivered, {status.died:,} dead since the start"
    )


def _configuration(status: Status, now: datetime) -> Cell | str:
    config = status.config
    loaded = f"{config.file}, loaded {moment(config.loaded_at, now)}"
    if config.last_good:
        return Cell(f"{loaded}: the last good one, for the files have a fault", "red")
    warned = f", {counted(config.warnings, 'warning')} (callpost check)" if config.warnings else ""
    return loaded + warned


def listed(names: Sequence[str]) -> str:
    """The first names, and how many more there are."""
    more = len(names) - _NAMES_MAX
    shown = ", ".join(names[:_NAMES_MAX])
    return f"{shown} and {more:,} more" if more > 0 else shown
