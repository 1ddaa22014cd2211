"""When a delivery is tried again and when it is given up.

Pauses are drawn from U(d/2, d), so that receivers which come back are not met by everyone at
once; the dice are an argument. Ages count from acceptance, in seconds.
"""

from collections.abc import Mapping
from typing import Final, Literal

from msgspec import Struct
from msgspec.structs import replace

from callpost.model.vocabulary import KINDS, Kind

_MINUTE: Final = 60.0
_HOUR: Final = 3600.0

# A refused delivery (402, 406, 409 and other 4xx) gets two more rounds, then it is dead.
REFUSED_PAUSES_S: Final = (5.0, 60.0)

# "Retry-After: 0" must not turn one delivery into a storm.
RETRY_AFTER_MIN_S: Final = 1.0


class Schedule(Struct, frozen=True, kw_only=True):
    """`pauses_s[n]` follows round n + 1; past the end the last repeats, or the schedule is over.

    `max_age_s` has one age for every kind. `late_pauses_s`, where given, are the pauses of what
    is older than `late_after_s` (a hangup, by the built-in ages): a receiver that is down for
    an hour is not met every five minutes.
    """

    pauses_s: tuple[float, ...]
    repeats: bool
    max_age_s: dict[Kind, float]
    max_rounds: int | None = None
    retry_after_max_s: float = 15 * _MINUTE
    late_after_s: float = 0.0
    late_pauses_s: tuple[float, ...] = ()


class TryAgain(Struct, frozen=True, tag="again"):
    """Another round after a pause."""

    pause_s: float


class GiveUp(Struct, frozen=True, tag="give-up"):
    """No further round; the reason goes onto the dead letter."""

    reason: Literal["expired", "exhausted", "refused"]


_CDR_PAUSES_S: Final = (
    5.0,
    5 * _MINUTE,
    30 * _MINUTE,
    2 * _HOUR,
    5 * _HOUR,
    10 * _HOUR,
    14 * _HOUR,
    20 * _HOUR,
    24 * _HOUR,
)
_LIVE_AGES_S: Final[dict[Kind, float]] = {
    "ringing": 60.0,
    "hold": 60.0,
    "resume": 60.0,
    "dtmf": 60.0,
    "newCall": 15 * _MINUTE,
    "answer": 15 * _MINUTE,
    "transfer": 15 * _MINUTE,
    "hangup": 24 * _HOUR,
    "cdr": 24 * _HOUR,
}
# The cdr schedule ends by its own length; the age only guards against a clock gone wild. It is
# twice the sum of the pauses (75 h 35 min 5 s).
_CDR_AGE_S: Final = 2 * sum(_CDR_PAUSES_S)

LIVE: Final = Schedule(
    pauses_s=(0.5, 1, 2, 5, 10, 30, 60, 120, 300),
    repeats=True,
    max_age_s=_LIVE_AGES_S,
    late_after_s=15 * _MINUTE,
    late_pauses_s=_CDR_PAUSES_S,
)
CDR: Final = Schedule(
    pauses_s=_CDR_PAUSES_S,
    repeats=False,
    max_age_s=dict.fromkeys(KINDS, _CDR_AGE_S),
    retry_after_max_s=10 * _HOUR,
)


def own_schedule(
    pauses_s: tuple[float, ...], *, max_age_s: float | None, max_rounds: int | None
) -> Schedule:
    """An operator's own table: it ends after its last pause, unless an age bounds it instead.

    With `max_age_s` alone the last pause repeats until the age is reached.
    """
    age_s = max_age_s if max_age_s is not None else _CDR_AGE_S
    return Schedule(
        pauses_s=pauses_s,
        repeats=max_age_s is not None and max_rounds is None,
        max_age_s=dict.fromkeys(KINDS, age_s),
        max_rounds=max_rounds,
    )


def with_ages(schedule: Schedule, ages_s: Mapping[Kind, float]) -> Schedule:
    """The same schedule with the ages of single kinds replaced (`max_age_s` of a subscription)."""
    return replace(schedule, max_age_s={**schedule.max_age_s, **ages_s}) if ages_s else schedule


def shortened(schedule: Schedule, retries: int) -> Schedule:
    """The same schedule with at most `retries` rounds after the first (`rc` of a URL)."""
    return replace(schedule, max_rounds=retries + 1)


def after_retry(
    schedule: Schedule, *, rounds: int, age_s: float, expires_in_s: float, dice: float
) -> TryAgain | GiveUp:
    """What follows a round that ended in `retry`; `rounds` counts it, `dice` is from [0, 1)."""
    if schedule.max_rounds is not None and rounds >= schedule.max_rounds:
        return GiveUp("exhausted")
    pause_s = _pause_s(schedule, rounds, age_s)
    if pause_s is None:
        return GiveUp("exhausted")
    return _bounded(pause_s, expires_in_s, dice)


def after_refused(*, rounds: int, expires_in_s: float, dice: float) -> TryAgain | GiveUp:
    """What follows a round that ended in `refused`: three rounds in all, whatever the schedule."""
    if rounds > len(REFUSED_PAUSES_S):
        return GiveUp("refused")
    return _bounded(REFUSED_PAUSES_S[rounds - 1], expires_in_s, dice)


def held_s(schedule: Schedule, retry_after_s: float) -> float:
    """How long a subscriber that says Retry-After is left alone: its wish, within bounds."""
    return min(max(retry_after_s, RETRY_AFTER_MIN_S), schedule.retry_after_max_s)


def after_wish(
    schedule: Schedule, *, retry_after_s: float, expires_in_s: float
) -> TryAgain | GiveUp:
    """What follows a round in which every endpoint asked to be left alone."""
    pause_s = held_s(schedule, retry_after_s)
    return TryAgain(pause_s) if pause_s < expires_in_s else GiveUp("expired")


def _pause_s(schedule: Schedule, rounds: int, age_s: float) -> float | None:
    if schedule.late_pauses_s and age_s >= schedule.late_after_s:
        # The first late pause is the one that matches the age, so that a hangup of sixteen
        # minutes does not begin again with five seconds.
        longer = [p for p in schedule.late_pauses_s if p >= schedule.pauses_s[-1]]
        elapsed_s = schedule.late_after_s
        for pause_s in longer:
            elapsed_s += pause_s
            if age_s < elapsed_s:
                return pause_s
        return longer[-1]
    if rounds <= len(schedule.pauses_s):
        return schedule.pauses_s[rounds - 1]
    return schedule.pauses_s[-1] if schedule.repeats and schedule.pauses_s else None


def _bounded(pause_s: float, expires_in_s: float, dice: float) -> TryAgain | GiveUp:
    """A pause that would end after the delivery's age is no pause: it is given up now."""
    drawn_s = pause_s / 2 + dice * pause_s / 2
    return TryAgain(drawn_s) if drawn_s < expires_in_s else GiveUp("expired")
