"""Moments as text: RFC 3339 in UTC with exactly milliseconds and `Z`.

A moment is never moved forward: what is finer than a millisecond is cut off, not rounded.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

# RFC 3339, section 5.6 (date-time); "T" and "Z" may be lower case, a fraction may be of any length.
_RFC_3339: Final = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt]((?:[01][0-9]|2[0-3]):[0-9]{2}):([0-9]{2})(?:\.([0-9]+))?"
    r"(?:[Zz]|([+-])([01][0-9]|2[0-3]):([0-5][0-9]))"
)
# What most producers send, and what this file writes: nothing to change if such a day exists.
_CANONICAL: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2}\.[0-9]{3}Z"
)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
# The last second of 9999, the last year that a date of RFC 3339 can have.
_LAST_S: Final = 253_402_300_799.0


def utc_text(wall_s: float) -> str:
    """The text of a moment given in seconds since 1970, e.g. `2026-11-21T16:40:00.123Z`."""
    return _text(datetime.fromtimestamp(wall_s, UTC).replace(tzinfo=None))


def utc_text_within(wall_s: float) -> str:
    """As `utc_text`; what lies beyond the years 1970 to 9999 is told as their first or last."""
    return utc_text(min(max(wall_s, 0.0), _LAST_S))


def in_utc(text: str) -> str | None:
    """The same moment in UTC, or None where `text` is no RFC 3339 time with an offset.

    None also where the shift to UTC leaves the years 0001 to 9999.
    """
    if _CANONICAL.fullmatch(text) is not None and _exists(text):
        return text
    parts = _RFC_3339.fullmatch(text)
    if parts is None:
        return None
    date, minute, second, fraction, sign, hours, minutes = parts.groups()
    milliseconds = (fraction or "")[:3].ljust(3, "0")
    leap = second == "60"
    if sign is None and not leap:
        # In UTC already, so that only the spelling changes: 0.9 us instead of 2 with arithmetic.
        canonical = f"{date}T{minute}:{second}.{milliseconds}Z"
        return canonical if _exists(canonical) else None
    try:
        moment = datetime.fromisoformat(f"{date}T{minute}:{'59' if leap else second}")
        if sign is not None:
            shift = timedelta(hours=int(hours), minutes=int(minutes))
            moment = moment - shift if sign == "+" else moment + shift
        if leap:
            moment = _after_leap_second(moment)
    except (ValueError, OverflowError):
        return None
    return _text(moment + timedelta(milliseconds=int(milliseconds)))


def microseconds(text: str) -> int:
    """Microseconds since 1970 of a moment that `utc_text` or `in_utc` wrote."""
    return (datetime.fromisoformat(text) - _EPOCH) // timedelta(microseconds=1)


def _exists(canonical: str) -> bool:
    """Whether there is such a day and time; a leap second is none here."""
    try:
        datetime.fromisoformat(canonical)
    except ValueError:
        return False
    return True


def _after_leap_second(moment: datetime) -> datetime:
    """The first second of the next minute, as clocks show it that know no leap seconds."""
    if (moment.hour, moment.minute) != (23, 59):
        raise ValueError("a leap second ends a day in UTC")
    return moment + timedelta(seconds=1)


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds") + "Z"
