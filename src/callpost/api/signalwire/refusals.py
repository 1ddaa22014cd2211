"""How SignalWire says no: a bare text, and of attributes a list with every one that is bad.

"Unauthorized", "Forbidden", "Not Found", "Internal Server Error" and the body of a 422 with these
codes are its own (developer.signalwire.com, "Error codes"); any other text is callpost's.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec
from msgspec import Struct
from starlette.responses import Response

from callpost.api.ports import TooManyCards
from callpost.api.signalwire.lists import INVALID
from callpost.model.fault import Fault
from callpost.web.problem import Refusal

_EXPLAINED_AT: Final = "https://developer.signalwire.com/rest/overview/error-codes/"
_DOCUMENTED: Final[Mapping[int, str]] = {
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    500: "Internal Server Error",
}
# The attribute of a key of the table.
_ATTRIBUTES: Final[Mapping[str, str]] = {
    "note": "name",
    "url": "primary_request_url",
    "fallback[1].url": "fallback_request_url",
    "status_callback.url": "status_callback_url",
    "customer": "project_id",
}


class Bad(Struct, frozen=True):
    """One attribute that is bad; `url` says where its code is explained."""

    type: str
    code: str
    message: str
    attribute: str | None
    url: str


class Invalid(Refusal):
    """The attributes are bad; each fault is an attribute, a code and a sentence."""

    def __init__(self, faults: Iterable[tuple[str | None, str, str]]) -> None:
        self.bad = [
            Bad("validation_error", code, message, attribute, f"{_EXPLAINED_AT}#{code}")
            for attribute, code, message in faults
        ]
        super().__init__(422, self.bad[0].message)


def invalid_table(faults: Sequence[Fault]) -> Invalid:
    """What the configuration's rules have against it."""
    return Invalid(
        (_ATTRIBUTES.get(fault.path, fault.path), INVALID, fault.sentence) for fault in faults
    )


def too_many(full: TooManyCards) -> Invalid:
    """It is no attribute's fault."""
    return Invalid([(None, "account_limit_exceeded", str(full))])


def not_found() -> Refusal:
    """There is no such handler, or none of this project's; nothing tells which."""
    return Refusal(404, "There is no such handler.")


def refused(refusal: Refusal) -> Response:
    """The answer to a request that is refused, whoever refused it."""
    said: object = _DOCUMENTED.get(refusal.status, refusal.detail)
    if isinstance(refusal, Invalid):
        said = {"errors": refusal.bad}
    content = msgspec.json.encode(said)
    return Response(content, refusal.status, refusal.headers, media_type="application/json")
