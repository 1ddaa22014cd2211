"""One request, read within its limits: its path, its query, its body.

A body has at most 64 KiB and must arrive within ten seconds; what does not fit is refused with
the sentence that says so.
"""

from collections.abc import Mapping
from contextlib import aclosing
from typing import Annotated, Final, Generic, TypeVar, get_args, get_origin
from urllib.parse import parse_qsl

import msgspec
import trio
from msgspec import Struct
from msgspec.structs import FieldInfo, fields
from starlette.requests import ClientDisconnect, Request

from callpost.control.fields import read_fields
from callpost.control.problem import FieldFault, Refusal, refusal_of

BODY_MAX_BYTES: Final = 64 * 1024
# The body is a few hundred bytes, and its sender is on this machine.
BODY_WITHIN_S: Final = 10.0
# Repeated ones among them.
QUERY_MAX_FIELDS: Final = 100
# Beyond that a connection is cut.
_DROPPED_MAX_BYTES: Final = 4 * 1024 * 1024

Q = TypeVar("Q", bound=Struct)
B = TypeVar("B", bound=Struct)
S = TypeVar("S", bound=Struct)


class Asked(Struct, Generic[Q, B], frozen=True):
    """What was asked: the parts of the path by name, the query and the body."""

    path: Mapping[str, str]
    query: Q
    body: B


def read_query(request: Request, kind: type[Q]) -> Q:
    """The query's parameters; a blank one counts as absent."""
    known = {field.encode_name: field for field in fields(kind)}
    try:
        pairs = parse_qsl(
            request.scope["query_string"].decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=QUERY_MAX_FIELDS,
        )
    except ValueError:
        raise Refusal(
            400, f"The query is not UTF-8, or has more than {QUERY_MAX_FIELDS} parameters."
        ) from None
    values: dict[str, object] = {}
    repeated: list[FieldFault] = []
    for name, value in pairs:
        if name in known and _is_many(known[name]):
            many = values.setdefault(name, [])
            if value and isinstance(many, list):
                many.append(value)
        elif name in values:
            repeated.append(FieldFault(name, "is given more than once"))
        elif value or name not in known:
            values[name] = value
    if repeated:
        raise refusal_of(repeated)
    return read_fields(values, kind, place="", of_text=True)


async def read_body(request: Request, kind: type[B]) -> B:
    """The JSON object of the body; none at all counts as an empty one."""
    raw = await _bytes_of(request)
    if not raw:
        return read_fields({}, kind, place="$.")
    sent_as = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if sent_as != "application/json":
        raise Refusal(415, "The body must be JSON, sent as application/json.")
    try:
        value = msgspec.json.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as fault:
        raise Refusal(400, f"The body cannot be read as JSON: {_why(fault)}.") from None
    if not isinstance(value, dict):
        raise refusal_of([FieldFault("$", "expected an object")])
    return read_fields(value, kind, place="$.")


async def _bytes_of(request: Request) -> bytes:
    try:
        with trio.fail_after(BODY_WITHIN_S):
            raw = await _some_of(request)
    except trio.TooSlowError:
        raise Refusal(408, f"The body did not arrive within {BODY_WITHIN_S:g} seconds.") from None
    except ClientDisconnect:
        raise Refusal(400, "The body has broken off.") from None
    if len(raw) > BODY_MAX_BYTES:
        raise Refusal(413, f"A body has at most {BODY_MAX_BYTES} bytes.")
    return raw


async def _some_of(request: Request) -> bytes:
    """The body; of one that is too large only so much that it shows.

    The rest is read and dropped, within reason: who is cut off while writing reads no answer.
    """
    raw = bytearray()
    size = 0
    async with aclosing(request.stream()) as chunks:
        async for chunk in chunks:
            size += len(chunk)
            if len(raw) <= BODY_MAX_BYTES:
                raw += chunk
            if size > _DROPPED_MAX_BYTES:
                break
    return bytes(raw)


def _why(fault: Exception) -> str:
    match fault:
        case UnicodeDecodeError():
            return "it is not UTF-8"
        case RecursionError():
            return "it is nested too deeply"
        case _:
            text = str(fault).removeprefix("JSON is malformed: ")
            return text[:1].lower() + text[1:]


def _is_many(field: FieldInfo) -> bool:
    kind = field.type
    if get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    return get_origin(kind) is tuple
