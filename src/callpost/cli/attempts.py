"""One attempt as one aligned line, for those who watch them go by.

What does not fit goes by rank; a name that is longer than its column pushes, and is never cut.
"""

from datetime import datetime
from typing import Final

from msgspec import Struct
from rich.cells import cell_len
from rich.text import Text

from callpost.cli.figures import host
from callpost.cli.tables import folded
from callpost.model.delivery import Attempted
from callpost.model.terminal import escaped

STYLES: Final = {
    "delivered": "green",
    "retry": "yellow",
    "refused": "magenta",
    "rejected": "red",
    "gone": "red",
    "localfault": "cyan",
}
_GAP: Final = "  "
_HANGING: Final = "    "


class _Field(Struct, frozen=True):
    """`rank` as in a table: the highest goes first where room is short, 0 never."""

    text: str
    width: int
    rank: int = 0
    right: bool = False


def lines_of(attempt: Attempted, at: datetime, width: int | None) -> list[Text]:
    """The attempt's line, and below it, indented, what is too long for it."""
    fields = _fitting(_fields(attempt, at), width)
    words = _GAP.join(_padded(field) for field in fields)
    # Of a delivery there is nothing more to say than that.
    reason = "" if attempt.outcome == "delivered" else escaped(attempt.reason)
    line = f"{words}{_GAP}{reason}".rstrip()
    style = STYLES.get(attempt.outcome, "")
    if width is None or cell_len(line) <= width:
        return [_coloured(line, attempt.outcome, style)]
    beneath = width - len(_HANGING)
    words = words.rstrip()
    above = [words] if cell_len(words) <= width else _hung(words, beneath)
    first, *rest = above + _hung(reason, beneath)
    return [_coloured(first, attempt.outcome, style), *(Text(_HANGING + one) for one in rest)]


def _fields(attempt: Attempted, at: datetime) -> list[_Field]:
    status = "" if attempt.http_status is None else str(attempt.http_status)
    return [
        _Field(f"{at:%H:%M:%S}", 8, rank=2),
        _Field(attempt.outcome, 10),
        _Field(escaped(attempt.subscription), 14),
        _Field(escaped(attempt.kind), 8, rank=3),
        _Field(escaped(attempt.call_id), 16, rank=6),
        _Field(f"#{attempt.attempt}", 3, rank=7),
        _Field(status, 3),
        _Field(f"{attempt.total_ms:,.1f} ms", 11, rank=4, right=True),
        _Field(host(escaped(attempt.endpoint)), 24, rank=5),
    ]


def _fitting(fields: list[_Field], width: int | None) -> list[_Field]:
    kept = list(fields)
    while width is not None and sum(one.width + len(_GAP) for one in kept) > width + len(_GAP):
        droppable = [one for one in kept if one.rank]
        if not droppable:
            break
        kept.remove(max(droppable, key=lambda one: one.rank))
    return kept


def _padded(field: _Field) -> str:
    blank = " " * (field.width - cell_len(field.text))
    return blank + field.text if field.right else field.text + blank


def _hung(text: str, width: int) -> list[str]:
    return [line for line in folded(text, max(2, width)) if line]


def _coloured(line: str, word: str, style: str) -> Text:
    text = Text(line)
    start = line.find(word)
    if start >= 0:
        text.stylize(style, start, start + len(word))
    return text
