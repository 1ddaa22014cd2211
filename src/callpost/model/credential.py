"""The names of credentials: `credential:NAME` in the configuration stands for a secret in a file.

The name becomes a file's name, so it holds nothing that a path could be made of.
"""

import re
from typing import Final

from msgspec import Struct

_PREFIX: Final = "credential:"
_NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,255}")


class UnreadableCredential(Struct, frozen=True):
    """The credential is there but cannot be used; `sentence` says why, without its content."""

    sentence: str


def credential_name(text: str) -> str | None:
    """The name behind `credential:`; None where the text is no reference, "" where it is faulty."""
    if not text.startswith(_PREFIX):
        return None
    name = text.removeprefix(_PREFIX)
    return name if _NAME.fullmatch(name) and name not in {".", ".."} else ""
