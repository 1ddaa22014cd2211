"""Calls that nobody ends: the hangup that the daemon sends in their producer's stead.

A call is (`customer`, `source`, `callId`), and the hangup belongs to it like any other of its
events; that its own `source` says `callpost` tells a receiver who made it.
"""

import hashlib
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from callpost.model.event import CallEvent, stored

# Who the call is about is known from its other events; what happened in them is not repeated.
_KEPT: Final = (
    "from_",
    "to",
    "direction",
    "user",
    "answering_number",
    "diversion",
    "network",
    "from_name",
    "to_name",
    "did",
    "extension",
    "extension_type",
    "queue",
    "parent_call_id",
    "start_time",
    "ring_time",
    "answer_time",
    "link_id",
)


class SilentCall(Struct, frozen=True, kw_only=True):
    """A call without an end: its first and its last event as stored, and the last one's number.

    `customer` and `source` are the call's, "" where absent.
    """

    number: int
    customer: str
    source: str
    first: bytes
    last: bytes


class Silence(Struct, frozen=True):
    """What one look found, and where the next goes on; `ended` where there is nothing older."""

    calls: tuple[SilentCall, ...]
    last: int
    ended: bool


def hangup_of(call: SilentCall, *, time: str, answered: bool) -> CallEvent:
    """The missing hangup; the same silence always gives the same id, so it is stored once."""
    last = stored(call.last)
    marks = f"{call.customer}\n{call.source}\n{last.call_id}\n{call.number}"
    hangup = CallEvent(
        event="hangup",
        call_id=last.call_id,
        cause="unknown",
        id=f"end_{hashlib.sha256(marks.encode()).hexdigest()[:32]}",
        time=time,
        customer=last.customer,
        source="callpost",
        answered=answered or last.answer_time is not None,
    )
    known = {name: _latest(name, last, stored(call.first)) for name in _KEPT}
    return replace(hangup, **known)


def _latest(name: str, last: CallEvent, first: CallEvent) -> object:
    value: object = getattr(last, name)
    return getattr(first, name) if value is None else value
