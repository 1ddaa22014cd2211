"""How long a subscriber asks us to stay away: `Retry-After` of RFC 9110, section 10.2.3.

Receivers write strange things there; every text gives a sane number of seconds or None.
"""

import re
from datetime import UTC, datetime
from typing import Final

# Nobody means more; it keeps the arithmetic of callers finite. They clamp far below it.
MAX_S: Final = 10 * 365 * 86_400.0

_SECONDS: Final = re.compile(r"(-?)([0-9]{1,400}(?:\.[0-9]{0,400})?)")
_MONTHS: Final = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"),
        start=1,
    )
}
_CLOCK: Final = r"(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2}):(?P<second>[0-9]{2})"
# The three formats of RFC 9110, section 5.6.7, in its order: IMF-fixdate, RFC 850, asctime.
# The name of the day says nothing that the date does not, so it is not checked.
_DATES: Final = (
    re.compile(
        rf"[a-z]{{3}}, (?P<day>[0-9]{{2}}) (?P<month>[a-z]{{3}}) (?P<year>[0-9]{{4}}) {_CLOCK} gmt"
    ),
    re.compile(
        rf"[a-z]{{6,9}}, (?P<day>[0-9]{{2}})-(?P<month>[a-z]{{3}})-(?P<year>[0-9]{{2}})"
        rf" {_CLOCK} gmt"
    ),
    re.compile(
        rf"[a-z]{{3}} (?P<month>[a-z]{{3}}) (?P<day>[0-9 ][0-9]) {_CLOCK} (?P<year>[0-9]{{4}})"
    ),
)


def retry_after_s(value: str, *, now: float) -> float | None:
    """The seconds from `now` (since 1970) until `value` allows another try, at least 0.

    None where it is neither a number of seconds nor a date; a moment that has passed is 0.
    """
    text = value.strip().lower()
    number = _SECONDS.fullmatch(text)
    if number is not None:
        sign, seconds = number.groups()
        return 0.0 if sign else min(float(seconds), MAX_S)
    moment = _moment(text, now)
    return None if moment is None else min(max(moment - now, 0.0), MAX_S)


def _moment(text: str, now: float) -> float | None:
    for pattern in _DATES:
        parts = pattern.fullmatch(text)
        if parts is None:
            continue
        year = parts["year"]
        try:
            return datetime(
                int(year) if len(year) == 4 else _whole_year(int(year), now),
                _MONTHS[parts["month"]],
                int(parts["day"]),
                int(parts["hour"]),
                int(parts["minute"]),
                min(int(parts["second"]), 59),  # a leap second is the second before it
                tzinfo=UTC,
            ).timestamp()
        except (ValueError, KeyError):
            return None
    return None


def _whole_year(two_digits: int, now: float) -> int:
    """RFC 9110: a two-digit year that seems over 50 years in the future lies in the past."""
    latest = datetime.fromtimestamp(now, UTC).year + 50
    return latest - (latest - two_digits) % 100
