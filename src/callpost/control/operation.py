"""One operation of the API: how it is asked for, what does it, what it answers.

The same noun makes the route and its page in the OpenAPI document, so that they cannot differ.
"""

from collections.abc import Awaitable, Callable
from typing import Literal, TypeVar

import msgspec
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from callpost.control.asked import Asked, read_body, read_query
from callpost.control.problem import FieldFault, Refusal, refusal_of
from callpost.model.delivery import SpoolUnreadable
from callpost.model.unknown import BadCursor, CannotNow, UnknownSubscription

Method = Literal["GET", "POST", "PUT"]
Q = TypeVar("Q", bound=Struct)
B = TypeVar("B", bound=Struct)


class Operation(Struct, frozen=True, kw_only=True):
    """`returns` is the type of the answer, for each of the `statuses` that bear it.

    `path` is as Starlette writes it; `content_type` is not JSON where `returns` is `str`.
    """

    method: Method
    path: str
    summary: str
    respond: Callable[[Request], Awaitable[Response]]
    query: type[Struct]
    body: type[Struct]
    returns: object
    statuses: tuple[int, ...]
    problems: tuple[int, ...]
    content_type: str
    example: object


class Shown(Struct, frozen=True):
    """How an operation is told of, beside its types.

    `statuses` bear the answer, the first one usually; `problems` are those beyond what every
    operation may answer; `example` is of the body, or of the answer where there is no body.
    """

    summary: str
    example: object = None
    statuses: tuple[int, ...] = (200,)
    problems: tuple[int, ...] = ()
    content_type: str = "application/json"


class Answer(Struct, frozen=True):
    """An answer with another status than 200."""

    status: int
    content: object


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
    """Put an operation together; `answer` returns a value, an Answer, or a whole Response."""

    async def respond(request: Request) -> Response:
        asked_by_query = read_query(request, query)
        sent = await read_body(request, body) if method != "GET" else body()
        asked = Asked(request.path_params, asked_by_query, sent)
        try:
            return _response(await answer(asked))
        except UnknownSubscription as unknown:
            raise Refusal(404, str(unknown)) from None
        except BadCursor:
            place = "cursor" if method == "GET" else "$.cursor"
            raise refusal_of([FieldFault(place, "no listing has given out this cursor")]) from None
        except (SpoolUnreadable, CannotNow) as fault:
            raise Refusal(503, str(fault)) from None

    return Operation(
        method=method,
        path=path,
        summary=shown.summary,
        respond=respond,
        query=query,
        body=body,
        returns=returns,
        statuses=shown.statuses,
        problems=shown.problems,
        content_type=shown.content_type,
        example=shown.example,
    )


def _response(answered: object) -> Response:
    match answered:
        case Response():
            return answered
        case Answer(status=status, content=content):
            return _json(content, status)
        case _:
            return _json(answered, 200)


def _json(content: object, status: int) -> Response:
    return Response(msgspec.json.encode(content), status, media_type="application/json")
