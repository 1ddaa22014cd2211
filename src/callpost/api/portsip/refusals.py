"""How PortSIP says no: `{"errors": [{"code", "message", "detail"}]}`, one for each fault.

From the PortSIP PBX REST API 22.0, "Error Handling". VALIDATE_FAILED with its message is the only
code of its table beside UNKNOWN; the others are callpost's, and a client takes a code that it does
not know for UNKNOWN. What the detail of a field looks like is callpost's choice.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
from starlette.responses import Response

from callpost.model.fault import Fault
from callpost.web.problem import FieldFault, Refusal

_VALIDATION: Final = ("VALIDATE_FAILED", "field validation failed")
_CODES: Final[Mapping[int, str]] = {
    400: "BAD_REQUEST",
    401: "UNAUTHORIZED",
    403: "ACCESS_DENIED",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    408: "TIMEOUT",
    409: "LIMIT_REACHED",
    413: "TOO_LARGE",
    415: "UNSUPPORTED_MEDIA_TYPE",
    429: "TOO_MANY_REQUESTS",
    500: "INTERNAL_ERROR",
    503: "UNAVAILABLE",
}
_KEY: Final = re.compile(r"[a-z_]*")
# The field of a key of the table; `auth` has fields of its own.
_FIELDS: Final[Mapping[str, str]] = {
    "note": "name",
    "caller": "caller_mask",
    "dtmf": "dtmf_mask",
    "content_type": "headers",
    "connect_timeout_s": "connection_timeout",
    "first_byte_timeout_s": "request_timeout",
    "timeout_s": "request_timeout",
}


def not_found(what: str) -> Refusal:
    """There is no such thing, or none of this caller's; nothing tells which."""
    return Refusal(404, f"There is no such {what}.")


def access_denied() -> Refusal:
    """The caller may only look."""
    return Refusal(403, "This token may only read.")


def invalid(faults: Sequence[Fault]) -> Refusal:
    """The refusal of what is wrong, field by field."""
    told = [FieldFault(fault.path, fault.sentence) for fault in faults]
    return Refusal(400, _VALIDATION[1], errors=told)


def invalid_table(faults: Sequence[Fault]) -> Refusal:
    """The refusal of what the configuration's rules have against it."""
    if any(fault.path == "customer" for fault in faults):
        # The registry may have changed since the receptionist was looked up.
        return not_found("virtual receptionist")
    return invalid([Fault("", _field(fault.path), fault.code, fault.sentence) for fault in faults])


def refused(refusal: Refusal) -> Response:
    """The answer to a request that is refused, whoever refused it."""
    code = _CODES.get(refusal.status, "UNKNOWN")
    errors: list[dict[str, object]] = [
        {
            "code": _VALIDATION[0],
            "message": _VALIDATION[1],
            "detail": {"field": fault.path, "reason": fault.detail},
        }
        for fault in refusal.errors
    ]
    content = msgspec.json.encode({"errors": errors or [{"code": code, "message": refusal.detail}]})
    return Response(content, refusal.status, refusal.headers, media_type="application/json")


def _field(path: str) -> str:
    """The field that a key became, `auth.password` and `headers."X-A"` among them."""
    if path.startswith("auth."):
        return path.removeprefix("auth.")
    found = _KEY.match(path)
    key = found[0] if found else ""
    return _FIELDS.get(key, key)
