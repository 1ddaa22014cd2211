"""An event as names and values in the words of a vocabulary, at a level, in the order of sending.

Formats differ in how they write names and values, never in which ones there are.
"""

from typing import Final, assert_never

from msgspec.structs import astuple

from callpost.model.event import FIELDS, CallEvent
from callpost.model.flow import Seen, seen_from
from callpost.model.swml import swml_parameters
from callpost.model.vocabulary import Level, Vocabulary
from callpost.model.voipnow import voipnow

Value = str | bool | int | float | tuple[str, ...] | dict[str, str]
Pairs = list[tuple[str, Value]]

_NAMES: Final = tuple(each.name for each in FIELDS)
_BASIC_NAMES: Final = tuple(each.name for each in FIELDS if each.level == 1)


def spoken(
    event: CallEvent,
    *,
    vocabulary: Vocabulary,
    level: Level,
    seq: int,
    previous_id: str,
    seen: Seen | None = None,
) -> Pairs:
    """What a subscriber hears of the event; absent fields are left out."""
    match vocabulary:
        case "callpost":
            return _callpost(event, level, seq, previous_id)
        case "sipgate":
            return _sipgate(event)
        case "zammad":
            return _zammad(event)
        case "voipnow":
            return [*voipnow(event, level, seen or seen_from(event, ()))]
        case "swml":
            return [*swml_parameters(event)]
        case _:
            assert_never(vocabulary)


def _callpost(event: CallEvent, level: Level, seq: int, previous_id: str) -> Pairs:
    names = _NAMES if level == 2 else _BASIC_NAMES
    # A shorter tuple of names ends the walk early: level 1 comes first in the Struct.
    values = zip(names, astuple(event), strict=False)
    pairs: Pairs = [(name, value) for name, value in values if value is not None]
    if level == 2:
        pairs.append(("seq", seq))
        if previous_id:
            pairs.append(("previousId", previous_id))
    return pairs


def _sipgate(event: CallEvent) -> Pairs:
    """sipgate.io's push: level 1, numbers without `+`, and a transferred call by its origin.

    What stands on which event is its documentation's: digits come with nothing but their call,
    and all else names both ends, a direction, and at the hangup one of seven causes.
    """
    if event.event == "dtmf":
        return _present(
            ("event", event.event),
            ("callId", event.call_id),
            ("dtmf", event.dtmf),
            ("origCallId", event.parent_call_id),
        )
    is_new = event.event == "newCall"
    return _present(
        ("event", event.event),
        ("callId", event.call_id),
        ("from", _caller(event)),
        ("to", _called(event)),
        ("direction", event.direction),
        ("user", _sipgate_user(event)),
        ("answeringNumber", None if is_new else _without_plus(event.answering_number)),
        ("diversion", _without_plus(event.diversion)),
        ("cause", _sipgate_cause(event)),
        ("origCallId", event.parent_call_id),
    )


def _zammad(event: CallEvent) -> Pairs:
    """Zammad's generic CTI: sipgate's without digits, and with the queue before `origCallId`."""
    pairs = [pair for pair in _sipgate(event) if pair[0] != "dtmf"]
    if event.queue is not None:
        place = len(pairs) - (event.parent_call_id is not None)
        pairs.insert(place, ("queue", event.queue))
    return pairs


def _caller(event: CallEvent) -> str:
    """Both ends are always named; the only word there is for who is not known is `anonymous`."""
    own = event.extension if event.direction == "out" else None
    return _without_plus(event.from_ or own) or "anonymous"


def _called(event: CallEvent) -> str:
    own = event.extension if event.direction == "in" else None
    return _without_plus(event.to or event.did or own) or "anonymous"


def _sipgate_user(event: CallEvent) -> Value | None:
    """All whose phones ring, then who answered; of a call that goes out nobody of ours answers."""
    if not event.user:
        return None
    match event.event, event.direction:
        case "newCall", _:
            return event.user
        case "answer", "in":
            return event.user[0]
        case _:
            return None


def _sipgate_cause(event: CallEvent) -> str | None:
    """A hangup always has a cause there, and `unknown` is none of its words."""
    if event.event != "hangup":
        return None
    if event.cause is None or event.cause == "unknown":
        return "normalClearing" if event.answered else "noAnswer"
    return event.cause


def _without_plus(number: str | None) -> str | None:
    return None if number is None else number.removeprefix("+")


def _present(*pairs: tuple[str, Value | None]) -> Pairs:
    return [(name, value) for name, value in pairs if value is not None]
