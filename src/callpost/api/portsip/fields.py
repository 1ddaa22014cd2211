"""One action URL of PortSIP, field by field: what each is to a subscription.

From the PortSIP PBX REST API 22.0, "createActionUrl"; one `Name: value` a line, the marks of the
masks and what a time-out of 0 is are callpost's own reading. What is wrong is in the item, and
what a table cannot say in `lost`; what stands there for a secret is for the caller to say.
"""

from collections.abc import Callable
from typing import Final, Literal, get_args

from msgspec import Struct

from callpost.api.document import Item
from callpost.api.names import named
from callpost.api.portsip.header_lines import read_lines
from callpost.api.portsip.masks import caller_masks, dtmf_masks
from callpost.api.translated import Table
from callpost.model.credential import credential_name
from callpost.model.disclosure import MASK
from callpost.model.url import ParsedUrl, UrlFault, parse_url

_Auth = Literal["DISABLE", "BASIC", "DIGEST", "BEARER"]

CREDENTIAL: Final = "begins with credential:, which names a secret here"
METHODS: Final = {"GET": "GET2", "POST": "POSTJSON"}
# As long as a note can be.
_NAME_MAX_CHARS: Final = 1_024
# The longest that a configuration allows.
CONNECT_MAX_S: Final = 60
WHOLE_MAX_S: Final = 300
# A day: longer than anyone waits for an answer.
_SECONDS_MAX: Final = 86_400


class Loss(Struct, frozen=True):
    """What a field asks for in vain, and what becomes of it instead.

    `matters`: who makes the action URL here must hear of it, as it will not do what it says.
    """

    key: str
    sentence: str
    instead: str
    matters: bool = False


class Draft(Struct, frozen=True):
    """An item on its way: its table as far as it has come."""

    item: Item
    table: Table
    lost: list[Loss]

    def lose(self, key: str, sentence: str, instead: str, *, matters: bool = False) -> None:
        """Remember a loss."""
        self.lost.append(Loss(key, sentence, instead, matters))


# The draft, the field, what the secret is for, and the secret, to what the table has of it.
Secret = Callable[[Draft, str, str, str], str]


def drafted(item: Item, of: str, secret: Secret) -> Draft:
    """The table of an item of the receptionist `of`, "" where that is not known."""
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
    draft = Draft(item, table, [])
    _masks(draft)
    _auth(draft, secret)
    _headers(draft, secret, has_body=method == "POST")
    _timeouts(draft)
    return draft


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


def _masks(draft: Draft) -> None:
    """Without a mask any caller is meant, and any digits."""
    for key, to, masks_of in (
        ("caller_mask", "caller", caller_masks),
        ("dtmf_mask", "dtmf", dtmf_masks),
    ):
        masks, faults = masks_of(draft.item.text(key, code=key))
        for sentence in faults:
            draft.item.fault(key, key, sentence.removesuffix("."))
        if masks:
            draft.table[to] = masks
    if "dtmf" not in draft.table:
        draft.table["events"] = ["dtmf"]


def _auth(draft: Draft, secret: Secret) -> None:
    item = draft.item
    kind = item.word("auth", get_args(_Auth), code="auth", default="DISABLE")
    told = {key: item.text(key, code=key) for key in ("username", "password", "token")}
    needed: tuple[str, ...] = ()
    match kind:
        case "BASIC" | "DIGEST":
            needed = ("username", "password")
            draft.table["auth"] = {
                "type": kind.lower(),
                "username": _username(draft, kind, told["username"], secret),
                "password": secret(draft, "password", "password", told["password"]),
            }
        case "BEARER":
            needed = ("token",)
            token = secret(draft, "token", "token", told["token"])
            draft.table["auth"] = {"type": "bearer", "token": token}
    for key, text in told.items():
        if text and key not in needed:
            draft.lose(key, f"has no use with auth {kind}", "it was left out")


def _username(draft: Draft, kind: str, username: str, secret: Secret) -> str:
    fault = ""
    if username == MASK:
        return secret(draft, "username", "username", username)
    if not username:
        fault = f"is required with auth {kind}"
    elif credential_name(username) is not None:
        # Whoever wrote the list would get the secret of that name.
        fault = CREDENTIAL
    elif not username.isprintable():
        fault = "must not hold control characters"
    elif ":" in username and kind == "BASIC":
        fault = "must not hold a colon (RFC 7617)"
    if fault:
        draft.item.fault("username", "username", fault)
    return username


def _headers(draft: Draft, secret: Secret, *, has_body: bool) -> None:
    lines = read_lines(draft.item.text("headers", code="headers", most=65_536))
    for sentence in lines.faults:
        draft.lose("headers", sentence, "it was left out", matters=True)
    headers = dict(lines.headers)
    for name, value in lines.headers.items():
        if name.lower() == "authorization" and _has_auth(draft):
            del headers[name]
            sentence = f"{name} makes no sense, as auth or the URL has it"
            draft.lose("headers", sentence, "it was left out", matters=True)
        elif value == MASK:
            headers[name] = secret(draft, "headers", name, value)
    if headers:
        draft.table["headers"] = headers
    if lines.content_type and has_body:
        draft.table["content_type"] = lines.content_type
    elif lines.content_type:
        draft.lose("headers", "Content-Type has no use, as a GET has no body", "it was left out")


def _has_auth(draft: Draft) -> bool:
    parsed = parse_url(str(draft.table["url"]))
    return "auth" in draft.table or (isinstance(parsed, ParsedUrl) and parsed.auth is not None)


def _timeouts(draft: Draft) -> None:
    """How long the whole request may take counts for the first byte of the answer, too."""
    for key, most, to in (
        ("connection_timeout", CONNECT_MAX_S, ("connect_timeout_s",)),
        ("request_timeout", WHOLE_MAX_S, ("first_byte_timeout_s", "timeout_s")),
    ):
        seconds = draft.item.whole(key, code=key, least=0, most=_SECONDS_MAX)
        if seconds is None:
            continue
        if seconds == 0:
            draft.lose(key, "0 is no time-out", "callpost's own counts")
            continue
        if seconds > most:
            sentence = f"is longer than {most} s, the longest there is"
            draft.lose(key, sentence, f"it became {most} s", matters=True)
        draft.table.update(dict.fromkeys(to, min(seconds, most)))
