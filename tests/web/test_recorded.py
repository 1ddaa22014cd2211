"""What clients change is in the log, by the name of their token."""

from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from callpost.model.caller import Caller
from callpost.web.problem import Refusal, problem
from callpost.web.recorded import Recorded
from callpost.web.site import Admitted, Language, Site
from doubles import logs_into

PORTAL = Caller(name="portal", role="manager", customers=("acme",))
Lines = list[dict[str, object]]


async def done(_: Request) -> Response:
    """Whatever is asked."""
    return PlainTextResponse("", status_code=204)


async def refused(_: Request) -> Response:
    """Whatever is asked."""
    raise Refusal(409, "No.")


async def admit(request: Request) -> Admitted | Refusal:
    """Who sends anything at all."""
    return Admitted(PORTAL) if "authorization" in request.headers else Refusal(401, "No.")


@pytest.fixture
def lines() -> Lines:
    """The log."""
    return []


@pytest.fixture
async def client(lines: Lines) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a site that does as it is told, but for one path."""
    methods = ["GET", "POST", "DELETE"]
    routes = [
        Route("/v1/refused", refused, methods=methods),
        Route("/{path:path}", done, methods=methods),
    ]
    site = Site([Language(prefix="", routes=routes, refused=problem)], admit=admit)
    transport = httpx.ASGITransport(Recorded(site, log=logs_into(lines).log))
    async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
        yield client


async def test_a_change_is_told_with_the_name_of_the_token(
    client: httpx.AsyncClient, lines: Lines
) -> None:
    """Where it was, and how it ended."""
    await client.delete("/v1/subscriptions/api.crm.1", headers={"authorization": "x"})
    assert lines == [
        {
            "event": "api.changed",
            "level": "info",
            "token": "portal",
            "method": "DELETE",
            "path": "/v1/subscriptions/api.crm.1",
            "status": 204,
        }
    ]


@pytest.mark.parametrize(
    ("method", "path", "field"),
    [
        ("GET", "/v1/subscriptions", "x"),
        ("POST", "/v1/events", "x"),
        ("POST", "/v1/refused", "x"),
        ("POST", "/v1/subscriptions", ""),
    ],
)
async def test_what_changes_nothing_is_not_told(
    client: httpx.AsyncClient, lines: Lines, method: str, path: str, field: str
) -> None:
    """A look, events, what was refused, and who was not let in."""
    await client.request(method, path, headers={"authorization": field} if field else {})
    assert lines == []
