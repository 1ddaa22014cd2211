"""What is wrong with an event: the field's path, and one sentence that says what it must be.

No sentence quotes the bad value, which may hold a number, digits or a secret.
"""

from typing import Final, get_args

from callpost.model.vocabulary import Cause, Direction, ExtensionType, Kind, Network

# Enough of a name to recognise it by; the rest of a name as long as a line is of no use.
_NAME_SHOWN_CHARACTERS: Final = 64


class MalformedEvent(ValueError):
    """The line is no event; `path` is the bad field's, `$` for the whole."""

    def __init__(self, message: str, path: str) -> None:
        super().__init__(message)
        self.message = message
        self.path = path


def shown(name: str) -> str:
    """A field's name as a message may hold it: at most 64 characters, none of them invisible."""
    visible = "".join(
        letter if letter.isprintable() else "\ufffd" for letter in name[:_NAME_SHOWN_CHARACTERS]
    )
    return visible + "…" if len(name) > _NAME_SHOWN_CHARACTERS else visible


def _one_of(words: object) -> str:
    return f"must be one of {', '.join(get_args(words))}"


_TIME: Final = "must be an RFC 3339 time with an offset, such as 2026-11-21T16:40:00.123Z"
_SECONDS: Final = "must be a number of seconds from 0 to 1000000000"
_TEXT: Final = "must be a string"
_PARTY: Final = "must be a string of at most 255 characters"

# What each field must be, by its name on the wire.
RULES: Final[dict[str, str]] = {
    "event": _one_of(Kind),
    "callId": "must be a string of 1 to 250 characters",
    "from": _PARTY,
    "to": _PARTY,
    "direction": _one_of(Direction),
    "user": "must be a list of strings",
    "answeringNumber": _TEXT,
    "diversion": _TEXT,
    "cause": _one_of(Cause),
    "dtmf": "must be a string of the digits 0-9, *, # and A-D",
    "id": "must be a string of 1 to 128 printable ASCII characters without space and full stop",
    "time": _TIME,
    "network": _one_of(Network),
    "fromName": _TEXT,
    "toName": _TEXT,
    "did": _TEXT,
    "extension": _TEXT,
    "extensionType": _one_of(ExtensionType),
    "queue": _TEXT,
    "customer": _TEXT,
    "source": _TEXT,
    "legId": _TEXT,
    "parentCallId": _TEXT,
    "startTime": _TIME,
    "ringTime": _TIME,
    "answerTime": _TIME,
    "endTime": _TIME,
    "duration": _SECONDS,
    "ringDuration": _SECONDS,
    "answered": "must be true or false",
    "q850": "must be a whole number from 1 to 127",
    "sipCode": "must be a whole number from 100 to 699",
    "linkId": "must be a whole number between -2^53 and 2^53",
    "data": "must be an object whose values are strings",
}
