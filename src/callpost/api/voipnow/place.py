"""Where a request is about: whose events, of which extension, and how the client wrote that.

Somebody else's customer or extension is told as one that nobody has.
"""

import re
from typing import Final

from msgspec import Struct
from starlette.requests import Request

from callpost.api.voipnow.items import is_extension, path_of
from callpost.api.voipnow.refusals import Invalid
from callpost.api.whose import customer_of, is_customer
from callpost.model.tenancy import Tenancy
from callpost.web.caller import caller_of
from callpost.web.problem import Refusal

# The User to whom the client's App is registered: for a client of ours, the token's customer.
_SELF: Final = frozenset({"@me", "@viewer"})
_OWNER: Final = "@owner"
# What a link may begin with; anything else in the header is not repeated.
_HOST: Final = re.compile(r"[A-Za-z0-9._~\[\]:-]{1,255}")


class Place(Struct, frozen=True, kw_only=True):
    """`base` is the URL of all events of the extension, with the user as the client named it."""

    customer: str
    extension: str
    base: str


def place_of(request: Request, tenancy: Tenancy) -> Place:
    """The place that the path names; raises Invalid."""
    user, extension = request.path_params["user"], request.path_params["extension"]
    customer = _customer(user, extension, request, tenancy)
    known = next((one.extensions for one in tenancy.customers if one.id == customer), ())
    if not is_extension(extension) or (known and extension not in known):
        raise Invalid("extension_invalid", "extension: expected one of yours, such as 0003*210")
    return Place(
        customer=customer,
        extension=extension,
        base=f"{origin_of(request)}{path_of(user, extension)}",
    )


def origin_of(request: Request) -> str:
    """Scheme and host as the client wrote them; "" where it wrote no host that can be repeated."""
    host = request.headers.get("host", "")
    return f"{request.scope['scheme']}://{host}" if _HOST.fullmatch(host) else ""


def _customer(user: str, extension: str, request: Request, tenancy: Tenancy) -> str:
    caller = caller_of(request)
    if user == _OWNER:
        owners = [one.id for one in tenancy.customers if extension in one.extensions]
        if owners and caller.acts_for(owners[0]):
            return owners[0]
    if user in _SELF or user == _OWNER:
        try:
            return customer_of(request, tenancy)
        except Refusal as refusal:
            raise Invalid("user_invalid", f"userId: {refusal.detail}") from None
    if user.startswith("@") or not (caller.acts_for(user) and is_customer(user, tenancy)):
        raise Invalid("user_invalid", "userId: expected your id, @me, @viewer or @owner")
    return user
