"""The operator's door as an ASGI app: one table of operations makes the routes.

Whatever goes wrong is answered with a problem document; who may come in is the socket's affair.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import msgspec
from msgspec import Struct
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import HTTPExceptionHandler

from callpost.control.asked import Asked
from callpost.control.attempts import attempts
from callpost.control.condition import condition
from callpost.control.fields import Nothing
from callpost.control.metrics import metrics
from callpost.control.openapi import document
from callpost.control.operation import Method, Operation, Shown, operation
from callpost.control.ports import Live, Metrics, Operating, Purging, Records, Settings
from callpost.control.problem import Refusal, ended, problem
from callpost.control.purge import purge
from callpost.control.records import listings, stories
from callpost.control.replay import replay
from callpost.control.settings import configuration, log_level
from callpost.control.subscriptions import subscriptions, verbs
from callpost.model.spelling import did_you_mean

_BUG: Final = "callpost has made a mistake; its log says which."


class Premises(Struct, frozen=True, kw_only=True):
    """What the door opens to, room by room."""

    version: str
    operating: Operating
    records: Records
    purging: Purging
    settings: Settings
    metrics: Metrics
    live: Live


def control_app(house: Premises) -> Starlette:
    """Put the app together."""
    operations = operations_of(house)
    by_path: dict[str, dict[str, Operation]] = {}
    for one in operations:
        by_path.setdefault(one.path, {})[one.method] = one
    app = Starlette(
        routes=[_route(path, answered) for path, answered in by_path.items()],
        exception_handlers={
            Refusal: _refused,
            HTTPException: _unrouted(sorted(by_path)),
            Exception: _failed,
        },
    )
    app.router.redirect_slashes = False
    return app


def operations_of(house: Premises) -> Sequence[Operation]:
    """The whole table."""
    table = [
        *condition(house.operating),
        *subscriptions(house.operating),
        *verbs(house.operating),
        *listings(house.records),
        *stories(house.records),
        *replay(house.operating),
        *purge(house.purging),
        *configuration(house.settings),
        *log_level(house.settings),
        *metrics(house.metrics),
        *attempts(house.live),
    ]
    table += _description(table, house.version)
    return table


def _description(table: Sequence[Operation], version: str) -> Iterator[Operation]:
    async def described(_: Asked[Nothing, Nothing]) -> Response:
        # Made when it is asked for: few ever do.
        return Response(
            msgspec.json.encode(document([*table, itself], version=version)),
            media_type="application/json",
        )

    itself = operation(
        "GET",
        "/v1/openapi.json",
        described,
        query=Nothing,
        body=Nothing,
        returns=dict[str, object],
        shown=Shown("This document"),
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


async def _refused(_: Request, refusal: Exception) -> Response:
    if not isinstance(refusal, Refusal):
        raise refusal
    return problem(refusal)


def _unrouted(paths: Sequence[str]) -> HTTPExceptionHandler:
    async def told(request: Request, fault: Exception) -> Response:
        if not isinstance(fault, HTTPException):
            raise fault
        if fault.status_code == 405:
            allowed = ", ".join(sorted((fault.headers or {}).get("Allow", "").split(", ")))
            sentence = f"This path does not know that method; it knows {allowed}."
            return problem(Refusal(405, sentence, headers={"Allow": allowed}))
        offered = did_you_mean(request.scope["path"][:100], paths)
        return problem(Refusal(fault.status_code, ended(f"There is no such path{offered}")))

    return told


async def _failed(_: Request, __: Exception) -> Response:
    return problem(Refusal(500, _BUG))
