"""SignalWire's two bodies about a call: the fetch of its SWML document, and the state it is in.

The fetch is that of "SWML inbound call webhook", the state that of "CallState" in SignalWire's
documentation. What has no place there is not said, and what they need and we lack is "".
"""

from typing import Final, Literal

from msgspec import UNSET, Struct, UnsetType

from callpost.model.event import CallEvent
from callpost.model.instant import microseconds
from callpost.model.vocabulary import Cause, Kind

State = Literal["created", "ringing", "answered", "ending", "ended"]
EndReason = Literal["hangup", "cancel", "busy", "noAnswer", "decline", "error"]
_Direction = Literal["inbound", "outbound"]
_Device = Literal["phone", "sip"]
Parameters = list[tuple[str, str | int | float | dict[str, str]]]

# The state that a call is in after an event. Of those that have no word of their own (they can
# only have matched under other settings) none leaves the call elsewhere than it was.
_STATES: Final[dict[Kind, State]] = {
    "newCall": "created",
    "ringing": "ringing",
    "answer": "answered",
    "hold": "answered",
    "resume": "answered",
    "transfer": "answered",
    "dtmf": "answered",
    "hangup": "ended",
    "cdr": "ended",
}
# `DisconnectReason` of SignalWire's SDKs; a call that was passed on ended well for this end.
_REASONS: Final[dict[Cause, EndReason]] = {
    "normalClearing": "hangup",
    "forwarded": "hangup",
    "busy": "busy",
    "cancel": "cancel",
    "noAnswer": "noAnswer",
    "congestion": "error",
    "notFound": "error",
}


class FetchedCall(Struct, frozen=True, kw_only=True, rename={"from_": "from"}):
    """The call for which a document is fetched."""

    call_id: str
    node_id: str
    call_state: State
    direction: _Direction
    type: _Device
    from_: str
    to: str
    headers: tuple[str, ...] = ()
    project_id: str
    space_id: str = ""


class Fetch(Struct, frozen=True):
    """The first fetch, at which there are no variables yet."""

    call: FetchedCall
    vars: dict[str, str] = {}
    envs: dict[str, str] = {}
    params: dict[str, str] = {}


class Device(Struct, frozen=True):
    """Both ends, under the names that this type of device has for them."""

    type: _Device
    params: dict[str, str]


class StateParameters(Struct, frozen=True, kw_only=True):
    """Times are milliseconds since 1970."""

    call_id: str
    node_id: str
    call_state: State
    direction: _Direction
    device: Device
    parent: dict[str, str] | UnsetType = UNSET
    start_time: int | UnsetType = UNSET
    answer_time: int | UnsetType = UNSET
    end_time: int | UnsetType = UNSET
    end_reason: EndReason | UnsetType = UNSET


class CallState(Struct, frozen=True, kw_only=True):
    """What has become of a call; `timestamp` is in seconds since 1970."""

    event_type: Literal["calling.call.state"] = "calling.call.state"
    event_channel: str = ""
    timestamp: float | UnsetType = UNSET
    project_id: str
    space_id: str = ""
    params: StateParameters


def swml(event: CallEvent) -> Fetch | CallState:
    """The body of a POST: the fetch for a new call, the state of the call afterwards.

    The node is the producer (`source`), the project the `customer`.
    """
    return Fetch(_call(event)) if event.event == "newCall" else _state(event)


def swml_parameters(event: CallEvent) -> Parameters:
    """The same for a query, a form or XML: no object in another, and nothing that is empty."""
    call = _call(event)
    body = swml(event)
    parameters: list[tuple[str, str | float | dict[str, str] | UnsetType]] = []
    if isinstance(body, CallState):
        parameters += [("event_type", body.event_type), ("timestamp", body.timestamp)]
    parameters += [
        ("call_id", call.call_id),
        ("node_id", call.node_id),
        ("call_state", call.call_state),
        ("direction", call.direction),
        ("type", call.type),
        ("from", call.from_),
        ("to", call.to),
        ("project_id", call.project_id),
    ]
    if isinstance(body, CallState):
        told = body.params
        parameters += [("parent", told.parent), ("start_time", told.start_time)]
        parameters += [("answer_time", told.answer_time), ("end_time", told.end_time)]
        parameters.append(("end_reason", told.end_reason))
    return [(name, value) for name, value in parameters if value is not UNSET and value != ""]


def _call(event: CallEvent) -> FetchedCall:
    # Any other direction can only have matched under other settings.
    is_out = event.direction == "out"
    own = event.extension
    caller = event.from_ or (own if is_out else None) or "anonymous"
    called = event.to or event.did or (None if is_out else own) or "anonymous"
    return FetchedCall(
        call_id=event.call_id,
        node_id=event.source or "",
        call_state=_STATES[event.event],
        direction="outbound" if is_out else "inbound",
        type="sip" if _is_sip(caller) or _is_sip(called) else "phone",
        from_=caller,
        to=called,
        project_id=event.customer or "",
    )


def _state(event: CallEvent) -> CallState:
    call = _call(event)
    parameters = StateParameters(
        call_id=call.call_id,
        node_id=call.node_id,
        call_state=call.call_state,
        direction=call.direction,
        device=_device(call, event.from_name),
        parent=_parent(event),
        start_time=_milliseconds(event.start_time),
        answer_time=_milliseconds(event.answer_time),
        end_time=_milliseconds(event.end_time),
        end_reason=_end_reason(event),
    )
    return CallState(
        timestamp=UNSET if event.time is None else microseconds(event.time) / 1_000_000,
        project_id=call.project_id,
        params=parameters,
    )


def _device(call: FetchedCall, from_name: str | None) -> Device:
    if call.type == "phone":
        return Device("phone", {"from_number": call.from_, "to_number": call.to})
    name = {"from_name": from_name} if from_name else {}
    return Device("sip", {"from": call.from_, "to": call.to, **name})


def _parent(event: CallEvent) -> dict[str, str] | UnsetType:
    if event.parent_call_id is None:
        return UNSET
    node = {"node_id": event.source} if event.source else {}
    return {**node, "call_id": event.parent_call_id}


def _end_reason(event: CallEvent) -> EndReason | UnsetType:
    """There is no word for an end of which nothing is known."""
    if _STATES[event.event] != "ended":
        return UNSET
    if event.cause in _REASONS:
        return _REASONS[event.cause]
    return "hangup" if event.answered else UNSET


def _milliseconds(moment: str | None) -> int | UnsetType:
    return UNSET if moment is None else microseconds(moment) // 1_000


def _is_sip(party: str) -> bool:
    return party.lower().startswith(("sip:", "sips:"))
