"""What a header of a subscriber's own may be called, and what it may hold.

Names are tokens (RFC 9110, section 5.1), values are one line of latin-1 (section 5.5); what the
protocol or callpost itself writes is reserved. A value may be a secret and is never quoted.
"""

import re
from typing import Final, Literal

# A header block of a web server ends at 8 KiB or 16 KiB, so one value is smaller.
_VALUE_MAX_CHARS: Final = 4_096
HEADERS_MAX: Final = 64
_TOKEN: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,256}")
# RFC 9110, section 8.3.1; what the parameters mean is the receiver's affair.
_MEDIA_TYPE: Final = re.compile(r"[\w!#$&^.+-]+/[\w!#$&^.+-]+(?:\s*;[ -~]*)?", re.ASCII)
_MEDIA_TYPE_MAX_CHARS: Final = 256
_RESERVED: Final = frozenset(
    {"host", "content-length", "transfer-encoding", "connection", "te", "upgrade", "expect"}
)
_RESERVED_PREFIXES: Final = ("webhook-", "callpost-")


def is_token(name: str) -> bool:
    """Whether a header can be called so."""
    return _TOKEN.fullmatch(name) is not None


def is_reserved(name: str) -> bool:
    """Whether callpost writes this header itself."""
    return name.lower() in _RESERVED or name.lower().startswith(_RESERVED_PREFIXES)


def is_media_type(text: str) -> bool:
    """Whether it can be a Content-Type."""
    return len(text) <= _MEDIA_TYPE_MAX_CHARS and _MEDIA_TYPE.fullmatch(text) is not None


def value_fault(value: str) -> tuple[Literal["header", "range"], str] | None:
    """Why a header cannot hold it, as a code and a sentence; None where it can."""
    if any((char < " " and char != "\t") or char == "\x7f" for char in value):
        return "header", "must not hold CR, LF, NUL or other control characters"
    if any(char > "\xff" for char in value):
        return "header", "must hold characters of latin-1 (ISO 8859-1) only"
    if len(value) > _VALUE_MAX_CHARS:
        return "range", f"must have at most {_VALUE_MAX_CHARS} characters"
    return None
