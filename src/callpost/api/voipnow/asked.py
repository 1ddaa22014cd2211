"""What a client wants of an event, out of the body of its request and the path.

Of a body only the five fields that can be set count, and null is as good as absent; so what was
answered can be sent back as it is.
"""

from collections.abc import Mapping
from typing import Final

from callpost.api.document import Item
from callpost.api.voipnow.items import TYPE_MAX, Event, read_event
from callpost.api.voipnow.refusals import Invalid, invalid_item

CREATED: Final = "pcet_type_invalid"
UPDATED: Final = "pce_type_invalid"
_SET: Final = ("type", "method", "note", "url", "status")


def to_create(body: object, *, path_type: str) -> Event:
    """A new event; `path_type` "" where the path names none. Raises Invalid."""
    values = _values(body)
    event = _event({"type": path_type or None, **values}, type_code=CREATED)
    if path_type and event.type != type_of(path_type, code=CREATED):
        raise Invalid(CREATED, "type: is another one than that of the path")
    return event


def to_update(body: object, said: Mapping[str, object]) -> Event:
    """The event as it is to become; what the body leaves out stays. Raises Invalid."""
    return _event({**said, **_values(body)}, type_code=UPDATED)


def type_of(text: str, *, code: str = UPDATED) -> int:
    """The type that a path names; raises Invalid."""
    if len(text) != 1 or text not in map(str, range(TYPE_MAX + 1)):
        raise Invalid(code, f"type: expected a whole number from 0 to {TYPE_MAX}")
    return int(text)


def _values(body: object) -> dict[str, object]:
    match body:
        case None:
            return {}
        case dict():
            return {key: body[key] for key in _SET if body.get(key) is not None}
        case _:
            raise Invalid("request_invalid", "The body must be an object")


def _event(values: Mapping[str, object], *, type_code: str) -> Event:
    item = Item("$", values)
    event = read_event(item, type_code=type_code)
    if item.faults:
        raise invalid_item(item.faults)
    return event
