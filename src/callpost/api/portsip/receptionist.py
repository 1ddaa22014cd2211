"""Which virtual receptionist a request is about, and whose it is.

Somebody else's is told as one that nobody has; where a customer's are not registered, any
extension may be one of them.
"""

from typing import Final

from msgspec import Struct
from starlette.requests import Request

from callpost.api.portsip.refusals import not_found
from callpost.api.whose import customer_of
from callpost.model.mask import EXTENSION_MASK_PREFIX
from callpost.model.tenancy import Tenancy
from callpost.model.unseen import unseen
from callpost.web.caller import caller_of

# As long as an extension may be.
_ID_MAX_CHARS: Final = 255


class Receptionist(Struct, frozen=True):
    """`ivr` is the id in the path, which is the extension of its events."""

    customer: str
    ivr: str


def receptionist_of(request: Request, tenancy: Tenancy) -> Receptionist:
    """The receptionist in the path; raises Refusal."""
    ivr = str(request.path_params["ivr"])
    caller = caller_of(request)
    for one in tenancy.customers:
        if ivr in one.ivrs and caller.acts_for(one.id):
            return Receptionist(one.id, ivr)
    customer = customer_of(request, tenancy)
    is_registered = any(one.id == customer and one.ivrs for one in tenancy.customers)
    if is_registered or not _is_extension(ivr):
        raise not_found("virtual receptionist")
    return Receptionist(customer, ivr)


def _is_extension(ivr: str) -> bool:
    """Whether it can be one extension; a mask would be many."""
    is_one = not ivr.startswith(EXTENSION_MASK_PREFIX)
    return is_one and len(ivr) <= _ID_MAX_CHARS and not unseen(ivr)
