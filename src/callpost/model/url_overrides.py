"""The connection overrides in a URL's fragment: `#ct=2000&rt=5000&tt=8000&rc=2&rp=ct,5xx`.

They are taken off and obeyed, never sent. Twilio's form ("connection overrides"); the ranges are
our contract's, times in milliseconds.
"""

from collections.abc import Container, Mapping
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
    """What the fragment asks for, or all that is wrong with it: each key named with its range."""
    numbers: dict[str, int] = {}
    retried: frozenset[RetriedWord] | None = None
    seen: set[str] = set()
    faults: list[str] = []
    for part in fragment.split("&") if fragment else ():
        key, _, text = part.partition("=")
        if (fault := _fault(key, text, seen)) is not None:
            faults.append(fault)
        elif key == "rp":
            retried = _retried(text)
        else:
            numbers[key] = int(text)
        seen.add(key)
    if faults:
        return "; ".join(dict.fromkeys(faults))
    return Overrides(
        connect_s=_seconds(numbers.get("ct")),
        first_byte_s=_seconds(numbers.get("rt")),
        whole_s=_seconds(numbers.get("tt")),
        retries=numbers.get("rc"),
        retried=retried,
    )


def _fault(key: str, text: str, seen: Container[str]) -> str | None:
    """What is wrong with one override; an unknown key is not quoted, it could be a secret's."""
    if key not in _RANGES and key != "rp":
        return "the fragment may hold ct, rt, tt, rc and rp only, as in #ct=2000&rp=ct,rt"
    if key in seen:
        return f"the fragment sets {key} twice"
    if key == "rp":
        sentence = f"rp in the fragment must be a list of {', '.join(_RETRIED)}"
        return sentence if _retried(text) is None else None
    return None if _is_within(text, *_RANGES[key]) else _range_sentence(key)


def _retried(text: str) -> frozenset[RetriedWord] | None:
    words = text.split(",")
    known = frozenset(word for word in _RETRIED if word in words)
    return known if len(known) == len(words) else None


def _is_within(text: str, lowest: int, highest: int) -> bool:
    is_number = text.isascii() and text.isdigit() and len(text) <= 6
    return is_number and lowest <= int(text) <= highest


def _range_sentence(key: str) -> str:
    lowest, highest = _RANGES[key]
    unit = "" if key == "rc" else " milliseconds"
    return f"{key} in the fragment must be a whole number from {lowest} to {highest}{unit}"


def _seconds(milliseconds: int | None) -> float | None:
    return None if milliseconds is None else milliseconds / 1000
