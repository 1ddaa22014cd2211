"""Figures as people read them: counts, spans, sizes, moments, hosts.

Rounded down, with the unit behind; a moment is in the time zone of the `now` that it is told by.
"""

from datetime import datetime
from typing import Final

_SPANS: Final = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))
_SIZES: Final = ("B", "KiB", "MiB", "GiB", "TiB")
_STEP: Final = 1024
# What goes without saying in the name of an endpoint.
_DEFAULT_PORTS: Final = {"http": ":80", "https": ":443"}


def counted(count: int, noun: str) -> str:
    """`1 subscription`, `1,204 subscriptions`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def span(seconds: float) -> str:
    """`0 s`, `45 s`, `12 min`, `5 h 20 min`, `9 d 4 h`: the largest unit and the one below it.

    Below ten minutes seconds are not told beside minutes: nobody acts on them.
    """
    rest = max(0, int(seconds))
    for place, (size, unit) in enumerate(_SPANS):
        if rest >= size:
            whole, rest = divmod(rest, size)
            smaller, name = _SPANS[min(place + 1, len(_SPANS) - 1)]
            part = f" {rest // smaller} {name}" if smaller > 1 and rest >= smaller else ""
            return f"{whole} {unit}{part}"
    return "0 s"


def size(count: int) -> str:
    """`512 B`, `1.2 GiB`."""
    amount, unit = float(max(0, count)), 0
    while amount >= _STEP and unit < len(_SIZES) - 1:
        amount, unit = amount / _STEP, unit + 1
    return f"{amount:.0f} {_SIZES[unit]}" if unit == 0 else f"{amount:.1f} {_SIZES[unit]}"


def moment(text: str | None, now: datetime) -> str:
    """`09:02` today, `2026-11-20 09:02` on another day; "" where there is none."""
    when = _read(text)
    if when is None:
        return text or ""
    local = when.astimezone(now.tzinfo)
    same_day = local.date() == now.date()
    return local.strftime("%H:%M" if same_day else "%Y-%m-%d %H:%M")


def day(text: str, now: datetime) -> str:
    """`2026-11-30, in 9 days`, `2026-11-20, 17 h ago`: a day and how far away it is."""
    when = _read(text)
    if when is None:
        return text
    ahead_s = (when - now).total_seconds()
    distance = f"in {_roughly(ahead_s)}" if ahead_s >= 0 else f"{_roughly(-ahead_s)} ago"
    return f"{when.astimezone(now.tzinfo):%Y-%m-%d}, {distance}"


def seconds_since(text: str | None, now: datetime) -> float:
    """How long ago a moment was; 0.0 where there is none."""
    when = _read(text)
    return 0.0 if when is None else max(0.0, (now - when).total_seconds())


def seconds_until(text: str, now: datetime) -> float:
    """How far ahead a moment is; 0.0 where it has come."""
    when = _read(text)
    return 0.0 if when is None else max(0.0, (when - now).total_seconds())


def host(origin: str) -> str:
    """`crm.example.com` of `https://crm.example.com:443`; a scheme or port that matters stays."""
    scheme, mark, rest = origin.partition("://")
    if not mark:
        return origin
    rest = rest.removesuffix(_DEFAULT_PORTS.get(scheme, "\0"))
    return rest if scheme == "https" else f"{scheme}://{rest}"


def _roughly(seconds: float) -> str:
    days = int(seconds // 86_400)
    return counted(days, "day") if days else span(seconds)


def _read(text: str | None) -> datetime | None:
    """A moment of the daemon's; None also where it is not one."""
    if not text:
        return None
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        return None
    return when if when.tzinfo is not None else None
