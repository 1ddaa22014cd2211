"""VoipNow's call events: the parameters of its Developer Guide, "Call Events", and Telphin's.

A call is seen from the subscribed extension: what that one makes is OUT, what it receives is IN.
"""

from typing import Final

from callpost.model.event import CallEvent
from callpost.model.flow import Seen
from callpost.model.instant import microseconds
from callpost.model.vocabulary import Cause, Flow, Kind, Level

_Parameters = list[tuple[str, str | int | None]]

# How the compatible Telphin names the end of a call; of the causes that are not here only
# whether the call was answered is told.
_STATUS_OF_CAUSE: Final[dict[Cause, str]] = {
    "normalClearing": "ANSWER",
    "busy": "BUSY",
    "cancel": "CANCEL",
    "noAnswer": "NOANSWER",
    "congestion": "CONGESTION",
    "notFound": "CHANUNAVAIL",
}
_EVENT_TYPE: Final[dict[tuple[Kind, Flow], int]] = {
    ("newCall", "in"): 0,
    ("newCall", "out"): 1,
    ("hangup", "in"): 2,
    ("hangup", "out"): 2,
    ("answer", "in"): 3,
    ("answer", "out"): 4,
}


def voipnow(event: CallEvent, level: Level, seen: Seen) -> list[tuple[str, str | int]]:
    """The parameters that are present, in VoipNow's order; times and durations in microseconds.

    Level 2 adds what Telphin adds, the finer CallStatus of a hangup included. Where no extension
    that is looked from takes part, the event's own is told.
    """
    parameters = _basic(event, level, seen.flow, seen.own or event.extension)
    if level == 2:
        parameters += _additional(event, seen.flow)
    return [(name, value) for name, value in parameters if value is not None]


def _basic(event: CallEvent, level: Level, flow: Flow, own: str | None) -> _Parameters:
    inside = event.direction == "internal"
    if flow == "out":
        did = event.did
        called = event.to if inside else None
        caller = own or event.from_
    else:
        called = own or (event.to if inside else None)
        # Without a DID of its own an event from outside has the dialled number in `to`.
        dialled = event.to if event.direction == "in" and event.to != called else None
        did = event.did or dialled
        caller = event.from_ if inside else None
    return [
        ("CallID", event.call_id),
        ("CallerIDNum", event.from_),
        ("CallerIDName", event.from_name),
        ("CalledDID", did),
        ("CalledExtension", called),
        ("CallStatus", _status(event, level)),
        ("CallFlow", flow.upper()),
        ("CallerExtension", caller),
        ("CalledNumber", event.to),
    ]


def _status(event: CallEvent, level: Level) -> str | None:
    match event.event:
        case "newCall":
            return "CALLING"
        case "answer":
            return "ANSWER"
        case "hangup":
            return _end_status(event, level)
        case _:
            return None


def _end_status(event: CallEvent, level: Level) -> str:
    if level == 2 and event.cause in _STATUS_OF_CAUSE:
        return _STATUS_OF_CAUSE[event.cause]
    answered = event.cause == "normalClearing" if event.answered is None else event.answered
    return "ANSWER" if answered else "UNKNOWN"


def _additional(event: CallEvent, flow: Flow) -> _Parameters:
    return [
        ("EventID", event.id),
        ("EventType", _EVENT_TYPE.get((event.event, flow))),
        ("EventTime", None if event.time is None else microseconds(event.time)),
        ("Duration", None if event.duration is None else round(event.duration * 1_000_000)),
        ("Diversion", event.diversion),
        ("SubCallID", event.leg_id),
    ]
