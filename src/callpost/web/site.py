"""A site: several languages at one address, each at the paths that are its own.

Whoever asks is admitted first; whatever goes wrong is said in the words of the language whose
path it was.
"""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Final

from msgspec import Struct
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from callpost.model.caller import OPERATOR, Caller
from callpost.model.spelling import did_you_mean
from callpost.web.caller import introduce
from callpost.web.offered import username_in
from callpost.web.problem import Refusal, ended

_BUG: Final = "callpost has made a mistake; its log says which."


class Language(Struct, frozen=True, kw_only=True):
    """`prefix` begins the paths that are its own, "" is all the rest; `refused` is how it says no.

    A Refusal that reaches `refused` is its own or the site's: 401 and 429 where nobody was
    admitted, 404 and 405 where there is no such path or method, 500 for a mistake of ours.
    """

    prefix: str
    routes: Sequence[BaseRoute]
    refused: Callable[[Refusal], Response]


class Admitted(Struct, frozen=True):
    """Who asks, and the name that came along with the secret, "" where none did."""

    caller: Caller
    username: str = ""


Admit = Callable[[Request], Awaitable[Admitted | Refusal]]


async def everybody(request: Request) -> Admitted:
    """Who can open the operator's socket is the operator; a user name says for whom."""
    return Admitted(OPERATOR, username_in(request.headers.getlist("authorization")))


class Site:
    """The ASGI app of these languages; of two prefixes that fit, the first one counts."""

    def __init__(self, languages: Sequence[Language], *, admit: Admit) -> None:
        self._admit = admit
        self._spoken = [(language, _app(language)) for language in languages]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        path = str(scope["path"])
        language, app = next(
            (language, app) for language, app in self._spoken if path.startswith(language.prefix)
        )
        request = Request(scope, receive)
        admitted = await self._admit(request)
        if isinstance(admitted, Refusal):
            await language.refused(admitted)(scope, receive, send)
            return
        introduce(request, admitted.caller, admitted.username)
        await app(scope, receive, send)


def _app(language: Language) -> ASGIApp:
    paths = sorted({route.path for route in language.routes if isinstance(route, Route)})
    app = Starlette(
        routes=language.routes,
        exception_handlers={
            Refusal: partial(_refused, language),
            HTTPException: partial(_unrouted, language, paths),
            Exception: partial(_failed, language),
        },
    )
    app.router.redirect_slashes = False
    return app


async def _refused(language: Language, _: Request, refusal: Exception) -> Response:
    if not isinstance(refusal, Refusal):
        raise refusal
    return language.refused(refusal)


async def _unrouted(
    language: Language, paths: Sequence[str], request: Request, fault: Exception
) -> Response:
    if not isinstance(fault, HTTPException):
        raise fault
    if fault.status_code == 405:
        allowed = ", ".join(sorted((fault.headers or {}).get("Allow", "").split(", ")))
        sentence = f"This path does not know that method; it knows {allowed}."
        return language.refused(Refusal(405, sentence, headers={"Allow": allowed}))
    offered = did_you_mean(request.scope["path"][:100], paths)
    return language.refused(Refusal(fault.status_code, ended(f"There is no such path{offered}")))


async def _failed(language: Language, _: Request, __: Exception) -> Response:
    return language.refused(Refusal(500, _BUG))
