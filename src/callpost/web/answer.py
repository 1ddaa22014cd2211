"""An answer in JSON, for whoever makes one by hand."""

from collections.abc import Mapping

import msgspec
from starlette.responses import Response

from callpost.web.asked import JSON_TYPE


def in_json(
    content: object, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """The content as JSON."""
    return Response(msgspec.json.encode(content), status, headers, media_type=JSON_TYPE)
