"""callpost's own language: a table of operations makes the routes and their description.

Whatever goes wrong is answered with a problem document (RFC 9457).
"""

from collections.abc import Iterator, Mapping, Sequence

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from callpost.web.asked import Asked
from callpost.web.fields import Nothing
from callpost.web.openapi import About, document
from callpost.web.operation import Method, Operation, Shown, operation
from callpost.web.problem import problem
from callpost.web.site import Language


def own_language(operations: Sequence[Operation], *, about: About) -> Language:
    """The language of these operations, and of the document that tells of them."""
    table = [*operations, *_description(operations, about)]
    by_path: dict[str, dict[str, Operation]] = {}
    for one in table:
        by_path.setdefault(one.path, {})[one.method] = one
    routes = [_route(path, answered) for path, answered in by_path.items()]
    return Language(prefix="", routes=routes, refused=problem)


def _description(operations: Sequence[Operation], about: About) -> Iterator[Operation]:
    async def described(_: Asked[Nothing, Nothing]) -> Response:
        # Made when it is asked for: few ever do.
        told = document([*operations, itself], about=about)
        return Response(msgspec.json.encode(told), media_type="application/json")

    itself = operation(
        "GET",
        "/v1/openapi.json",
        described,
        query=Nothing,
        body=Nothing,
        returns=dict[str, object],
        shown=Shown("This document", answer={"openapi": "3.1.0"}),
    )
    yield itself


def _route(path: str, answered: Mapping[str, Operation]) -> Route:
    async def respond(request: Request) -> Response:
        if not all(request.path_params.values()):
            raise HTTPException(404)
        method = "GET" if request.method == "HEAD" else request.method
        return await answered[method].respond(request)

    methods: list[Method] = [one.method for one in answered.values()]
    return Route(path, respond, methods=methods)
