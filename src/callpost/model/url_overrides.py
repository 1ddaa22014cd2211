"""The connection overrides in a URL's fragment: `#ct=2000&rt=5000&tt=8000&rc=2&rp=ct,5xx`.

They are taken off and obeyed, never sent. Twilio's form ("connection overrides"); the ranges are
our contract's, times in milliseconds.
"""

from collections.abc import Mapping
from typing import Final, get_args

from msgspec import Struct

from callpost.model.endpoint import RetriedWord

# (lowest, highest) of each number. Twilio's own bounds, but for `ct`, which begins at 100.
_RANGES: Final[Mapping[str, tuple[int, int]]] = {
    "ct": (100, 10_000),
    "rt": (100, 15_000),
    "tt": (100, 15_000),
    "rc": (0, 5),
}
_RETRIED: Final[tuple[RetriedWord, ...]] = get_args(RetriedWord)


class Overrides(Struct, frozen=True, kw_only=True):
    """What the fragment says; None where it is silent. `retries` is the schedule's length."""

    connect_s: float | None = None
    first_byte_s: float | None = None
    whole_s: float | None = None
    retries: int | None = None
    retried: frozenset[RetriedWord] | None = None


def parse_overrides(fragment: str) -> Overrides | str:
    """What the fragment asks for, or one sentence that names the key and its range."""
    numbers: dict[str, int] = {}
    retried: frozenset[RetriedWord] | None = None
    seen: set[str] = set()
    for part in fragment.split("&") if fragment else ():
        key, _, text = part.partition("=")
        if key in seen:
            return f"the fragment sets {key} twice"
        if key == "rp":
            retried = _retried(text)
            if retried is None:
                return f"rp in the fragment must be a list of {', '.join(_RETRIED)}"
        elif key in _RANGES:
            number = _number(text, *_RANGES[key])
            if number is None:
                return _range_sentence(key)
            numbers[key] = number
        else:
            return "the fragment may hold ct, rt, tt, rc and rp only, as in #ct=2000&rp=ct,rt"
        seen.add(key)
    return Overrides(
        connect_s=_seconds(numbers.get("ct")),
        first_byte_s=_seconds(numbers.get("rt")),
        whole_s=_seconds(numbers.get("tt")),
        retries=numbers.get("rc"),
        retried=retried,
    )


def _retried(text: str) -> frozenset[RetriedWord] | None:
    words = text.split(",")
    known = frozenset(word for word in _RETRIED if word in words)
    return known if len(known) == len(words) else None


def _number(text: str, lowest: int, highest: int) -> int | None:
    if not (text.isascii() and text.isdigit() and len(text) <= 6):
        return None
    return int(text) if lowest <= int(text) <= highest else None


def _range_sentence(key: str) -> str:
    lowest, highest = _RANGES[key]
    unit = "" if key == "rc" else " milliseconds"
    return f"{key} in the fragment must be a whole number from {lowest} to {highest}{unit}"


def _seconds(milliseconds: int | None) -> float | None:
    return None if milliseconds is None else milliseconds / 1000
