"""Durations ("24h"), sizes ("8GiB") and file modes ("0660"), as people write them.

The unit is part of the text; a bare number has no meaning but for bytes.
"""

import re
from typing import Final

from callpost.config.faults import Spot
from callpost.config.rules import Rule, wrong_type

_DURATION: Final = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)(ms|s|m|h|d)", re.ASCII)
_SECONDS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0}
_SIZE: Final = re.compile(r"(\d{1,18})(KiB|MiB|GiB|TiB)", re.ASCII)
_BYTES: Final = {"KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}
_MODE: Final = re.compile(r"0?[0-7]{3}", re.ASCII)


def duration(least: str, most: str) -> Rule:
    """A duration with its unit, in seconds."""
    shortest, longest = seconds(least), seconds(most)

    def rule(value: object, spot: Spot) -> object:
        expected = 'a duration such as "500ms", "10s", "30m", "24h" or "14d"'
        if not isinstance(value, str):
            return wrong_type(expected, value, spot)
        read = seconds(value)
        if read is None or shortest is None or longest is None:
            return spot.report("duration", f"expected {expected}")
        if not shortest <= read <= longest:
            return spot.report("range", f"expected a duration from {least} to {most}")
        return read

    return rule


def seconds(text: str) -> float | None:
    """The duration in seconds; None where it is none. Nothing has no unit."""
    if text == "0":
        return 0.0
    match = _DURATION.fullmatch(text)
    return float(match[1]) * _SECONDS[match[2]] if match else None


def size(least: int, most: int, *, bounds: str) -> Rule:
    """A number of bytes, whole or with a unit; `bounds` says the range for people."""

    def rule(value: object, spot: Spot) -> object:
        expected = 'a size such as "8GiB" (KiB, MiB, GiB, TiB) or a whole number of bytes'
        if isinstance(value, str):
            match = _SIZE.fullmatch(value)
            if match is None:
                return spot.report("size", f"expected {expected}")
            read = int(match[1]) * _BYTES[match[2]]
        elif isinstance(value, int) and not isinstance(value, bool):
            read = value
        else:
            return wrong_type(expected, value, spot)
        return read if least <= read <= most else spot.report("range", f"expected {bounds}")

    return rule


def file_mode(value: object, spot: Spot) -> object:
    """The permission bits of a file in octal."""
    expected = 'an octal file mode as a text, such as "0660"'
    if not isinstance(value, str):
        return wrong_type(expected, value, spot)
    return int(value, 8) if _MODE.fullmatch(value) else spot.report("mode", f"expected {expected}")
