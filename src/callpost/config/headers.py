"""The headers that a subscription adds to its requests.

Names are tokens (RFC 9110, section 5.1), values are one line of latin-1; what the protocol or
callpost itself writes is reserved. Values may be secrets and are never quoted.
"""

import re
from collections.abc import Callable
from typing import Final

from msgspec import UNSET

from callpost.config.faults import Spot
from callpost.config.rules import Rule, wrong_type

_TOKEN: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,256}")
_RESERVED: Final = frozenset(
    {"host", "content-length", "transfer-encoding", "connection", "te", "upgrade", "expect"}
)
_RESERVED_PREFIXES: Final = ("webhook-", "callpost-")
# A header block of a web server ends at 8 KiB or 16 KiB, so one value is smaller.
_VALUE_MAX_CHARS: Final = 4_096
_HEADERS_MAX: Final = 64


def header_name(value: object, spot: Spot) -> object:
    """The name of a header that is free for the subscriber's own use."""
    if not isinstance(value, str):
        return wrong_type("a header's name", value, spot)
    if not _TOKEN.fullmatch(value):
        return spot.report("header", "is not a valid name of a header (RFC 9110, section 5.1)")
    if value.lower() in _RESERVED or value.lower().startswith(_RESERVED_PREFIXES):
        return spot.report("header", "this header is reserved: callpost writes it itself")
    if value.lower() == "content-type":
        return spot.report("header", "is set by the key content_type")
    return value


def headers(secret_text: Callable[[object, Spot], object]) -> Rule:
    """A table of names and values; `secret_text` reads a value or the credential it names."""

    def rule(value: object, spot: Spot) -> object:
        if not isinstance(value, dict):
            return wrong_type("a table of names and values", value, spot)
        if len(value) > _HEADERS_MAX:
            return spot.report("range", f"must have at most {_HEADERS_MAX} headers")
        pairs: list[tuple[str, str]] = []
        seen: set[str] = set()
        for name, content in value.items():
            at = spot.key(name)
            if name.lower() in seen:
                at.report("duplicate", "the same header stands here in another case")
            seen.add(name.lower())
            read = secret_text(content, at)
            if header_name(name, at) is not UNSET and isinstance(read, str) and _is_value(read, at):
                pairs.append((name, read))
        return tuple(pairs)

    return rule


def _is_value(value: str, spot: Spot) -> bool:
    """No control but a tab, and nothing outside latin-1 (RFC 9110, section 5.5)."""
    if any((char < " " and char != "\t") or char == "\x7f" for char in value):
        spot.report("header", "must not hold CR, LF, NUL or other control characters")
    elif any(char > "\xff" for char in value):
        spot.report("header", "must hold characters of latin-1 (ISO 8859-1) only")
    elif len(value) > _VALUE_MAX_CHARS:
        spot.report("range", f"must have at most {_VALUE_MAX_CHARS} characters")
    else:
        return True
    return False
