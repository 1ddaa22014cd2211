"""The URL of an endpoint: taken apart strictly, or refused in the field's own words.

What is accepted has one reading only: no user name that looks like a host, no number that looks
like a name. The fault words are those of the callnotify API that users of such systems know.
"""

import re
import unicodedata
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Final, Literal, get_args
from urllib.parse import quote, unquote_to_bytes

import idna
from msgspec import Struct

from callpost.model.endpoint import BasicAuth
from callpost.model.url_overrides import Overrides, parse_overrides

Scheme = Literal["http", "https", "tcp", "udp"]

INVALID_URL: Final = "Invalid URL"
INVALID_PROTOCOL: Final = "URL protocol is invalid"
ONLY_HOST_AND_PORT: Final = "Protocol types TCP and UDP only permit host and port"
PORT_REQUIRED: Final = "Protocol types TCP and UDP requires a valid port"
INVALID_PORT: Final = "Port is invalid"
INVALID_ADDRESS: Final = "URL points to an invalid IP address"
INVALID_HOSTNAME: Final = "URL points to an invalid hostname"

_SCHEMES: Final[tuple[Scheme, ...]] = get_args(Scheme)
_DEFAULT_PORTS: Final[dict[Scheme, int]] = {"http": 80, "https": 443}
# Common servers end a request line at 8 KiB; twice that is surely no URL.
_URL_MAX_CHARS: Final = 16_384
# RFC 1035, section 2.3.4.
_NAME_MAX_CHARS: Final = 253
_SCHEME_AND_REST: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://(.*)", re.DOTALL)
# Braces and angle brackets are never in a URL, but in a template that nobody filled in.
_NEVER_IN_A_URL: Final = frozenset("\\{}<>")
# Separators, controls, formats (bidi marks) and surrogates.
_INVISIBLE: Final = frozenset({"Zs", "Zl", "Zp", "Cc", "Cf", "Cs"})
# Operators' internal names have underscores, also in front (RFC 8552).
_LABEL: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
# A last label like these makes other parsers read an address: 127.1, 2130706433, 0x7f.0.0.1.
_NUMERIC_LABEL: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")
_LONE_PERCENT: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
# RFC 3986, sections 3.3 and 3.4; `%` stands here because what is encoded already stays as it is.
_TARGET_SAFE: Final = "/:@!$&'()*+,;=-._~%"


class UrlFault(Struct, frozen=True):
    """Why it is no URL of ours: words of the field, or a sentence about the fragment."""

    sentence: str


class ParsedUrl(Struct, frozen=True, kw_only=True):
    """`host` is lower-case: an A-label or an address without brackets.

    `target` is path and query in ASCII, "" for tcp and udp; `auth` is the URL's userinfo.
    """

    scheme: Scheme
    host: str
    port: int
    target: str = ""
    auth: BasicAuth | None = None
    overrides: Overrides = Overrides()

    @property
    def origin(self) -> tuple[Scheme, str, int]:
        """Scheme, host and port: what decides whether credentials may go along."""
        return (self.scheme, self.host, self.port)


def parse_url(text: str) -> ParsedUrl | UrlFault:
    """Take a URL apart; never raises."""
    match = _SCHEME_AND_REST.fullmatch(text)
    if match is None or len(text) > _URL_MAX_CHARS or any(map(_never_in_a_url, text)):
        return UrlFault(INVALID_URL)
    scheme = _known_scheme(match[1])
    if scheme is None:
        return UrlFault(INVALID_PROTOCOL)
    rest, _, fragment = match[2].partition("#")
    before_query, question_mark, query = rest.partition("?")
    authority, slash, path = before_query.partition("/")
    if scheme not in _DEFAULT_PORTS and (slash or question_mark or "@" in authority):
        return UrlFault(ONLY_HOST_AND_PORT)
    overrides = parse_overrides(fragment)
    if isinstance(overrides, str):
        return UrlFault(overrides)
    target = _target(path, query) if scheme in _DEFAULT_PORTS else ""
    return _assembled(scheme, authority, target, overrides)


def _never_in_a_url(char: str) -> bool:
    return char in _NEVER_IN_A_URL or unicodedata.category(char) in _INVISIBLE


def _known_scheme(text: str) -> Scheme | None:
    for scheme in _SCHEMES:
        if text.lower() == scheme:
            return scheme
    return None


def _target(path: str, query: str) -> str:
    target = _encoded(f"/{path}", safe=_TARGET_SAFE)
    return f"{target}?{_encoded(query, safe=_TARGET_SAFE + '?')}" if query else target


def _encoded(text: str, *, safe: str) -> str:
    """Percent-encode what needs it; a `%` that begins no escape is meant as itself."""
    return quote(_LONE_PERCENT.sub("%25", text), safe=safe)


def _assembled(
    scheme: Scheme, authority: str, target: str, overrides: Overrides
) -> ParsedUrl | UrlFault:
    userinfo, at, host_and_port = authority.rpartition("@")
    auth = _credentials(userinfo) if at else None
    if isinstance(auth, UrlFault):
        return auth
    split = _host_and_port(host_and_port)
    if isinstance(split, UrlFault):
        return split
    host_text, port_text = split
    host = _host(host_text)
    if isinstance(host, UrlFault):
        return host
    port = _DEFAULT_PORTS.get(scheme) if port_text is None else _port(port_text)
    if port is None:
        return UrlFault(INVALID_PORT if scheme in _DEFAULT_PORTS else PORT_REQUIRED)
    return ParsedUrl(
        scheme=scheme,
        host=host,
        port=port,
        target=target,
        auth=auth,
        overrides=overrides,
    )


def _credentials(userinfo: str) -> BasicAuth | UrlFault:
    """RFC 7617 has no user name with a colon; an `@` that is not escaped has two readings."""
    name, _, password = userinfo.partition(":")
    username, secret = _decoded(name), _decoded(password)
    if not userinfo or "@" in userinfo or username is None or secret is None or ":" in username:
        return UrlFault(INVALID_URL)
    return BasicAuth(username=username, password=secret)


def _decoded(text: str) -> str | None:
    try:
        decoded = unquote_to_bytes(text).decode()
    except UnicodeDecodeError:
        return None
    controls = any(unicodedata.category(char) == "Cc" for char in decoded)
    return None if controls or _LONE_PERCENT.search(text) else decoded


def _host_and_port(text: str) -> tuple[str, str | None] | UrlFault:
    """The host with its brackets, and the text after the colon (None without a colon)."""
    if text.startswith("["):
        host, bracket, rest = text.partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            return UrlFault(INVALID_URL)
        return host + bracket, rest[1:] if rest else None
    host, colon, port = text.partition(":")
    if not host:
        is_bare_ipv6 = _ipv6(text) is not None
        return UrlFault(INVALID_ADDRESS if is_bare_ipv6 else INVALID_URL)
    if ":" in port:
        return UrlFault(INVALID_ADDRESS if _ipv6(text) is not None else INVALID_URL)
    return host, port if colon else None


def _port(text: str) -> int | None:
    if not (text.isascii() and text.isdigit() and len(text) <= 5):
        return None
    return int(text) if 1 <= int(text) <= 65_535 else None


def _host(text: str) -> str | UrlFault:
    if text.startswith("["):
        address = _ipv6(text[1:-1])
        return UrlFault(INVALID_ADDRESS) if address is None else address
    name = text.lower() if text.isascii() else _a_labels(text)
    if name is None:
        return UrlFault(INVALID_HOSTNAME)
    labels = name.split(".")
    # A trailing dot does not make a name of an address.
    if _NUMERIC_LABEL.fullmatch(name.removesuffix(".").rpartition(".")[2]):
        # Also digits of other scripts, which turned into these, are no address.
        return name if text.isascii() and _is_ipv4(name) else UrlFault(INVALID_ADDRESS)
    if len(name) > _NAME_MAX_CHARS or not all(map(_LABEL.fullmatch, labels)):
        return UrlFault(INVALID_HOSTNAME)
    return name


def _a_labels(text: str) -> str | None:
    if len(text) > _NAME_MAX_CHARS:
        return None
    try:
        return idna.encode(text, uts46=True).decode().lower()
    except (idna.IDNAError, UnicodeError):
        return None


def _ipv6(text: str) -> str | None:
    """The address in its shortest form; a zone is of this machine only and has no place here."""
    try:
        return None if "%" in text else IPv6Address(text).compressed
    except AddressValueError:
        return None


def _is_ipv4(text: str) -> bool:
    """Only four plain decimals are an address: others may read 0177 as octal."""
    try:
        IPv4Address(text)
    except AddressValueError:
        return False
    return True
