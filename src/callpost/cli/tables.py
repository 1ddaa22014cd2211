"""Tables and labelled lines for people, as wide as there is room and no wider.

Every text is escaped here. Where room is short, columns are dropped by their rank, then texts
are folded at their words; a word is broken only where it alone is wider than its column, an id
never.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from msgspec import Struct
from rich.cells import cell_len, chop_cells, set_cell_size
from rich.text import Text

from callpost.model.terminal import escaped

_GAP: Final = 2
# Names and hosts have no spaces; they are folded behind these.
_SEAMS: Final = re.compile(r"(?<=[-._/:@,])")
# In a pipe there is no limit; a number is easier to reckon with than none.
_BOUNDLESS: Final = 1_000_000


class Cell(Struct, frozen=True):
    """A text and how it looks on a terminal, in rich's words."""

    text: str
    style: str = ""


class Column(Struct, frozen=True, kw_only=True):
    """`least` is the width down to which it may be folded, 0: never.

    `unbroken`: it is folded behind a seam and never within a word, for half a name is no name.
    `cut`: it is cut instead, so that a row stays one line, where rows are counted. `rank` says in
    which order columns are dropped where room is short, the highest first, 0: never. `spare`: it
    is left out where no row has a text in it.
    """

    title: str
    right: bool = False
    cut: bool = False
    unbroken: bool = False
    least: int = 0
    rank: int = 0
    spare: bool = False


def table(
    columns: Sequence[Column], rows: Iterable[Sequence[Cell | str]], width: int | None
) -> list[Text]:
    """The lines of a table with headings; without room for its columns, a block for each row."""
    room = _BOUNDLESS if width is None else width
    cells = [[_cell(one) for one in row] for row in rows]
    kept = _kept(columns, cells, room)
    widths = _widths(columns, cells, kept, room)
    if widths is None:
        return list(_blocks(columns, cells, kept, room))
    headings = [Cell(columns[place].title, "bold") for place in kept]
    lines = list(_lines(columns, headings, kept, widths))
    for row in cells:
        lines += _lines(columns, [row[place] for place in kept], kept, widths)
    return lines


def labelled(label: str, text: Cell | str, width: int | None, *, indent: int = 14) -> list[Text]:
    """A label, and the text folded beside it; below it where there is no room beside."""
    room = _BOUNDLESS if width is None else width
    cell = _cell(text)
    beside = room - indent
    if beside < indent or cell_len(label) >= indent:
        return [
            *(Text(part, "bold") for part in folded(label, room) if label),
            *(Text(part, cell.style) for part in folded(cell.text, room)),
        ]
    lines = []
    for part in folded(cell.text, beside):
        # A style of the line's own would be the text's as well.
        line = Text().append(label + " " * (indent - cell_len(label)), "bold" if label else "")
        line.append(part, cell.style)
        line.rstrip()
        lines.append(line)
        label = ""
    return lines


def sentence(text: Cell | str, width: int | None) -> list[Text]:
    """A text on lines of its own."""
    cell = _cell(text)
    return [Text(part, cell.style) for part in folded(cell.text, width or _BOUNDLESS)]


def folded(text: str, width: int) -> list[str]:
    """The lines of a text, each at most `width` cells: at spaces, else at seams, else anywhere."""
    lines = [""]
    for word in text.split(" "):
        joined = f"{lines[-1]} {word}" if lines[-1] else word
        if cell_len(joined) <= width:
            lines[-1] = joined
            continue
        if lines[-1]:
            lines.append("")
        if cell_len(word) <= width:
            lines[-1] = word
        else:
            lines[-1:] = _torn(word, width)
    return lines


def _cut(text: str, width: int) -> str:
    """The text, or as much of it as there is room for beside an ellipsis."""
    if cell_len(text) <= width:
        return text
    return set_cell_size(text, width - 1).rstrip() + "…" if width > 1 else "…"[:width]


def _torn(word: str, width: int) -> list[str]:
    lines = [""]
    for piece in _SEAMS.split(word):
        if cell_len(lines[-1] + piece) <= width:
            lines[-1] += piece
        else:
            lines += chop_cells(piece, width) if cell_len(piece) > width else [piece]
    return [line for line in lines if line] or [""]


def _cell(one: Cell | str) -> Cell:
    return Cell(escaped(one.text), one.style) if isinstance(one, Cell) else Cell(escaped(one))


def _natural(columns: Sequence[Column], cells: Sequence[Sequence[Cell]], place: int) -> int:
    return max(cell_len(columns[place].title), *(cell_len(row[place].text) for row in cells), 0)


def _least(columns: Sequence[Column], cells: Sequence[Sequence[Cell]], place: int) -> int:
    natural, column = _natural(columns, cells, place), columns[place]
    if not column.least:
        return natural
    texts = [row[place].text for row in cells] if column.unbroken else ()
    pieces = (piece for text in texts for word in text.split(" ") for piece in _SEAMS.split(word))
    longest = max(map(cell_len, pieces), default=0)
    return min(natural, max(column.least, cell_len(column.title), longest))


def _kept(columns: Sequence[Column], cells: Sequence[Sequence[Cell]], room: int) -> list[int]:
    """The places of the columns that are wanted, and have room at least when folded."""
    kept = [
        place
        for place, column in enumerate(columns)
        if not column.spare or any(row[place].text for row in cells)
    ]
    while sum(_least(columns, cells, place) + _GAP for place in kept) - _GAP > room:
        droppable = [place for place in kept if columns[place].rank]
        if not droppable:
            break
        kept.remove(max(droppable, key=lambda place: columns[place].rank))
    return kept


def _widths(
    columns: Sequence[Column], cells: Sequence[Sequence[Cell]], kept: Sequence[int], room: int
) -> list[int] | None:
    """How wide each column is, the first that may fold taking what is free; None: too little."""
    widths = [_least(columns, cells, place) for place in kept]
    free = room - sum(widths) - _GAP * (len(kept) - 1)
    if free < 0:
        return None
    for index, place in enumerate(kept):
        more = min(free, _natural(columns, cells, place) - widths[index])
        widths[index] += more
        free -= more
    return widths


def _lines(
    columns: Sequence[Column], row: Sequence[Cell], kept: Sequence[int], widths: Sequence[int]
) -> Iterator[Text]:
    """One row, as many lines high as its highest cell."""
    parts = [
        [_cut(cell.text, width)] if columns[place].cut else folded(cell.text, width)
        for place, cell, width in zip(kept, row, widths, strict=True)
    ]
    for number in range(max(map(len, parts))):
        line = Text()
        for place, part, cell, width in zip(kept, parts, row, widths, strict=True):
            text = part[number] if number < len(part) else ""
            blank = " " * (width - cell_len(text))
            line.append(blank if columns[place].right else "")
            line.append(text, cell.style)
            line.append(("" if columns[place].right else blank) + " " * _GAP)
        line.rstrip()
        yield line


def _blocks(
    columns: Sequence[Column], cells: Sequence[Sequence[Cell]], kept: Sequence[int], room: int
) -> Iterator[Text]:
    """Each row as a few lines of its own."""
    for row in cells:
        for place in kept:
            words = f"{columns[place].title} {row[place].text}".rstrip()
            yield from (Text(part, row[place].style) for part in folded(words, room))
        yield Text("")
