"""PortSIP action URLs of a virtual receptionist, read: URLs asked when a caller presses digits.

From the PortSIP PBX REST API, "action_urls"; the pages show `DTMF`, `GET`, `DISABLE` and time-outs
of 2 only. Seconds, POST, BASIC, DIGEST, BEARER, one `Name: value` a line and masks with commas
between them are callpost's own reading. No secret is carried over: a credential is named for it.
"""

from typing import Final, Literal, get_args

from msgspec import Struct
from msgspec.structs import replace

from callpost.api.document import Item, decoded, items
from callpost.api.names import Names, named
from callpost.api.portsip.header_lines import read_lines
from callpost.api.translated import Refused, Table, Translated
from callpost.model.credential import credential_name
from callpost.model.mask import dtmf_pattern_fault, number_mask_fault
from callpost.model.url import ParsedUrl, UrlFault, parse_url

_Auth = Literal["DISABLE", "BASIC", "DIGEST", "BEARER"]

# What PortSIP shows of a secret.
MASKED: Final = "********"
METHODS: Final = {"GET": "GET2", "POST": "POSTJSON"}
# As long as a note can be.
_NAME_MAX_CHARS: Final = 1_024
# As a configuration has it.
_MASK_MAX_CHARS: Final = 255
# The longest that a configuration allows.
_CONNECT_MAX_S: Final = 60
_WHOLE_MAX_S: Final = 300
# A day: longer than anyone waits for an answer.
_SECONDS_MAX: Final = 86_400


class _Draft(Struct, frozen=True):
    """An item on its way: its table, what was lost, and the names of credentials in this list."""

    item: Item
    table: Table
    lost: list[str]
    credentials: Names

    def secret(self, key: str, about: str) -> str:
        """The reference to a credential that is to hold what stands under `key`."""
        name = self.credentials.given(f"{str(self.table['name'])[:40]}-{about}")
        sentence = f"put it into the credential {name}"
        self.lost.append(f"{self.item.at(key)} is a secret and was not carried over; {sentence}")
        return f"credential:{name}"


def read(document: bytes, *, of: str = "") -> tuple[Translated | Refused, ...]:
    """The action URLs of a list answer; `of` is the extension of the receptionist."""
    credentials = Names()
    missing = _missing(document)
    found: list[Translated | Refused] = []
    for item in items(document, "items"):
        one = _translated(item, of, credentials) if isinstance(item, Item) else item
        if isinstance(one, Translated) and missing:
            one, missing = replace(one, lost=one.lost + missing), ()
        found.append(one)
    return tuple(found)


def _translated(item: Item, of: str, credentials: Names) -> Translated | Refused:
    item.value("id")
    item.word("type", ("DTMF",), code="type", default="DTMF")
    method = item.word("method", tuple(METHODS), code="method", default="GET")
    name = item.text("name", code="name", most=_NAME_MAX_CHARS) or f"portsip-{of}".strip("-")
    table: Table = {**named(name), "url": _url(item), "method": METHODS[method]}
    if not item.flag("enabled", code="enabled", default=True):
        table["enabled"] = False
    if of:
        table["extension"] = [of]
    table["extension_type"] = ["ivr"]
    draft = _Draft(item, table, [], credentials)
    if not of:
        draft.lost.append("the list does not say of which receptionist it is; all are meant")
    _masks(draft)
    _auth(draft)
    _headers(draft, has_body=method == "POST")
    _timeouts(draft)
    lost = (*draft.lost, *item.left_over())
    return item.refused() or Translated(paths=(item.path,), table=table, lost=lost)


def _url(item: Item) -> str:
    url = item.needed("url", code="url", most=16_384)
    match parse_url(url) if url else None:
        case UrlFault(sentence=sentence):
            item.fault("url", "url", sentence)
        case ParsedUrl(scheme="tcp" | "udp"):
            item.fault("url", "url", "expected a URL of http or https")
        case _:
            pass
    return url


def _masks(draft: _Draft) -> None:
    """Without a mask any caller is meant, and any digits."""
    for key, to, fault_of in (
        ("caller_mask", "caller", number_mask_fault),
        ("dtmf_mask", "dtmf", dtmf_pattern_fault),
    ):
        masks = [mask.strip() for mask in draft.item.text(key, code=key).split(",")]
        masks = [mask for mask in masks if mask]
        for sentence in filter(None, map(fault_of, masks)):
            draft.item.fault(key, key, sentence.removesuffix("."))
        if not all(mask.isprintable() and len(mask) <= _MASK_MAX_CHARS for mask in masks):
            sentence = f"a mask has at most {_MASK_MAX_CHARS} characters, none of them a control"
            draft.item.fault(key, key, sentence)
        if masks:
            draft.table[to] = masks
    if "dtmf" not in draft.table:
        draft.table["events"] = ["dtmf"]


def _auth(draft: _Draft) -> None:
    item = draft.item
    kind = item.word("auth", get_args(_Auth), code="auth", default="DISABLE")
    told = {key: item.text(key, code=key) for key in ("username", "password", "token")}
    needed: tuple[str, ...] = ()
    match kind:
        case "BASIC" | "DIGEST":
            needed = ("username", "password")
            draft.table["auth"] = {
                "type": kind.lower(),
                "username": _username(draft, kind, told["username"]),
                "password": draft.secret("password", "password"),
            }
        case "BEARER":
            needed = ("token",)
            draft.table["auth"] = {"type": "bearer", "token": draft.secret("token", "token")}
    for key, text in told.items():
        if text and key not in needed:
            draft.lost.append(f"{item.at(key)} has no use with auth {kind}; it was left out")


def _username(draft: _Draft, kind: str, username: str) -> str:
    fault = ""
    if username == MASKED:
        return draft.secret("username", "username")
    if not username:
        fault = f"is required with auth {kind}"
    elif credential_name(username) is not None:
        # Whoever wrote the list would get the secret of that name.
        fault = "begins with credential:, which names a secret here"
    elif not username.isprintable():
        fault = "must not hold control characters"
    elif ":" in username and kind == "BASIC":
        fault = "must not hold a colon (RFC 7617)"
    if fault:
        draft.item.fault("username", "username", fault)
    return username


def _headers(draft: _Draft, *, has_body: bool) -> None:
    item = draft.item
    lines = read_lines(item.text("headers", code="headers", most=65_536))
    draft.lost.extend(f"{item.at('headers')}: {sentence}" for sentence in lines.lost)
    headers = dict(lines.headers)
    for name, value in lines.headers.items():
        if name.lower() == "authorization" and _has_auth(draft):
            del headers[name]
            sentence = f"{name} was left out, as auth or the URL has it"
            draft.lost.append(f"{item.at('headers')}: {sentence}")
        elif value == MASKED:
            headers[name] = draft.secret("headers", name)
    if headers:
        draft.table["headers"] = headers
    if lines.content_type and has_body:
        draft.table["content_type"] = lines.content_type
    elif lines.content_type:
        sentence = "Content-Type was left out, as a GET has no body"
        draft.lost.append(f"{item.at('headers')}: {sentence}")


def _has_auth(draft: _Draft) -> bool:
    parsed = parse_url(str(draft.table["url"]))
    return "auth" in draft.table or (isinstance(parsed, ParsedUrl) and parsed.auth is not None)


def _timeouts(draft: _Draft) -> None:
    for key, to, most in (
        ("connection_timeout", "connect_timeout_s", _CONNECT_MAX_S),
        ("request_timeout", "timeout_s", _WHOLE_MAX_S),
    ):
        seconds = draft.item.whole(key, code=key, least=1, most=_SECONDS_MAX)
        if seconds is None:
            continue
        if seconds > most:
            draft.lost.append(f"{draft.item.at(key)} became {most} s, the longest there is")
        draft.table[to] = min(seconds, most)


def _missing(document: bytes) -> tuple[str, ...]:
    """A sentence where the answer has a part of the list only."""
    match decoded(document):
        case {"count": int(count), "items": list(listed)} if count > len(listed):
            return (f"there are {count} action URLs, and these are {len(listed)} of them",)
        case _:
            return ()
