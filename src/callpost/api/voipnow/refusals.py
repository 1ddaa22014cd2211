"""How VoipNow says no: `{"error":{"code":…,"message":…}}`, with codes of its own.

From wiki.4psa.com, UnifiedAPI "HTTP Return Codes" and the pages on PhoneCallEvents; where they
have no code for a fault of the site, the code is ours.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
from starlette.responses import Response

from callpost.model.fault import Fault
from callpost.web.problem import Refusal, ended

# What a fault of the configuration's rules is called here, by the key of the table.
_CODE_OF_KEY: Final[Mapping[str, str]] = {
    "url": "pce_url_invalid",
    "method": "pce_method_invalid",
    "note": "pce_note_invalid",
    "extension": "extension_invalid",
    "customer": "user_invalid",
}
_CODE_OF_STATUS: Final[Mapping[int, str]] = {
    401: "access_denied",
    403: "access_denied",
    404: "request_unknown",
    405: "request_not_implemented",
    408: "request_timeout",
    413: "request_too_large",
    415: "content_type_invalid",
    429: "too_many_requests",
    500: "internal_server_error",
    503: "service_unavailable",
}
_OTHERWISE: Final = "request_invalid"
_KEY: Final = re.compile(r"[a-z_]*")


class Invalid(Refusal):
    """A request that is answered with a code of VoipNow's, usually with status 400."""

    def __init__(self, code: str, sentence: str, *, status: int = 400) -> None:
        super().__init__(status, ended(sentence.removesuffix(".")))
        self.code = code


def refused(refusal: Refusal) -> Response:
    """The answer to any request that is not fulfilled."""
    code = _CODE_OF_STATUS.get(refusal.status, _OTHERWISE)
    if isinstance(refusal, Invalid):
        code = refusal.code
    return Response(
        msgspec.json.encode({"error": {"code": code, "message": refusal.detail}}),
        refusal.status,
        refusal.headers,
        media_type="application/json",
    )


def invalid_item(faults: Sequence[Fault]) -> Invalid:
    """The first thing that is wrong with an event as it was sent."""
    first = faults[0]
    return Invalid(first.code, f"{first.path.removeprefix('$.')}: {first.sentence}")


def invalid_table(faults: Sequence[Fault]) -> Invalid:
    """The first thing that the configuration's rules have against it."""
    first = faults[0]
    key = _KEY.match(first.path)
    code = _CODE_OF_KEY.get(key[0] if key else "", _OTHERWISE)
    return Invalid(code, f"{first.path}: {first.sentence}" if first.path else first.sentence)
