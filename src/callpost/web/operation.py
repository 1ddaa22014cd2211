"""One operation of the API: how it is asked for, what does it, what it answers.

The same noun makes the route and its page in the OpenAPI document, so that they cannot differ.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final, Literal, TypeVar

from msgspec import Struct
from msgspec.structs import fields
from starlette.requests import Request
from starlette.responses import Response

from callpost.model.delivery import SpoolUnreadable
from callpost.model.unknown import BadCursor, CannotNow, UnknownSubscription
from callpost.web.answer import in_json
from callpost.web.asked import (
    BODY_MAX_BYTES,
    JSON_TYPE,
    Asked,
    Sent,
    read_body,
    read_query,
    read_sent,
)
from callpost.web.caller import caller_of
from callpost.web.problem import FieldFault, Refusal, refusal_of
from callpost.web.recorded import leave_untold

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
NOT_A_VIEWERS: Final = "A viewer may only look."
_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})
Respond = Callable[[Request], Awaitable[Response]]
Q = TypeVar("Q", bound=Struct)
B = TypeVar("B", bound=Struct)


class Accepted(Struct, frozen=True, kw_only=True):
    """What a body may be sent as, each media type with what it holds then."""

    types: Mapping[str, object] = {}
    most_bytes: int = BODY_MAX_BYTES
    is_required: bool = False


class Shown(Struct, frozen=True):
    """How an operation is told of, beside its types.

    `example` is of the body, `answer` of what is answered. `statuses` bear the answer, the first
    one usually, `bare` ones bear none; `problems` are those beyond what every operation may
    answer. `content_type` is not JSON where what is returned is `str`; `also` has other media
    types of the same answer. `headers` are the answer's, `conditions` are headers of the request.
    """

    summary: str
    example: object = None
    answer: object = None
    statuses: tuple[int, ...] = (200,)
    bare: tuple[int, ...] = ()
    problems: tuple[int, ...] = ()
    content_type: str = JSON_TYPE
    also: Mapping[str, object] = {}
    headers: Mapping[str, str] = {}
    conditions: Mapping[str, str] = {}


class Operation(Struct, frozen=True, kw_only=True):
    """`path` is as Starlette writes it; `returns` is the type of the answer."""

    method: Method
    path: str
    respond: Respond
    query: type[Struct]
    accepts: Accepted
    returns: object
    shown: Shown


class Answer(Struct, frozen=True):
    """An answer with another status than 200, or with headers of its own; None has no content."""

    status: int
    content: object
    headers: Mapping[str, str] | None = None


def operation(
    method: Method,
    path: str,
    answer: Callable[[Asked[Q, B]], Awaitable[object]],
    *,
    query: type[Q],
    body: type[B],
    returns: object,
    shown: Shown,
) -> Operation:
    """Put an operation together; `answer` returns a value, an Answer, or a whole Response.

    What is no GET is nothing for viewers.
    """

    async def sent(request: Request) -> B:
        return await read_body(request, body) if method in _WITH_BODY else body()

    known = fields(body)
    accepts = Accepted(
        types={JSON_TYPE: body} if known else {},
        is_required=any(field.required for field in known),
    )
    return Operation(
        method=method,
        path=path,
        respond=_responding(method, query, sent, answer),
        query=query,
        accepts=accepts,
        returns=returns,
        shown=shown,
    )


def operation_on(
    accepts: Accepted,
    method: Method,
    path: str,
    answer: Callable[[Asked[Q, Sent]], Awaitable[object]],
    *,
    query: type[Q],
    returns: object,
    shown: Shown,
) -> Operation:
    """Put an operation together that reads the body itself, sent as it `accepts`."""

    async def sent(request: Request) -> Sent:
        most_bytes, types = accepts.most_bytes, tuple(accepts.types)
        body = await read_sent(request, most_bytes=most_bytes, types=types)
        if accepts.is_required and not body.content:
            raise refusal_of([FieldFault("$", "the body is missing")])
        return body

    return Operation(
        method=method,
        path=path,
        respond=_responding(method, query, sent, answer),
        query=query,
        accepts=accepts,
        returns=returns,
        shown=shown,
    )


def _responding(
    method: Method,
    query: type[Q],
    sent: Callable[[Request], Awaitable[B]],
    answer: Callable[[Asked[Q, B]], Awaitable[object]],
) -> Respond:
    """What reads a request, has it answered, and says why it cannot be."""

    async def respond(request: Request) -> Response:
        caller = caller_of(request)
        if method != "GET" and not caller.may_change:
            raise Refusal(403, NOT_A_VIEWERS)
        asked_by_query = read_query(request, query)
        body = await sent(request)
        if getattr(body, "dry_run", False):
            leave_untold(request)
        asked = Asked(caller, request.path_params, request.headers, asked_by_query, body)
        try:
            return _response(await answer(asked))
        except UnknownSubscription as unknown:
            raise Refusal(404, str(unknown)) from None
        except BadCursor:
            place = "cursor" if method == "GET" else "$.cursor"
            raise refusal_of([FieldFault(place, "no listing has given out this cursor")]) from None
        except (SpoolUnreadable, CannotNow) as fault:
            raise Refusal(503, str(fault)) from None

    return respond


def _response(answered: object) -> Response:
    match answered:
        case Response():
            return answered
        case Answer(status=status, content=None, headers=headers):
            return Response(None, status, headers)
        case Answer(status=status, content=content, headers=headers):
            return in_json(content, status, headers)
        case _:
            return in_json(answered, 200)
