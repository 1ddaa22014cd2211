"""`callpost test`: what one subscriber gets and what it answers, door by door."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import asyncclick as click
from rich.text import Text

from callpost.cli.door import control_option, opened
from callpost.cli.names import Listed, complete_names
from callpost.cli.options import config_option, json_option
from callpost.cli.paper import paper, put, say_json, width_of
from callpost.cli.tables import Cell, labelled, sentence
from callpost.model.trial import Exchange, Trial

# What else is in the body nobody reads on a screen; `--json` has it.
_LINES_MAX: Final = 12


@click.command("test", epilog="Example: callpost test crm")
@click.argument("name", shell_complete=complete_names)
@config_option
@control_option
@json_option
async def test(name: str, config: Path, control: Path | None, *, as_json: bool) -> None:
    """Send newCall and hangup of a made-up call to one subscription, and show what happens.

    The call is named `callpost-test-...`, so that a receiver can tell it; it goes to each of the
    subscription's endpoints at once, past its queue, whether it is paused or not. Request,
    answer and timings are shown; header values that could be secrets are masked.

    Exit status: 0 when both events were delivered, 1 when not, when there is no such subscription
    or it is disabled or left out, or the daemon is not running, 2 for wrong usage.
    """
    async with opened(config, control) as daemon:
        listed = await daemon.get("/v1/states", Listed)
        if fault := listed.fault([name]):
            raise click.ClickException(fault)
        # It takes as long as the endpoints' own time-outs, one after the other.
        trial = await daemon.post(f"/v1/subscriptions/{name}/test", Trial, timeout_s=None)
    if as_json:
        say_json(trial)
    else:
        console = paper()
        put(told(trial, width_of(console)), console)
    if not trial.ok:
        sys.exit(1)


def told(trial: Trial, width: int | None) -> list[Text]:
    """The lines for people: each exchange, then the verdict."""
    lines: list[Text] = []
    for exchange in trial.exchanges:
        lines += _exchange(exchange, width)
        lines.append(Text(""))
    verdict = "delivered" if trial.ok else "not delivered"
    style = "bold green" if trial.ok else "bold red"
    return lines + sentence(Cell(f"{trial.subscription}: {verdict}", style), width)


def _exchange(exchange: Exchange, width: int | None) -> Iterator[Text]:
    heading = f"{exchange.kind} to {exchange.endpoint} ({exchange.place}), {exchange.method}"
    yield from sentence(Cell(heading, "bold"), width)
    for label, text in _parts(exchange):
        style = ("green" if exchange.outcome == "delivered" else "red") if label == "=" else ""
        yield from labelled(f"  {label}", Cell(text, style), width, indent=4)


def _parts(exchange: Exchange) -> Iterator[tuple[str, str]]:
    """What was sent behind `>`, what came back behind `<`, the end behind `=`, as curl does."""
    for name, value in exchange.headers:
        yield ">", f"{name}: {value}"
    for line in _beginning(exchange.content):
        yield ">", line
    for line in _beginning(exchange.answer):
        yield "<", line
    status = "" if exchange.http_status is None else f"{exchange.http_status}, "
    reason = "" if exchange.outcome == "delivered" else f", {exchange.reason}"
    yield "=", f"{status}{exchange.outcome}{reason}"
    connect = "" if exchange.connect_ms is None else f"connected in {exchange.connect_ms:.1f} ms, "
    yield "", f"{connect}{exchange.total_ms:.1f} ms in all"


def _beginning(text: str) -> list[str]:
    lines = text.splitlines()
    more = len(lines) - _LINES_MAX
    return [*lines[:_LINES_MAX], f"(and {more:,} more lines)"] if more > 0 else lines
