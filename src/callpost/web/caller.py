"""Who asks, as the site has found out before the request comes to anybody."""

from typing import Final

from starlette.requests import Request

from callpost.model.caller import Caller

_KEY: Final = "callpost.caller"
_USERNAME_KEY: Final = "callpost.username"


def caller_of(request: Request) -> Caller:
    """The caller; a request that went past the site has none, which is a mistake of ours."""
    caller = request.scope[_KEY]
    if not isinstance(caller, Caller):
        raise TypeError("the caller is not known")
    return caller


def username_of(request: Request) -> str:
    """The name that came along with the secret (RFC 7617), "" where none did."""
    return str(request.scope.get(_USERNAME_KEY, ""))


def introduce(request: Request, caller: Caller, username: str = "") -> None:
    """Let everybody who gets the request know who asks."""
    request.scope[_KEY] = caller
    request.scope[_USERNAME_KEY] = username
