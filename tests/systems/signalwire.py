"""A web service that was written as an external SWML handler, with its status callback.

The rules are SignalWire's: the fields of the fetch and of the call's state with their types, each
state once and in its order. It answers a fetch with a document, which nobody carries out.
"""

import json
from typing import Final
from urllib.parse import parse_qsl

from http_receivers import Request
from systems.strict import JSON, Answer, StrictReceiver

DOCUMENT: Final = '{"version":"1.0.0","sections":{"main":[{"transfer":"https://evil.example/"}]}}'
STATES: Final = ("created", "ringing", "answered", "ended")
REASONS: Final = {"hangup", "cancel", "busy", "noAnswer", "decline", "error"}
_TEXTS: Final = ("call_id", "node_id", "from", "to", "project_id", "space_id")
_CALL: Final = {*_TEXTS, "call_state", "direction", "type", "headers"}
_STATE: Final = {"event_type", "event_channel", "timestamp", "project_id", "space_id", "params"}
_NEEDED: Final = {"call_id", "node_id", "call_state", "direction", "device"}
_TIMES: Final = {"start_time", "answer_time", "end_time"}
_OPTIONAL: Final = _TIMES | {"parent", "end_reason"}
_ENDS: Final = {"phone": {"from_number", "to_number"}, "sip": {"from", "to"}}

Said = dict[str, object]


class SignalWire(StrictReceiver):
    """`/fetch` takes new calls alone, `/state` what comes later, `/any` both.

    `calls` has the states of each call in their order, repeats left out.
    """

    def __init__(self) -> None:
        super().__init__()
        self.calls: dict[str, list[str]] = {}

    @property
    def origin(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def judge(self, request: Request) -> Answer:
        """The rules."""
        path, _, query = request.target.partition("?")
        if request.header("content-type") != JSON:
            # A GET of these tests has no type, and a query instead of a body.
            return self._judge_query(query or request.body.decode())
        said: Said = json.loads(request.body)
        is_fetch = "call" in said
        if (path == "/fetch") != is_fetch and path != "/any":
            return Answer(400, "this belongs to the other URL")
        fault = _fault_of_fetch(said) if is_fetch else _fault_of_state(said)
        call = said["call"] if is_fetch else said["params"]
        assert isinstance(call, dict)
        return Answer(400, fault) if fault else self._take(call, is_fetch=is_fetch)

    def _judge_query(self, query: str) -> Answer:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=True)
        said = dict(pairs)
        if len(said) < len(pairs) or "" in said.values():
            return Answer(400, "a parameter is empty or stands twice")
        parameters = {"event_type", "timestamp", "call_id", "node_id", "call_state", "direction"}
        parameters |= {"type", "from", "to", "project_id", "end_reason", *_TIMES}
        if strange := said.keys() - parameters - {"parent[node_id]", "parent[call_id]"}:
            return Answer(400, f"there is no {sorted(strange)}")
        is_fetch = "event_type" not in said
        if is_fetch != (said["call_state"] == "created"):
            return Answer(400, "a state is no fetch")
        return self._take(said, is_fetch=is_fetch)

    def _take(self, call: Said | dict[str, str], *, is_fetch: bool) -> Answer:
        state = str(call["call_state"])
        if state not in STATES or call["direction"] not in {"inbound", "outbound"}:
            return Answer(400, "there is no such word")
        told = self.calls.setdefault(str(call["call_id"]), [])
        if state not in told:
            told.append(state)
        return Answer(200, DOCUMENT if is_fetch else "")


def _fault_of_fetch(said: Said) -> str:
    call = said["call"]
    if set(said) != {"call", "vars", "envs", "params"} or not isinstance(call, dict):
        return "a fetch has four members"
    if call.keys() != _CALL or not all(isinstance(call[name], str) for name in _TEXTS):
        return "a call has its ten fields"
    if [said["vars"], said["envs"], said["params"], call["headers"]] != [{}, {}, {}, []]:
        return "at the first fetch there are no variables"
    if call["type"] not in _ENDS or call["call_state"] != "created":
        return "a call that is fetched has just been created"
    return "" if call["call_id"] and call["from"] and call["to"] else "both ends have a name"


def _fault_of_state(said: Said) -> str:
    told, channel = said.get("params"), said.get("event_channel")
    if said.keys() != _STATE or said["event_type"] != "calling.call.state" or channel != "":
        return "a state has six members"
    if not isinstance(told, dict) or not isinstance(said["timestamp"], float):
        return "a state has parameters and a time"
    if told.keys() - _OPTIONAL != _NEEDED or told["call_state"] == "created":
        return "these are not the parameters of a later state"
    if any(not isinstance(told.get(name, 0), int) for name in _TIMES):
        return "times are whole milliseconds"
    device = told["device"]
    if not isinstance(device, dict) or device["params"].keys() - {"from_name"} != _ENDS.get(
        device["type"]
    ):
        return "a device has its own names for both ends"
    has_reason = "end_reason" in told
    if has_reason and (told["call_state"] != "ended" or told["end_reason"] not in REASONS):
        return "only an end has a reason"
    return "" if told.get("parent", {"call_id": 1}).keys() & {"call_id"} else "a parent is a call"
