"""A program that was written for sipgate.io's push and takes its documentation at its word.

The rules are the tables of sipgate/sipgate.io's README: which parameters an event has, how often,
and with which words. A repeated event is taken again, as any event is.
"""

import re
from collections import Counter
from typing import Final
from urllib.parse import parse_qsl

from http_receivers import Request
from systems.strict import FORM, Answer, StrictReceiver

CAUSES: Final = frozenset(
    {"normalClearing", "busy", "cancel", "noAnswer", "congestion", "notFound", "forwarded"}
)
_ALWAYS: Final = frozenset({"event", "callId"})
_ENDS: Final = _ALWAYS | {"from", "to", "direction"}
# What each event always has, and what it may have.
_HAS: Final = {
    "newCall": _ENDS,
    "answer": _ENDS,
    "hangup": _ENDS | {"cause"},
    "dtmf": _ALWAYS | {"dtmf"},
}
_MAY_HAVE: Final = {
    "newCall": {"user[]", "diversion", "origCallId"},
    "answer": {"user", "answeringNumber", "diversion", "origCallId"},
    "hangup": {"answeringNumber", "diversion", "origCallId"},
    "dtmf": {"origCallId"},
}


class Sipgate(StrictReceiver):
    """What it has been told, by call: the kinds of events in their order, repeats left out."""

    content_type = "application/xml"

    def __init__(self) -> None:
        super().__init__()
        self.calls: dict[str, list[str]] = {}
        self.said: list[dict[str, str]] = []

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}/push"

    def judge(self, request: Request) -> Answer:
        """The tables."""
        if request.method != "POST" or request.header("content-type") != FORM:
            return Answer(400, "a POST with a form was expected")
        pairs = parse_qsl(request.body.decode(), keep_blank_values=True, strict_parsing=True)
        if (fault := _fault(pairs)) is not None:
            return Answer(400, fault)
        said = dict(pairs)
        self.said.append(said)
        told = self.calls.setdefault(said["callId"], [])
        if said["event"] not in told:
            told.append(said["event"])
        # It would like to control the call; nobody listens.
        return Answer(200, "<Response><Reject/></Response>")


def _fault(pairs: list[tuple[str, str]]) -> str | None:
    said = dict(pairs)
    event = said.get("event", "")
    if event not in _HAS:
        return f"there is no event {event!r}"
    if missing := _HAS[event] - said.keys():
        return f"{event} lacks {sorted(missing)}"
    if strange := said.keys() - _HAS[event] - _MAY_HAVE[event]:
        return f"{event} has no {sorted(strange)}"
    often = [name for name, count in Counter(name for name, _ in pairs).items() if count > 1]
    if often not in ([], ["user[]"]):
        return f"{often} stand more than once"
    return _fault_of_values(said)


def _fault_of_values(said: dict[str, str]) -> str | None:
    if said.get("direction", "in") not in {"in", "out"}:
        return "direction is in or out"
    if said.get("cause", "busy") not in CAUSES:
        return "there is no such cause"
    if "user" in said and said["direction"] != "in":
        return "only incoming calls have a user who answers"
    if not re.fullmatch("[0-9*#A-D]*", said.get("dtmf", "")):
        return "dtmf has digits"
    for name in ("from", "to", "answeringNumber", "diversion"):
        if said.get(name, "0").startswith("+") or not said.get(name, "0"):
            return f"{name} is no number without +"
    return None
