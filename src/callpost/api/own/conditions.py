"""Conditions of a request: whether somebody else has changed the thing in the meantime.

If-Match and If-None-Match, RFC 9110, sections 13.1.1 and 13.1.2.
"""

import re
from collections.abc import Mapping
from typing import Final

from callpost.web.problem import Refusal

ETAG: Final[Mapping[str, str]] = {"ETag": "Another one whenever the document is another one"}
IF_MATCH: Final[Mapping[str, str]] = {
    "If-Match": "An ETag: change it only if it is still so, else 412"
}
IF_NONE_MATCH: Final[Mapping[str, str]] = {"If-None-Match": "An ETag: answer 304 if it is still so"}
_TAG: Final = re.compile(r'(W/)?("[^"]*")')


def check_unchanged(headers: Mapping[str, str], etag: str) -> None:
    """Refuse a change of what is no longer as the client knows it."""
    wanted = headers.get("if-match")
    if wanted is None or wanted.strip() == "*":
        return
    # A weak tag never matches here.
    if etag not in {tag for weak, tag in _TAG.findall(wanted) if not weak}:
        raise Refusal(412, "It has been changed since; get it again and look.")


def is_known(headers: Mapping[str, str], etag: str) -> bool:
    """Whether the client has it as it is."""
    known = headers.get("if-none-match")
    if known is None:
        return False
    return known.strip() == "*" or etag in {tag for _, tag in _TAG.findall(known)}
