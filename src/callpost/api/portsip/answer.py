"""PortSIP action URLs, written: the list answer of a receptionist, its secrets masked.

What PortSIP has no word for is said, and what it has nothing like is left out.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import msgspec

from callpost.api.names import shown_name
from callpost.api.portsip.fields import METHODS
from callpost.api.portsip.header_lines import written_lines
from callpost.api.portsip.masks import SEPARATORS, written_masks
from callpost.api.translated import Exported, Table
from callpost.api.unsaid import hidden_in_url, name_of, texts, unsaid
from callpost.model.credential import credential_name
from callpost.model.disclosure import MASK
from callpost.model.mask import EXTENSION_MASK_PREFIX
from callpost.model.url import ParsedUrl, parse_url
from callpost.model.userinfo import masked_url

_SAID: Final = frozenset(
    {"url", "method", "enabled", "caller", "dtmf", "events", "extension", "extension_type"}
    | {"headers", "content_type", "auth", "connect_timeout_s", "timeout_s"}
)
_MASKS: Final = ("caller", "dtmf")
# What a subscription has that does not say.
_CONNECT_S: Final = 3
_WHOLE_S: Final = 15


def written(tables: Sequence[Table]) -> Exported:
    """The list answer with these action URLs; secrets are masked, as in every answer."""
    lost: list[str] = []
    answers: list[dict[str, object]] = []
    for table in tables:
        if sentence := _unsayable(table):
            lost.append(f"{name_of(table)}: was left out, as {sentence}")
            continue
        said = _SAID | set(_said_otherwise(table))
        lost += unsaid(table, system="PortSIP", said=said)
        lost += (f"{name_of(table)}: {sentence}" for sentence in _half_said(table))
        lost += hidden_in_url(table)
        answers.append(_answer(table))
    return Exported(msgspec.json.encode({"items": answers}), tuple(lost))


def _unsayable(table: Table) -> str:
    """Why PortSIP has nothing like it, "" where it has."""
    if str(table["url"]).lower().startswith(("tcp:", "udp:")):
        return "PortSIP speaks HTTP only"
    kinds = texts(table.get("events"))
    silent = table.get("vocabulary") not in {None, "callpost", "sipgate"}
    if silent or (kinds and "dtmf" not in kinds):
        return "PortSIP has no event but digits"
    return ""


def _said_otherwise(table: Table) -> Iterator[str]:
    """What is not lost: a note that is the name in that system's words, and a time-out twice."""
    if shown_name(table) == table.get("note"):
        yield "note"
    if table.get("first_byte_timeout_s") == table.get("timeout_s", _WHOLE_S):
        yield "first_byte_timeout_s"


def _half_said(table: Table) -> Iterator[str]:
    if texts(table.get("events")) != ("dtmf",) and not texts(table.get("dtmf")):
        yield "PortSIP tells of digits only"
    if texts(table.get("extension_type")) != ("ivr",):
        yield "PortSIP has action URLs of virtual receptionists only"
    extensions = texts(table.get("extension"))
    if len(extensions) != 1 or extensions[0].startswith(EXTENSION_MASK_PREFIX):
        yield "an action URL of PortSIP belongs to one receptionist"
    if table.get("method", "POSTJSON") not in METHODS.values():
        yield f"PortSIP has GET and POST, but no {table['method']}"
    if any(SEPARATORS.intersection(mask) for key in _MASKS for mask in texts(table.get(key))):
        yield "a mask with a comma or a semicolon is read as two"
    overrides = str(table["url"]).partition("#")[2]
    if any(not part.startswith(("ct=", "tt=")) for part in overrides.split("&") if part):
        yield "PortSIP has no word for rt, rc and rp in the URL's fragment"
    yield from _hidden(table)
    for key in ("connect_timeout_s", "timeout_s"):
        if not isinstance(table.get(key, 1), int):
            yield f"{key} was rounded up to whole seconds"


def _hidden(table: Table) -> Iterator[str]:
    if table.get("auth"):
        yield "its auth was written without the secret"
    for name, value in _header_table(table).items():
        if value:
            yield f"the header {name} was written without its value"


def _answer(table: Table) -> dict[str, object]:
    url, _, _ = str(table["url"]).partition("#")
    # Any header may be what proves who asks.
    headers = {name: value and MASK for name, value in _header_table(table).items()}
    if table.get("content_type"):
        headers["Content-Type"] = str(table["content_type"])
    return {
        "name": shown_name(table),
        "enabled": table.get("enabled") is not False,
        "type": "DTMF",
        "caller_mask": written_masks(texts(table.get("caller"))),
        "dtmf_mask": written_masks(texts(table.get("dtmf"))),
        "method": "GET" if str(table.get("method", "")).startswith("GET") else "POST",
        "headers": written_lines(headers),
        **_answered_timeouts(table),
        **_answered_auth(table.get("auth")),
        "url": masked_url(url),
    }


def _header_table(table: Table) -> dict[str, str]:
    headers = table.get("headers")
    return {str(k): str(v) for k, v in headers.items()} if isinstance(headers, Mapping) else {}


def _answered_timeouts(table: Table) -> dict[str, int]:
    """What the URL's fragment says goes first, as in callpost."""
    parsed = parse_url(str(table["url"]))
    overrides = parsed.overrides if isinstance(parsed, ParsedUrl) else None
    connect_s = (overrides and overrides.connect_s) or table.get("connect_timeout_s", _CONNECT_S)
    whole_s = (overrides and overrides.whole_s) or table.get("timeout_s", _WHOLE_S)
    return {"connection_timeout": _seconds(connect_s), "request_timeout": _seconds(whole_s)}


def _seconds(value: object) -> int:
    return math.ceil(value) if isinstance(value, int | float) else 1


def _answered_auth(auth: object) -> dict[str, str]:
    kind = "DISABLE"
    username = password = token = ""
    match auth:
        case {"type": "basic" | "digest" as written_kind, "username": str(name)}:
            kind = "BASIC" if written_kind == "basic" else "DIGEST"
            username = name if credential_name(name) is None else MASK
            password = MASK
        case {"type": "bearer"}:
            kind, token = "BEARER", MASK
        case _:
            pass
    return {"auth": kind, "username": username, "password": password, "token": token}
