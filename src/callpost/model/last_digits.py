"""Numbers and names of parties as they may be shown: the last three characters, and no more.

Short extensions say nothing about a person and stay as they are.
"""

import re
from typing import Final, assert_never

from callpost.model.limits import LogNumbers

_SHOWN: Final = 3
# What people dial within a house: 210, 1001.
_EXTENSION_MAX: Final = 4
_ADDRESS: Final = re.compile(
    r"(?:(sips?|tel):)?([^@]*)(?:@([^;?>]*))?.*", re.IGNORECASE | re.DOTALL
)
_BRACKETED: Final = re.compile(r"<([^<>]*)>")
# What stands between the digits of a number as it is written by hand.
_SEPARATORS: Final = str.maketrans("", "", " ()/-.")
_WORD: Final = "anonymous"


def shown(party: str | None, numbers: LogNumbers) -> str:
    """A number or a name as the operator wants to see it; "" where it is not shown."""
    match numbers:
        case "full":
            return party or ""
        case "masked":
            return last_digits(party)
        case "none":
            return ""
        case _ as unreachable:
            assert_never(unreachable)


def last_digits(party: str | None) -> str:
    """`…203` of `+4526110203`, `sip:…203@pbx.example`, `210` of `210`; "" where there is none."""
    if not party or party == _WORD:
        return party or ""
    bracketed = _BRACKETED.search(party)
    address = _ADDRESS.fullmatch(bracketed[1] if bracketed else party)
    if address is None:
        return "…"
    scheme, user, host = address.groups()
    shown = f"{scheme.lower()}:" if scheme else ""
    # Parameters, and in a URI a password, are no part of the number (RFC 3261, 19.1.1).
    shown += _shortened(re.split("[:;?]" if scheme or host else ";", user)[0])
    return f"{shown}@{host}" if host else shown


def _shortened(user: str) -> str:
    bare = user.strip().translate(_SEPARATORS)
    return bare if len(bare) <= _EXTENSION_MAX else f"…{bare[-_SHOWN:]}"
