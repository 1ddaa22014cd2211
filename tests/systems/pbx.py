"""The calls that a telephone system produces, as the lines that it writes to the socket.

Every call has its beginning and its end; what stands between them is what people do.
"""

import json
from typing import Final

from household import an_event

CALLER: Final = "+4526110203"
OURS: Final = "+4570305050"
EXTENSION: Final = "0003*210"
COLLEAGUE: Final = "0003*211"
_IN: Final = {"from": CALLER, "to": OURS, "direction": "in", "user": ["Alice", "Bob"]}
_OUT: Final = {"from": EXTENSION, "to": CALLER, "direction": "out", "user": ["Alice"]}
_INSIDE: Final = {"from": EXTENSION, "to": COLLEAGUE, "direction": "internal"}
_ANSWERED: Final = {"answeringNumber": "+4570305051", "user": ["Alice"]}

Call = list[bytes]


def answered(call: str = "answered") -> Call:
    """Someone calls in, waits, is answered, is held, and hangs up."""
    return [
        an_event(call, "newCall", **_IN, fromName="Jensen & Søn"),
        an_event(call, "ringing", **_IN),
        an_event(call, "answer", **(_IN | _ANSWERED)),
        an_event(call, "hold", **_IN),
        an_event(call, "resume", **_IN),
        an_event(call, "hangup", **_IN, cause="normalClearing"),
        an_event(call, "cdr", **_IN, cause="normalClearing", duration=63.5),
    ]


def missed(call: str = "missed", cause: str = "cancel") -> Call:
    """Nobody answers."""
    return [an_event(call, "newCall", **_IN), an_event(call, "hangup", **_IN, cause=cause)]


def called(call: str = "called") -> Call:
    """One of ours calls out and is answered."""
    return [
        an_event(call, "newCall", **_OUT),
        an_event(call, "answer", **_OUT, answeringNumber=CALLER),
        an_event(call, "hangup", **_OUT, cause="normalClearing"),
    ]


def transferred() -> Call:
    """The one who answered passes the caller on: a second call with its origin."""
    second = _IN | {"user": ["Carol"], "diversion": OURS, "parentCallId": "first"}
    return [
        an_event("first", "newCall", **_IN),
        an_event("first", "answer", **(_IN | _ANSWERED)),
        an_event("first", "transfer", **_IN),
        an_event("second", "newCall", **second),
        an_event("second", "answer", **second),
        an_event("first", "hangup", **_IN, cause="forwarded"),
        an_event("second", "hangup", **second, cause="normalClearing"),
    ]


def internal(call: str = "internal") -> Call:
    """Two of ours talk to each other."""
    return [
        an_event(call, "newCall", **_INSIDE),
        an_event(call, "answer", **_INSIDE, answeringNumber=COLLEAGUE),
        an_event(call, "hangup", **_INSIDE, cause="normalClearing"),
    ]


def queued(call: str = "queued") -> Call:
    """A queue rings many, and the events name it."""
    queue = _IN | {"queue": "sales", "extension": "0003*800", "extensionType": "queue"}
    many = queue | {"user": [f"Agent {number} of Sales" for number in range(40)]}
    return [
        an_event(call, "newCall", **many),
        an_event(call, "answer", **(queue | _ANSWERED)),
        an_event(call, "hangup", **queue, cause="normalClearing"),
    ]


def with_digits(call: str = "digits") -> Call:
    """A menu asks, and gets an answer and none; digits are told without a direction."""
    return [
        an_event(call, "newCall", **_IN),
        an_event(call, "dtmf", dtmf="12#", extension="0003*900", extensionType="ivr"),
        an_event(call, "dtmf", dtmf=""),
        an_event(call, "answer", **(_IN | _ANSWERED)),
        an_event(call, "hangup", **_IN, cause="normalClearing"),
    ]


def without_direction(call: str = "aimless") -> Call:
    """A switch that does not know in which direction it works."""
    ends = {"from": CALLER, "to": OURS}
    return [
        an_event(call, "newCall", **ends),
        an_event(call, "answer", **ends),
        an_event(call, "hangup", **ends, cause="normalClearing"),
    ]


def anonymous(call: str = "anonymous") -> Call:
    """A caller who hides, and a switch that leaves out what it does not know."""
    return [
        an_event(call, "newCall", **(_IN | {"from": "<Withheld>", "user": []})),
        an_event(call, "hangup", direction="in", cause="unknown"),
    ]


def ended_somehow(call: str = "somehow") -> Call:
    """Answered, and no word on why it ended."""
    return [
        an_event(call, "newCall", **_IN),
        an_event(call, "answer", **(_IN | _ANSWERED)),
        an_event(call, "hangup", **_IN),
    ]


def a_day() -> Call:
    """All of them, one after the other."""
    busy = missed("busy", "busy")
    unreached = missed("unreached", "congestion") + missed("wrong", "notFound")
    known = answered() + missed() + busy + unreached + called() + transferred()
    odd = internal() + queued() + with_digits() + without_direction() + anonymous()
    return known + odd + ended_somehow()


def said_once(lines: Call) -> Call:
    """The same from a switch that tells the direction at the beginning of a call only."""
    events = [json.loads(line) for line in lines]
    for event in events:
        if event["event"] != "newCall":
            event.pop("direction", None)
    return [json.dumps(event).encode() + b"\n" for event in events]
