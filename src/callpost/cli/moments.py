"""Moments as an operator types them: `10m`, `2h`, `2026-11-21`, `2026-11-21T10:00`, RFC 3339.

A span is counted back from now; what names no offset is in the operator's time zone.
"""

import re
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

import asyncclick as click

from callpost.model.instant import in_utc
from callpost.model.terminal import escaped

_SPAN: Final = re.compile(r"([0-9]{1,9})\s?(s|m|min|h|d|w)")
_SECONDS: Final = {"s": 1, "m": 60, "min": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_LOCAL: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?)?"
)
_WORDS: Final = frozenset({"now", "today", "yesterday"})


class NotAMoment(ValueError):
    """The text names no moment; the message is one sentence for people."""


def moment(text: str, *, now: datetime, zone: tzinfo | None = None) -> datetime:
    """The moment in UTC that `text` names; `zone` None is the machine's own."""
    asked = text.strip()
    try:
        if asked in _WORDS:
            return _of_word(asked, now, zone)
        if (span := _SPAN.fullmatch(asked)) is not None:
            return now.astimezone(UTC) - timedelta(seconds=int(span[1]) * _SECONDS[span[2]])
        if _LOCAL.fullmatch(asked) is not None:
            return _here(datetime.fromisoformat(asked), zone)
        if (canonical := in_utc(asked.replace(" ", "T", 1))) is not None:
            return datetime.fromisoformat(canonical)
    except (ValueError, OverflowError):
        pass
    raise NotAMoment(
        f"{escaped(text)!r} is no moment: say 10m, 2h, 3d, 2026-11-21, 2026-11-21T10:00 or"
        " 2026-11-21T10:00:00Z."
    )


def _of_word(word: str, now: datetime, zone: tzinfo | None) -> datetime:
    if word == "now":
        return now.astimezone(UTC)
    day = now.astimezone(zone).date() - timedelta(days=word == "yesterday")
    return _here(datetime(day.year, day.month, day.day), zone)  # noqa: DTZ001 - `_here` adds it


def _here(naive: datetime, zone: tzinfo | None) -> datetime:
    """A time of day as the operator's clocks show it, by the rules of that day."""
    return (naive.astimezone() if zone is None else naive.replace(tzinfo=zone)).astimezone(UTC)


class _MomentType(click.ParamType[float]):
    """A moment on the command line, as seconds since 1970."""

    name = "moment"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Read it, or tell in one sentence why not."""
        if isinstance(value, float):
            return value
        try:
            return moment(str(value), now=datetime.now(UTC)).timestamp()
        except NotAMoment as fault:
            self.fail(str(fault), param, ctx)


MOMENT: Final = _MomentType()
