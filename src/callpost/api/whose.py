"""Whose things a request is about, where the system's paths do not say so.

A client of such a system has nothing but its token, and the user name that may come along with
it; what is still open after that is refused, never guessed.
"""

from typing import Final

from starlette.requests import Request

from callpost.model.caller import OPERATOR
from callpost.model.tenancy import Tenancy
from callpost.model.unseen import has_outer_space, unseen
from callpost.web.caller import caller_of, username_of
from callpost.web.problem import Refusal

# As long as the id of a customer may be.
_CUSTOMER_MAX_CHARS: Final = 255
_WHICH: Final = (
    "does not say which customer is meant; "
    "send the customer as the user name of Basic authentication"
)


def customer_of(request: Request, tenancy: Tenancy) -> str:
    """The customer; "" is nobody's own. Raises a Refusal (400) where it cannot be known.

    It is the user name of Basic authentication, where that is a customer of the caller's; else
    the only one that the token is for; else, for an admin, nobody where nobody is required.
    """
    caller, username = caller_of(request), username_of(request)
    if caller.acts_for(username) and is_customer(username, tenancy):
        return username
    if caller.only_customer is not None:
        return caller.only_customer
    if caller.role == "admin" and not tenancy.required:
        return ""
    if caller == OPERATOR:
        # Who opens the control socket has no token, and needs no password.
        raise Refusal(400, f"The request {_WHICH}; the password does not matter.")
    raise Refusal(400, f"This token {_WHICH}.")


def is_customer(name: str, tenancy: Tenancy) -> bool:
    """Whether it is one of the registry, or could be one where there is no registry."""
    if tenancy.customers:
        return any(one.id == name for one in tenancy.customers)
    is_name = 0 < len(name) <= _CUSTOMER_MAX_CHARS and name != "*"
    return is_name and not has_outer_space(name) and not unseen(name)
