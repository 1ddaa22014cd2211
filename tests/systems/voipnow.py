"""A script that was written for VoipNow's call events of one extension.

The rules are those of VoipNow's Developer Guide, "Call Events": nine parameters, each at most
once, a status for each event, and the flow as the extension sees it. Each event has a URL of its
own there; `/events` takes all of them with `EventType`, as Telphin sends it.
"""

from collections import Counter
from typing import Final
from urllib.parse import parse_qsl

from http_receivers import Request
from systems.strict import FORM, Answer, StrictReceiver

PARAMETERS: Final = frozenset(
    {"CallID", "CallerIDNum", "CallerIDName", "CalledDID", "CalledExtension", "CallStatus"}
    | {"CallFlow", "CallerExtension", "CalledNumber"}
)
ADDITIONAL: Final = frozenset(
    {"EventID", "EventType", "EventTime", "Duration", "Diversion", "SubCallID"}
)
_STATUSES: Final = {
    "/dial": {"CALLING"},
    "/answer": {"ANSWER"},
    "/hangup": {"ANSWER", "UNKNOWN"},
}
_ENDS: Final = {"ANSWER", "UNKNOWN", "BUSY", "NOANSWER", "CANCEL", "CONGESTION", "CHANUNAVAIL"}
# By EventType: the flow and the statuses.
_TYPES: Final = {
    "0": ("IN", {"CALLING"}),
    "1": ("OUT", {"CALLING"}),
    "2": ("", _ENDS),
    "3": ("IN", {"ANSWER"}),
    "4": ("OUT", {"ANSWER"}),
}


class VoipNow(StrictReceiver):
    """The script of one extension; `said` is what it was told, in order."""

    content_type = "text/plain"

    def __init__(self, extension: str) -> None:
        super().__init__()
        self.extension = extension
        self.said: list[dict[str, str]] = []

    @property
    def origin(self) -> str:
        """Where its scripts lie."""
        return f"http://127.0.0.1:{self.port}"

    def judge(self, request: Request) -> Answer:
        """The guide."""
        path, _, query = request.target.partition("?")
        content = query
        if request.method == "POST":
            content = request.body.decode()
            if request.header("content-type") != FORM:
                return Answer(400, "a form was expected")
        pairs = parse_qsl(content, keep_blank_values=True, strict_parsing=True)
        said = dict(pairs)
        if max(Counter(name for name, _ in pairs).values()) > 1:
            return Answer(400, "a parameter stands more than once")
        fault = self._fault(path, said)
        if fault is None:
            self.said.append(said)
        return Answer(200) if fault is None else Answer(400, fault)

    def _fault(self, path: str, said: dict[str, str]) -> str | None:
        known = PARAMETERS if path in _STATUSES else PARAMETERS | ADDITIONAL
        if strange := said.keys() - known:
            return f"there is no {sorted(strange)}"
        if not said.get("CallID"):
            return "there is no CallID"
        flow = said.get("CallFlow")
        if path in _STATUSES:
            expected, statuses = "", _STATUSES[path]
        else:
            expected, statuses = _TYPES.get(said.get("EventType", ""), ("?", set[str]()))
        if said.get("CallStatus") not in statuses or expected not in {"", flow}:
            return f"{said} does not fit its event"
        ours = {"IN": "CalledExtension", "OUT": "CallerExtension"}.get(flow or "")
        if ours is None or said.get(ours) != self.extension:
            return f"{said} is not as {self.extension} sees it"
        return None
