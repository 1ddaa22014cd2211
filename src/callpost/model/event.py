"""The call event, as a producer tells it and as every subscriber hears it.

Names on the wire are camelCase and the same everywhere; absent is `None` and never sent.
What comes in from a producer goes through `decode` first, which normalises it.
"""

from decimal import Decimal
from typing import Annotated, Final, NamedTuple

from msgspec import Meta, Struct
from msgspec.json import Decoder, Encoder
from msgspec.structs import fields, replace

from callpost.model.vocabulary import Cause, Direction, ExtensionType, Kind, Level, Network

Text = Annotated[str, Meta(min_length=1)]
Party = Annotated[str, Meta(min_length=1, max_length=255)]
# Whole seconds are kept as integers, so that they go out without a fraction.
Seconds = (
    Annotated[int, Meta(ge=0, le=1_000_000_000)] | Annotated[float, Meta(ge=0, le=1_000_000_000)]
)


def _wire_name(name: str) -> str:
    head, *tail = name.rstrip("_").split("_")
    return head + "".join(word.capitalize() for word in tail)


class CallEvent(
    Struct,
    frozen=True,
    kw_only=True,
    gc=False,
    forbid_unknown_fields=True,
    omit_defaults=True,
    rename=_wire_name,
):
    """One event of one call, normalised; fields stand in the order in which they are sent.

    `time` and the other times are RFC 3339 in UTC with milliseconds and `Z`; durations are
    seconds. `seq` and `previousId` belong to a delivery, not to the event, and are not here.
    """

    # Level 1
    event: Kind
    call_id: Annotated[str, Meta(min_length=1, max_length=250)]
    from_: Party | None = None
    to: Party | None = None
    direction: Direction | None = None
    user: Annotated[tuple[Text, ...], Meta(min_length=1)] | None = None
    answering_number: Text | None = None
    diversion: Text | None = None
    cause: Cause | None = None
    dtmf: Annotated[str, Meta(pattern=r"^[0-9*#A-D]*\Z")] | None = None
    # Level 2
    id: Annotated[str, Meta(pattern=r"^[!-\-/-~]{1,128}\Z")] | None = None
    time: Text | None = None
    network: Network | None = None
    from_name: Text | None = None
    to_name: Text | None = None
    did: Text | None = None
    extension: Text | None = None
    extension_type: ExtensionType | None = None
    queue: Text | None = None
    customer: Text | None = None
    source: Text | None = None
    leg_id: Text | None = None
    parent_call_id: Text | None = None
    start_time: Text | None = None
    ring_time: Text | None = None
    answer_time: Text | None = None
    end_time: Text | None = None
    duration: Seconds | None = None
    ring_duration: Seconds | None = None
    answered: bool | None = None
    q850: Annotated[int, Meta(ge=1, le=127)] | None = None
    sip_code: Annotated[int, Meta(ge=100, le=699)] | None = None
    link_id: Annotated[int, Meta(ge=-(2**53) + 1, le=2**53 - 1)] | None = None
    data: Annotated[dict[Text, Text], Meta(min_length=1)] | None = None


class Field(NamedTuple):
    """One field: its name in Python, its name on the wire, and the level that it belongs to."""

    attribute: str
    name: str
    level: Level


def encode(event: CallEvent) -> bytes:
    """The event as canonical JSON: fields in order, what is absent left out."""
    return _ENCODER.encode(event)


def stored(body: bytes) -> CallEvent:
    """The event back from what `encode` wrote; `msgspec.DecodeError` if the bytes are damaged."""
    return _DECODER.decode(body)


def stamped(event: CallEvent, *, id: str, time: str) -> CallEvent:  # noqa: A002  the field's name
    """The same event with `id` and `time` filled in where the producer set none."""
    if event.id is not None and event.time is not None:
        return event
    return replace(event, id=event.id or id, time=event.time or time)


def without_digits(event: CallEvent) -> CallEvent:
    """The same event without the digits that somebody pressed: they may be a PIN, or a card."""
    if not event.dtmf:
        return event
    # A dtmf event has the field, if only to say that nothing of it is told.
    return replace(event, dtmf="" if event.event == "dtmf" else None)


def with_answered(event: CallEvent, *, answered: bool) -> CallEvent:
    """Fill in `answered`."""
    return replace(event, answered=answered)


def with_direction(event: CallEvent, *, direction: Direction) -> CallEvent:
    """Fill in `direction`."""
    return replace(event, direction=direction)


def with_from(event: CallEvent, *, from_: str) -> CallEvent:
    """Fill in `from`."""
    return replace(event, from_=from_)


def plain_decimal(number: float) -> str:
    """The number in plain decimals: never an exponent, no fraction where it is a whole one."""
    text = repr(number)
    if "e" in text:
        # Only here is the detour through Decimal needed: repr uses exponents beyond 1e16.
        text = format(Decimal(text), "f")
    return text.removesuffix(".0")


def _fields() -> tuple[Field, ...]:
    names = [(each.name, each.encode_name) for each in fields(CallEvent)]
    # Level 1 ends with the digits; the order of the Struct is the order of the wire.
    basic = 1 + [attribute for attribute, _ in names].index("dtmf")
    return tuple(
        Field(attribute, name, 1 if place < basic else 2)
        for place, (attribute, name) in enumerate(names)
    )


FIELDS: Final = _fields()
_ENCODER: Final = Encoder()
_DECODER: Final = Decoder(CallEvent)
