"""Deliveries on paper: page after page until there are enough, then how many there are.

Times are local on a terminal, with the zone said once; elsewhere RFC 3339 in UTC.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Final, Protocol, TypeVar

import asyncclick as click
from rich.text import Text

from callpost.cli.paper import paper, put, say, say_json_line, width_of
from callpost.cli.tables import Cell, Column, sentence, table

# As many as the control door gives at once.
_PAGE_MAX: Final = 1_000
_Delivery = TypeVar("_Delivery", covariant=True)  # noqa: PLC0105 - "Delivery" is the noun
_One = TypeVar("_One")

lines_option = click.option(
    "-n",
    "--limit",
    type=click.IntRange(1),
    default=100,
    show_default=True,
    metavar="N",
    help="Show at most N of them.",
)
json_lines_option = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object per delivery."
)


class Page(Protocol[_Delivery]):
    """A page as the daemon or the spool gives it."""

    @property
    def deliveries(self) -> Sequence[_Delivery]:
        """What is on it."""
        ...

    @property
    def total(self) -> int:
        """How many there are on all pages."""
        ...

    @property
    def next(self) -> str:
        """The cursor of the following page, "" at the end."""
        ...


async def gathered(
    read: Callable[[int, str], Awaitable[Page[_One]]], limit: int
) -> tuple[list[_One], int]:
    """Read up to `limit` of them; returns them and how many there are."""
    found: list[_One] = []
    page = await read(min(limit, _PAGE_MAX), "")
    total = page.total
    found += page.deliveries
    while page.next and len(found) < limit:
        page = await read(min(limit - len(found), _PAGE_MAX), page.next)
        found += page.deliveries
    return found, total


def show(
    found: Sequence[_One],
    total: int,
    *,
    columns: Sequence[Column],
    row: Callable[[_One, Callable[[str | None], str]], Sequence[Cell | str]],
    noun: str,
    as_json: bool,
) -> None:
    """Write what was found; `row` is handed the writer of moments."""
    if as_json:
        for one in found:
            say_json_line(one)
        return
    if not found:
        say(f"There is no {noun}.")
        return
    console = paper()
    width = width_of(console)
    lines = table(columns, [row(one, _writer(width)) for one in found], width)
    if width is not None:
        lines += [Text(""), *sentence(_conclusion(len(found), total, noun), width)]
    put(lines, console)


def _writer(width: int | None) -> Callable[[str | None], str]:
    if width is None:
        return lambda text: text or ""
    today = datetime.now().astimezone().date()

    def written(text: str | None) -> str:
        if not text:
            return ""
        local = datetime.fromisoformat(text).astimezone()
        return f"{local:%H:%M:%S}" if local.date() == today else f"{local:%Y-%m-%d %H:%M}"

    return written


def _conclusion(shown: int, total: int, noun: str) -> str:
    plural = noun.removesuffix("y") + "ies" if noun.endswith("y") else f"{noun}s"
    counted = f"{total:,} {noun if total == 1 else plural}"
    part = f"{shown:,} of {counted} shown; --limit shows more." if shown < total else f"{counted}."
    return f"{part} Times are in {datetime.now().astimezone():%Z}."
