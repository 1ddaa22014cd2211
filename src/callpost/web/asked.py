"""One request, read within its limits: who asks, its path, its query, its body.

A body has at most 64 KiB where no more is said, and must arrive within ten seconds; what does
not fit is refused with the sentence that says so.
"""

from collections.abc import Mapping, Sequence
from contextlib import aclosing
from typing import Annotated, Final, Generic, TypeVar, get_args, get_origin
from urllib.parse import parse_qsl

import msgspec
import trio
from msgspec import Struct
from msgspec.structs import FieldInfo, fields
from starlette.requests import ClientDisconnect, Request

from callpost.model.caller import Caller
from callpost.web.fields import read_fields
from callpost.web.problem import FieldFault, Refusal, refusal_of

BODY_MAX_BYTES: Final = 64 * 1024
JSON_TYPE: Final = "application/json"
# A body is a few hundred bytes, seldom more.
BODY_WITHIN_S: Final = 10.0
# Repeated ones among them.
QUERY_MAX_FIELDS: Final = 100
# Beyond that a connection is cut.
_DROPPED_MAX_BYTES: Final = 4 * 1024 * 1024

Q = TypeVar("Q", bound=Struct)
B = TypeVar("B", bound=Struct)
S = TypeVar("S", bound=Struct)


class Sent(Struct, frozen=True):
    """A body as it came, and as what it was sent: `application/json`."""

    content: bytes
    media_type: str


class Asked(Struct, Generic[Q, B], frozen=True):
    """What was asked, and by whom: the parts of the path and the headers by name, query, body."""

    caller: Caller
    path: Mapping[str, str]
    headers: Mapping[str, str]
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
    """The JSON object of the body by the fields of `kind`; none at all is an empty one."""
    sent = await read_sent(request)
    if not sent.content:
        return read_fields({}, kind, place="$.")
    return read_fields(object_of(sent), kind, place="$.")


def object_of(sent: Sent) -> dict[str, object]:
    """The JSON object of what was sent; raises Refusal where it is none."""
    value = json_of(sent.content)
    if not isinstance(value, dict):
        raise refusal_of([FieldFault("$", "expected an object")])
    return value


async def read_json(
    request: Request, *, most_bytes: int = BODY_MAX_BYTES, types: Sequence[str] = (JSON_TYPE,)
) -> object:
    """What the JSON of the body says, None where there is no body; sent as one of the `types`."""
    sent = await read_sent(request, most_bytes=most_bytes, types=types)
    return json_of(sent.content) if sent.content else None


async def read_object(request: Request) -> dict[str, object]:
    """The JSON object of the body; none at all is an empty one."""
    match await read_json(request):
        case None:
            return {}
        case dict() as sent:
            return sent
        case _:
            raise Refusal(400, "The body must be a JSON object.")


async def read_sent(
    request: Request, *, most_bytes: int = BODY_MAX_BYTES, types: Sequence[str] = (JSON_TYPE,)
) -> Sent:
    """The body as it came; where there is one, it was sent as one of the `types`."""
    content = await read_bytes(request, most_bytes=most_bytes)
    sent_as = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content and sent_as not in types:
        raise Refusal(415, f"The body must be sent as {' or '.join(types)}.")
    return Sent(content, sent_as)


def json_of(content: bytes) -> object:
    """What the JSON says."""
    try:
        value: object = msgspec.json.decode(content)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as fault:
        raise Refusal(400, f"The body cannot be read as JSON: {_why(fault)}.") from None
    return value


async def read_bytes(request: Request, *, most_bytes: int = BODY_MAX_BYTES) -> bytes:
    """The body as it came."""
    try:
        with trio.fail_after(BODY_WITHIN_S):
            raw = await _some_of(request, most_bytes)
    except trio.TooSlowError:
        raise Refusal(408, f"The body did not arrive within {BODY_WITHIN_S:g} seconds.") from None
    except ClientDisconnect:
        raise Refusal(400, "The body has broken off.") from None
    if len(raw) > most_bytes:
        raise Refusal(413, f"A body has at most {most_bytes} bytes.")
    return raw


async def _some_of(request: Request, most_bytes: int) -> bytes:
    """The body; of one that is too large only so much that it shows.

    The rest is read and dropped, within reason: who is cut off while writing reads no answer.
    """
    raw = bytearray()
    size = 0
    async with aclosing(request.stream()) as chunks:
        async for chunk in chunks:
            size += len(chunk)
            if len(raw) <= most_bytes:
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
