"""What is changed at a door, told in the log: who by the token's name, the path, how it ended.

Looking is not told, nor a dry run; and neither are events, which have lines of their own. What is
done in parts has a line for each of them. Bodies never are told.
"""

from typing import Final

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.typing import FilteringBoundLogger

from callpost.web.caller import caller_of

_LOOKING: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_FEEDING: Final = "/v1/events"
_UNTOLD_KEY: Final = "callpost.untold"
# A path that is obeyed is shorter; a log has room for more than one line.
_PATH_MAX_CHARS: Final = 300


def leave_untold(request: Request) -> None:
    """This request changes nothing."""
    request.scope[_UNTOLD_KEY] = True


class Recorded:
    """The ASGI app of a site, with a line for each change that was made at it."""

    def __init__(self, site: ASGIApp, *, log: FilteringBoundLogger) -> None:
        self._site = site
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, and tell what it has changed."""
        path = str(scope["path"])
        if scope["method"] in _LOOKING or path == _FEEDING:
            await self._site(scope, receive, send)
            return
        statuses: list[int] = []

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                statuses.append(message["status"])
            await send(message)

        await self._site(scope, receive, noting)
        if statuses and statuses[-1] < 400 and _UNTOLD_KEY not in scope:
            self._log.info(
                "api.changed",
                token=caller_of(Request(scope)).name,
                method=scope["method"],
                path=path[:_PATH_MAX_CHARS],
                status=statuses[-1],
            )
