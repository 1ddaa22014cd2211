"""Zammad's generic CTI interface, as its controller and its caller log behave.

The rules are those of zammad/zammad, `app/controllers/integration/cti_controller.rb` and
`app/models/cti/`, and of its documentation, "Generic CTI".
"""

import json
from typing import Final
from urllib.parse import parse_qsl

from http_receivers import Request
from systems.strict import Answer, StrictReceiver

TOKEN: Final = "Mz9Qx"
# Who is told of calls to which number, as an administrator writes it there: without `+`.
NOTIFIED: Final = "4570305050"


class Entry:
    """A line of the caller log."""

    def __init__(self, parameters: dict[str, object]) -> None:
        self.state = "newCall"
        self.comment: object = parameters.get("cause")
        self.user = _joined(parameters.get("user")) or parameters.get("queue")
        self.queue = parameters.get("queue") or parameters.get("to")
        self.notified = parameters.get("to") == NOTIFIED


class Zammad(StrictReceiver):
    """The caller log, by call id."""

    def __init__(self) -> None:
        super().__init__()
        self.log: dict[str, Entry] = {}

    @property
    def url(self) -> str:
        """Its endpoint with the token."""
        return f"http://127.0.0.1:{self.port}/api/v1/cti/{TOKEN}"

    def states(self) -> dict[str, str]:
        """How each call stands."""
        return {call: entry.state for call, entry in self.log.items()}

    def judge(self, request: Request) -> Answer:
        """The controller."""
        if request.method != "POST" or not request.target.startswith("/api/v1/cti/"):
            return Answer(404, "No route matches")
        if request.target != f"/api/v1/cti/{TOKEN}":
            return Answer(401, "Invalid token, please contact your admin!")
        parameters = parameters_of(request)
        if parameters is None:
            return Answer(400, "Error occurred while parsing request parameters")
        if parameters.get("direction") not in {"in", "out"}:
            return Answer(422, "Invalid direction!")
        return self._logged(parameters)

    def _logged(self, parameters: dict[str, object]) -> Answer:
        call_id = str(parameters.get("callId", ""))
        entry = self.log.get(call_id)
        match parameters.get("event"):
            case "newCall":
                return self._begun(call_id, entry, parameters)
            case "answer":
                return self._answered(call_id, entry, parameters)
            case "hangup":
                if entry is None:
                    return Answer(500, f"No such call_id {call_id}")
                entry.state, entry.comment = "hangup", parameters.get("cause")
                return Answer(200, "{}")
            case event:
                return Answer(422, f"Unknown event {event!r}")

    def _begun(self, call_id: str, entry: Entry | None, parameters: dict[str, object]) -> Answer:
        if entry is not None:
            return Answer(500, f"call_id {call_id} already exists!")
        if not all(parameters.get(name) for name in ("callId", "from", "to")):
            return Answer(500, "PG::NotNullViolation")
        self.log[call_id] = Entry(parameters)
        # Some administrators block callers; what a switch makes of it is the switch's matter.
        return Answer(200, '{"action":"reject","reason":"busy"}')

    def _answered(self, call_id: str, entry: Entry | None, parameters: dict[str, object]) -> Answer:
        if entry is None:
            return Answer(500, f"No such call_id {call_id}")
        if entry.state == "hangup":
            return Answer(500, "undefined method `destroyed?' for nil")
        user = parameters.get("user")
        if isinstance(user, list):
            return Answer(500, "undefined method `downcase' for an instance of Array")
        entry.state, entry.user = "answer", user or entry.user
        return Answer(200, "{}")


def parameters_of(request: Request) -> dict[str, object] | None:
    """What the request says, as Rails reads it: `name[]` is a list."""
    match (request.header("content-type") or "").partition(";")[0]:
        case "application/json":
            found = json.loads(request.body)
            return found if isinstance(found, dict) else None
        case "application/x-www-form-urlencoded":
            parameters: dict[str, object] = {}
            for name, value in parse_qsl(request.body.decode(), keep_blank_values=True):
                if name.endswith("[]"):
                    several = parameters.setdefault(name[:-2], [])
                    assert isinstance(several, list)
                    several.append(value)
                else:
                    parameters[name] = value
            return parameters
        case _:
            return None


def _joined(user: object) -> str:
    return ", ".join(map(str, user)) if isinstance(user, list) else str(user or "")
