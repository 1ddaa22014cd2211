"""What becomes of a delivery after a round: finished, dead, or postponed.

Only here do outcome, schedule and age meet; `now` and the dice are arguments.
"""

from typing import Final, assert_never

from msgspec import Struct

from callpost.model.delivery import DeadReason, Delivery
from callpost.model.health import LOCAL_FAULT_PAUSE_S
from callpost.model.outcome import (
    Delivered,
    Gone,
    LocalFault,
    Outcome,
    Refused,
    Rejected,
    Retry,
)
from callpost.model.schedule import (
    GiveUp,
    Schedule,
    TryAgain,
    after_refused,
    after_retry,
    after_wish,
)

# An endpoint that is gone comes back by an operator's word or another configuration only.
GONE_PAUSE_S: Final = 60.0


class Finish(Struct, frozen=True, tag="finish"):
    """The subscriber has it."""


class Die(Struct, frozen=True, tag="die"):
    """It becomes a dead letter; `last` is the last outcome's reason."""

    reason: DeadReason
    last: str


class Postpone(Struct, frozen=True, tag="postpone"):
    """It waits until `due_at`; `rounds` are those that count so far."""

    due_at: float
    rounds: int


Verdict = Finish | Die | Postpone


def verdict_of(
    outcome: Outcome, *, delivery: Delivery, schedule: Schedule, now: float, dice: float
) -> Verdict:
    """The fate of `delivery` after a whole round whose most hopeful attempt was `outcome`."""
    rounds = delivery.rounds + 1
    expires_in_s = delivery.expires_at - now
    match outcome:
        case Delivered():
            return Finish()
        case LocalFault():
            return Postpone(now + LOCAL_FAULT_PAUSE_S, delivery.rounds)
        case Retry(retry_after_s=float(wish_s)):
            rounds = delivery.rounds
            step = after_wish(schedule, retry_after_s=wish_s, expires_in_s=expires_in_s)
        case Retry():
            step = after_retry(
                schedule,
                rounds=rounds,
                age_s=now - delivery.accepted_at,
                expires_in_s=expires_in_s,
                dice=dice,
            )
        case Refused():
            step = after_refused(rounds=rounds, expires_in_s=expires_in_s, dice=dice)
        case Rejected():
            too_large = outcome.reason == "too_large"
            return Die("too_large" if too_large else "rejected", outcome.reason)
        case Gone():
            # Whoever is left, or resumes the subscription, finds it at the head of its call.
            return Postpone(now + GONE_PAUSE_S, delivery.rounds)
        case _ as unreachable:
            assert_never(unreachable)
    match step:
        case TryAgain():
            return Postpone(now + step.pause_s, rounds)
        case GiveUp():
            return Die(step.reason, outcome.reason)
