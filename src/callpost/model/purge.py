"""Personal data that is to be removed: which, and how much of it there was.

Criteria hold together: what meets all of them goes. A number means whole calls, for the events
of a call that do not bear it are about the same person.
"""

import re
from typing import Final, Literal

from msgspec import Struct

from callpost.model.unseen import unseen

# As long as a number, a SIP URI or a customer may be in an event, and an id of a call.
_LONGEST: Final = 255

# Digits and what people write between them.
_DIGITS: Final = re.compile(r"\s*\+?[(0-9][0-9().\-/\s]*")
_DIGIT: Final = re.compile("[0-9]")
_URI: Final = re.compile("@|^[<\\s]*sips?:", re.IGNORECASE)
# Below this it is an extension or a service number, which has but one spelling.
_FEWEST_DIGITS: Final = 7

Field = Literal["number", "callId", "customer", "before"]


class Criteria(Struct, frozen=True, kw_only=True):
    """Empty ones do not restrict; `before` is the time of acceptance in seconds since 1970."""

    number: str = ""
    call_id: str = ""
    customer: str = ""
    before: float | None = None

    @property
    def names(self) -> tuple[Field, ...]:
        """Which are set: what may be told of a purge, for the values are what is to vanish."""
        given: dict[Field, bool] = {
            "number": bool(self.number),
            "callId": bool(self.call_id),
            "customer": bool(self.customer),
            "before": self.before is not None,
        }
        return tuple(name for name, is_given in given.items() if is_given)


class Purged(Struct, frozen=True, kw_only=True, rename="camel"):
    """How much went, or would go; `reports` are delivery reports, `calls` have nothing left.

    `files` are copies of damaged spools, which are removed whole; `remains` says in a sentence
    each what personal data is still there, and why. `note` is a sentence on how the criteria were
    understood, "" where that goes without saying.
    """

    events: int = 0
    reports: int = 0
    calls: int = 0
    pending: int = 0
    dead: int = 0
    attempts: int = 0
    files: tuple[str, ...] = ()
    remains: tuple[str, ...] = ()
    note: str = ""


def note_on(criteria: Criteria, *, country: str, has_found: bool) -> str:
    """What whoever names a number must know: no country's own are read, or it is no number."""
    number = criteria.number
    if number and not has_found and not (_DIGIT.search(number) or _URI.search(number)):
        return (
            "The number has no digit, and is no SIP URI such as sip:alice@example.com: nothing was"
            " found of it."
        )
    is_number = _DIGITS.fullmatch(number) and len(_DIGIT.findall(number)) >= _FEWEST_DIGITS
    if country or not is_number or (has_found and number.lstrip().startswith("+")):
        return ""
    return (
        "[numbers] country is not set: numbers are compared with their country code or as they"
        " are written, so that a national number is not found in another spelling."
    )


def fault_of(criteria: Criteria) -> tuple[Field | None, str] | None:
    """What is wrong with them, and with which; None where nothing is. No value is quoted."""
    if not criteria.names:
        return None, "at least one of number, callId, customer and before must be given"
    texts: tuple[tuple[Field, str], ...] = (
        ("number", criteria.number),
        ("callId", criteria.call_id),
        ("customer", criteria.customer),
    )
    for name, text in texts:
        if len(text) > _LONGEST:
            return name, f"must have at most {_LONGEST} characters"
    # Such as a mark that a web page has put before it. A filler is let through: events may have
    # it, and it is somebody's data.
    if unseen(criteria.number) and not criteria.number.isprintable():
        return "number", "must not have characters that cannot be seen"
    if criteria.number.strip("<> ").lower() == "anonymous":
        return "number", "anonymous callers are nobody in particular"
    return None
