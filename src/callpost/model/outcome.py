"""How an attempt ended: delivered, or not and what that calls for.

Everything the outside world can do is one of these values; nothing of it is an exception.
"""

from collections.abc import Iterable, Mapping
from typing import Final, Literal

from msgspec import Struct

from callpost.model.endpoint import RetriedWord
from callpost.model.subscription import ResponseAction

Phase = Literal["resolve", "connect", "tls", "write", "first-byte", "read"]


class Delivered(Struct, frozen=True, tag="delivered"):
    """The subscriber has it, as far as its transport can tell."""

    reason: str = "delivered"
    http_status: int | None = None


class Retry(Struct, frozen=True, kw_only=True, tag="retry"):
    """Worth another try by the schedule. `retry_after_s` is what the subscriber asked for.

    `phase` says where a failure without an answer happened; None where there was an answer.
    """

    reason: str
    http_status: int | None = None
    phase: Phase | None = None
    timed_out: bool = False
    retry_after_s: float | None = None


class Refused(Struct, frozen=True, tag="refused"):
    """Worth two more tries at the most."""

    reason: str
    http_status: int | None = None


class Rejected(Struct, frozen=True, tag="rejected"):
    """The content is at fault; no further try can help."""

    reason: str
    http_status: int | None = None


class Gone(Struct, frozen=True, tag="gone"):
    """The endpoint says that it is no more."""

    reason: str
    http_status: int | None = None


class LocalFault(Struct, frozen=True, tag="local"):
    """This machine could not try (no descriptors, no route): charged to nobody.

    `of_machine` is False for a bound of ours that concerns this one endpoint only.
    """

    reason: str
    http_status: int | None = None
    of_machine: bool = True


Outcome = Delivered | Retry | Refused | Rejected | Gone | LocalFault

_RETRY_BY_SCHEDULE: Final = frozenset({401, 403, 404, 405, 407, 408, 421, 425, 429})
_REJECTED: Final = frozenset({400, 411, 413, 414, 415, 422, 431})


def of_status(status: int, reason: str, *, retry_after_s: float | None = None) -> Outcome:
    """The table of CONTRACT section 5, before a subscription's `responses` have their say."""
    if 200 <= status <= 299:
        return Delivered(reason, status)
    if status == 410:
        return Gone(reason, status)
    if status in _REJECTED:
        return Rejected(reason, status)
    if 400 <= status <= 499 and status not in _RETRY_BY_SCHEDULE:
        return Refused(reason, status)
    return Retry(reason=reason, http_status=status, retry_after_s=retry_after_s)


def overridden(outcome: Outcome, responses: Mapping[str, ResponseAction]) -> Outcome:
    """`outcome` as the subscription reads it; an exact code beats a class such as "4xx"."""
    status = outcome.http_status
    if status is None or not responses:
        return outcome
    action = responses.get(str(status)) or responses.get(f"{status // 100}xx")
    match action:
        case None:
            return outcome
        case "deliver":
            return Delivered(outcome.reason, status)
        case "retry":
            after_s = outcome.retry_after_s if isinstance(outcome, Retry) else None
            return Retry(reason=outcome.reason, http_status=status, retry_after_s=after_s)
        case "refuse":
            return Refused(outcome.reason, status)
        case "reject":
            return Rejected(outcome.reason, status)
        case "gone":
            return Gone(outcome.reason, status)


def narrowed(outcome: Outcome, retried: frozenset[RetriedWord] | None) -> Outcome:
    """`outcome` under a URL's `rp`: what it does not name is not retried, what it names is."""
    if retried is None or isinstance(outcome, Delivered | LocalFault):
        return outcome
    status = outcome.http_status
    if "all" in retried or (status is not None and f"{status // 100}xx" in retried):
        named = True
    elif isinstance(outcome, Retry) and status is None:
        # "ct" is any failure to get a connection, "rt" any failure after that: Twilio's reading.
        before_answer = outcome.phase in {"resolve", "connect", "tls"}
        named = ("ct" if before_answer else "rt") in retried
    else:
        named = False
    if not named:
        return Rejected(outcome.reason, status)
    if isinstance(outcome, Retry):
        return outcome
    return Retry(reason=outcome.reason, http_status=status)


# A round's verdict is its most hopeful attempt: as long as one endpoint may still take it, it
# is tried again. What this machine could not try says nothing beside an answer.
_HOPE: Final[tuple[type[Outcome], ...]] = (Delivered, Retry, Refused, Rejected, LocalFault, Gone)


def most_hopeful(outcomes: Iterable[Outcome]) -> Outcome:
    """The verdict of a round of at least one attempt.

    Of two retries the one without Retry-After is the more hopeful, because its endpoint may be
    tried by the schedule; of two with Retry-After, the one that asks for less.
    """

    def hope(outcome: Outcome) -> tuple[int, float]:
        wish_s = outcome.retry_after_s if isinstance(outcome, Retry) else None
        return _HOPE.index(type(outcome)), -1.0 if wish_s is None else wish_s

    return min(outcomes, key=hope)
