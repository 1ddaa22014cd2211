"""When a delivery goes: `retry`, `max_age_s`, `responses` and `rate_per_s` of a subscription."""

import re
from collections.abc import Mapping
from typing import Final, Literal, get_args

from msgspec import UNSET, Struct, convert

from callpost.config.faults import Spot
from callpost.config.rules import (
    Rules,
    choice,
    list_of,
    number,
    read_table,
    whole,
    wrong_type,
)
from callpost.model.schedule import CDR, LIVE, Schedule, own_schedule, with_ages
from callpost.model.subscription import ResponseAction
from callpost.model.vocabulary import KINDS, Kind

# Two days: the longest wait that anyone calls a retry.
_PAUSE_MAX_S: Final = 2 * 86_400.0
# Thirty days: longer than anything is kept.
_AGE_MAX_S: Final = 30 * 86_400.0
# The last pause repeats until the end that is set; less would be an attack on the receiver.
_REPEATED_PAUSE_MIN_S: Final = 0.5
_CODE_OR_CLASS: Final = re.compile(r"[1-5](?:[0-9]{2}|xx)")
_AGE: Final = number(1, _AGE_MAX_S)
# One in 100 s is a trickle; beyond it every live event would be given up before its turn.
_RATE_MIN_PER_S: Final = 0.01
# More than one process can send.
_RATE_MAX_PER_S: Final = 100_000

_OWN: Final[Rules] = {
    "pauses_s": list_of(number(0, _PAUSE_MAX_S), least=1, most=100),
    "max_age_s": _AGE,
    "max_attempts": whole(1, 1_000),
}


class OwnPauses(Struct, frozen=True, kw_only=True):
    """An operator's own schedule, as written."""

    pauses_s: tuple[float, ...]
    max_age_s: float | None = None
    max_attempts: int | None = None

    @property
    def repeats(self) -> bool:
        """Whether an end is set that lies beyond the last pause, so that this one repeats."""
        if self.max_attempts is None:
            return self.max_age_s is not None
        return self.max_attempts > len(self.pauses_s) + 1


Retry = Literal["live", "cdr"] | OwnPauses


def retry(value: object, spot: Spot) -> object:
    """One of the two schedules that are built in, or a table of one's own."""
    if isinstance(value, str):
        return choice(("live", "cdr"))(value, spot)
    if not isinstance(value, dict):
        return wrong_type("live, cdr or a table with pauses_s", value, spot)
    values = read_table(value, _OWN, spot)
    if "pauses_s" not in value:
        return spot.key("pauses_s").report("missing", "is required")
    if len(values) < len(value):
        return UNSET
    own = convert(values, OwnPauses)
    if own.repeats and own.pauses_s[-1] < _REPEATED_PAUSE_MIN_S:
        sentence = f"the last pause repeats, so it must be at least {_REPEATED_PAUSE_MIN_S}"
        return spot.key("pauses_s").report("range", sentence)
    return own


def ages(value: object, spot: Spot) -> object:
    """The ages of single kinds of events, in seconds."""
    if not isinstance(value, dict):
        return wrong_type("a table such as { newCall = 60 }", value, spot)
    return read_table(value, dict.fromkeys(KINDS, _AGE), spot)


def responses(value: object, spot: Spot) -> object:
    """What single status codes ("409") or classes ("4xx") are taken for."""
    if not isinstance(value, dict):
        return wrong_type('a table such as { "409" = "deliver" }', value, spot)
    action = choice(get_args(ResponseAction))
    read: dict[str, object] = {}
    for key, word in value.items():
        at = spot.key(key)
        if not _CODE_OR_CLASS.fullmatch(key):
            at.report("responses", "expected a code from 100 to 599 or a class from 1xx to 5xx")
        elif (taken := action(word, at)) is not UNSET:
            read[key] = taken
    return read


def rate(value: object, spot: Spot) -> object:
    """How many deliveries may begin in a second; 0 is no limit."""
    read = number(0, _RATE_MAX_PER_S)(value, spot)
    if isinstance(read, float) and 0 < read < _RATE_MIN_PER_S:
        sentence = f"expected 0 (no limit) or a number from {_RATE_MIN_PER_S} to {_RATE_MAX_PER_S}"
        return spot.report("range", sentence)
    return read


def schedules(retry: Retry, ages_s: Mapping[Kind, float]) -> tuple[Schedule, Schedule]:
    """The schedule of live events and that of call detail records."""
    match retry:
        case "live":
            both = (LIVE, CDR)
        case "cdr":
            both = (CDR, CDR)
        case OwnPauses(max_age_s=max_age_s, max_attempts=max_attempts):
            pauses_s = _pauses_s(retry)
            own = own_schedule(pauses_s, max_age_s=max_age_s, max_rounds=max_attempts)
            both = (own, own)
    return with_ages(both[0], ages_s), with_ages(both[1], ages_s)


def _pauses_s(own: OwnPauses) -> tuple[float, ...]:
    """The pauses up to the last attempt, where their number is known."""
    missing = (own.max_attempts or 0) - 1 - len(own.pauses_s)
    return own.pauses_s + own.pauses_s[-1:] * missing
