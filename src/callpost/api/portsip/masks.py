"""PortSIP's masks: several in one text, and ranges of digits as patterns.

From the PortSIP PBX REST API 22.0, "createActionUrl": a `dtmf_mask` has DTMF numbers and ranges
of them with semicolons between, `1000;2000;3000-4000`. That a comma separates as well, and that
a pattern or a mask of callpost's may stand there, is callpost's own reading.
"""

import re
from collections.abc import Iterator
from typing import Final

from callpost.model.mask import dtmf_pattern_fault, number_mask_fault
from callpost.model.unseen import unseen

_SEPARATOR: Final = re.compile("[;,]")
# What a mask cannot hold, as it would be read as two.
SEPARATORS: Final = frozenset(";,")
_RANGE: Final = re.compile(r"([0-9]{1,32})\s*-\s*([0-9]{1,32})")
# As a configuration has them. A range may become dozens of patterns, and a text may have a
# thousand ranges, so it is not read further than that.
_MASK_MAX_CHARS: Final = 255
_PATTERNS_MAX: Final = 1_000
_CLASSES: Final = {("0", "9"): "X", ("1", "9"): "Z", ("2", "9"): "N"}


def written_masks(masks: tuple[str, ...]) -> str:
    """The text that these masks are."""
    return ";".join(masks)


def caller_masks(text: str) -> tuple[list[str], list[str]]:
    """The masks on the caller's number in a text, and what is wrong with them."""
    masks = list(_several(text))
    return masks, [*filter(None, map(number_mask_fault, masks)), *_too_long(masks)]


def dtmf_masks(text: str) -> tuple[list[str], list[str]]:
    """The patterns on digits that a text stands for, and what is wrong with it."""
    patterns: list[str] = []
    faults: list[str] = []
    for mask in _several(text):
        span = _RANGE.fullmatch(mask)
        if span is None:
            patterns.append(mask)
        elif fault := _range_fault(span[1], span[2]):
            faults.append(fault)
        else:
            patterns += _patterns(span[1], span[2])
        if len(patterns) > _PATTERNS_MAX:
            return [], [f"stands for more than {_PATTERNS_MAX:,} patterns"]
    return patterns, [
        *faults,
        *filter(None, map(dtmf_pattern_fault, patterns)),
        *_too_long(patterns),
    ]


def _several(text: str) -> Iterator[str]:
    yield from filter(None, (mask.strip() for mask in _SEPARATOR.split(text)))


def _too_long(masks: list[str]) -> list[str]:
    if all(len(mask) <= _MASK_MAX_CHARS and not unseen(mask) for mask in masks):
        return []
    return [f"a mask has at most {_MASK_MAX_CHARS} characters, all of which can be seen"]


def _range_fault(low: str, high: str) -> str:
    if int(low) > int(high) or len(low) > len(high):
        return "a range runs backwards"
    if len(low) != len(high) and low.startswith("0") and low != "0":
        return "a range from a number with a leading 0 ends with one of the same length"
    return ""


def _patterns(low: str, high: str) -> Iterator[str]:
    """The patterns that match each number from `low` to `high`, as long as it is written."""
    for width in range(len(low), len(high) + 1):
        first = low if width == len(low) else "1" + "0" * (width - 1)
        last = high if width == len(high) else "9" * width
        yield from _of_one_width("", first, last)


def _of_one_width(prefix: str, low: str, high: str) -> Iterator[str]:
    """What is full of tens is one pattern; what is not is split after its first digit."""
    if not low:
        yield prefix
        return
    first, last, rest = low[0], high[0], len(low) - 1
    if first == last:
        yield from _of_one_width(prefix + first, low[1:], high[1:])
        return
    if low[1:].strip("0"):
        yield from _of_one_width(prefix + first, low[1:], "9" * rest)
        first = str(int(first) + 1)
    ends_early = bool(high[1:].strip("9"))
    before = str(int(last) - 1) if ends_early else last
    if first <= before:
        yield f"{prefix}{_digits(first, before)}{'X' * rest}"
    if ends_early:
        yield from _of_one_width(prefix + last, "0" * rest, high[1:])


def _digits(first: str, last: str) -> str:
    if first == last:
        return first
    return _CLASSES.get((first, last), f"[{first}-{last}]")
