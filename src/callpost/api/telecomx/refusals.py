"""How TelecomX says no: `{"error": code, "message": sentence}`.

The codes 403 access_denied, 404 customer and not_found, 422 url, method and selection, and 500
internal_error are its own, with its sentences; the other codes are callpost's.
"""

from collections.abc import Mapping
from typing import Final

import msgspec
from starlette.responses import Response

from callpost.api.ports import CardsRefused
from callpost.web.problem import Refusal

_CODES: Final[Mapping[int, str]] = {
    400: "bad_request",
    401: "access_denied",
    404: "not_found",
    405: "method_not_allowed",
    408: "timeout",
    413: "too_large",
    415: "unsupported_media_type",
    429: "too_many_requests",
    500: "internal_error",
    503: "unavailable",
}


class Denied(Refusal):
    """A refusal with a code of TelecomX's."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(status, message)
        self.code = code


def access_denied() -> Denied:
    """The caller does not act for this customer, or may only look; nothing tells which."""
    return Denied(403, "access_denied", "Access denied")


def no_customer() -> Denied:
    """The customer is not in the registry."""
    return Denied(404, "customer", "Customer not found")


def not_found() -> Denied:
    """The customer has no such item."""
    return Denied(404, "not_found", "Callnotify not found")


def unusable(refused: CardsRefused) -> Denied:
    """The first thing that is wrong with what the item stands for."""
    fault = refused.faults[0]
    # The registry may have changed since the customer was looked up.
    return no_customer() if fault.path == "customer" else Denied(422, fault.path, fault.sentence)


def refused(refusal: Refusal) -> Response:
    """The answer to a request that is refused, whoever refused it."""
    code = refusal.code if isinstance(refusal, Denied) else _CODES.get(refusal.status, "refused")
    content = msgspec.json.encode({"error": code, "message": refusal.detail})
    return Response(content, refusal.status, refusal.headers, media_type="application/json")
