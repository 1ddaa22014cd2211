"""A subscription's doors as written: the keys of an endpoint and which of them go together.

`auth`, `headers` and `tls` never leave for another scheme, host or port than the one they were
written for.
"""

from collections.abc import Iterator, Mapping
from typing import Final, Literal, get_args

from msgspec import UNSET, Struct, UnsetType, convert
from msgspec.structs import replace

from callpost.config.credentials import auth, secret_text
from callpost.config.faults import Spot
from callpost.config.headers import headers
from callpost.config.proxies import proxy
from callpost.config.rules import (
    Rules,
    absolute_path,
    choice,
    fields_choice,
    flag,
    read_table,
    text,
    whole,
    wrong_type,
)
from callpost.model.endpoint import Auth, Frame, HttpClient, Proxy, Tls
from callpost.model.header import is_media_type
from callpost.model.url import INVALID_URL, ParsedUrl, UrlFault, parse_url
from callpost.model.vocabulary import METHODS, Level, Method

GET_METHODS: Final = frozenset({"GET1", "GET2"})
# The methods whose level the subscriber may choose; the others have it in their name.
_LEVEL_IS_FREE: Final = frozenset({"POSTARGS", "POSTJSON"})
_OF_HTTP: Final = frozenset({"headers", "auth", "content_type", "http2", "proxy", "http_client"})
# Which keys cannot mean anything, by scheme.
_SENSELESS: Final[Mapping[str, frozenset[str]]] = {
    "http": frozenset({"frame", "envelope", "ack", "tls", "http2"}),
    "https": frozenset({"frame", "envelope", "ack"}),
    "tcp": _OF_HTTP,
    "udp": _OF_HTTP | {"frame", "ack", "tls"},
}


def _url(value: object, spot: Spot) -> object:
    parsed = parse_url(value) if isinstance(value, str) else UrlFault(INVALID_URL)
    if not isinstance(parsed, UrlFault):
        return parsed
    lacks_scheme = isinstance(value, str) and value and "://" not in value
    hint = ": it has no scheme, such as https://" if lacks_scheme else ""
    return spot.report("url", f"{parsed.sentence}{hint}")


def _content_type(value: object, spot: Spot) -> object:
    """A media type with or without parameters, "" for the method's own."""
    read = text(most=256)(value, spot)
    if isinstance(read, str) and read and not is_media_type(read):
        return spot.report("header", 'expected a media type such as "text/xml; charset=utf-8"')
    return read


def readable_file(value: object, spot: Spot) -> object:
    """A file that can be read, by its absolute path; "" for none."""
    if value == "":
        return value
    path = absolute_path(value, spot)
    fault = spot.lookups.machine.file_fault(path) if isinstance(path, str) else None
    return path if fault is None else spot.report("file", fault)


def _authorities(value: object, spot: Spot) -> object:
    """A file with the certificates of authorities; "" for the system's."""
    path = readable_file(value, spot)
    fault = spot.lookups.machine.authorities_fault(path) if isinstance(path, str) and path else None
    return path if fault is None else spot.report("tls", fault)


_TLS: Final[Rules] = {
    "verify": flag,
    "ca_file": _authorities,
    "client_cert": readable_file,
    "client_key": readable_file,
}


def _tls(value: object, spot: Spot) -> object:
    if not isinstance(value, dict):
        return wrong_type("a table", value, spot)
    if value.get("client_key") and not value.get("client_cert"):
        spot.key("client_key").report("senseless", "makes no sense without client_cert")
    values = read_table(value, _TLS, spot)
    tls = convert(values, Tls)
    # Without a key that is written there is another pair, of which nothing is to be said.
    if "client_key" in values or "client_key" not in value:
        _check_pair(tls, spot)
    files = (tls.ca_file, tls.client_cert, tls.client_key)
    # A file with another content makes another endpoint, although its name is the same.
    digest = "".join(spot.lookups.machine.file_digest(file) for file in files if file)
    return replace(tls, digest=digest)


def _check_pair(tls: Tls, spot: Spot) -> None:
    """Report what every handshake would fail by, though the files can be read."""
    if not tls.client_cert:
        return
    if fault := spot.lookups.machine.client_pair_fault(tls.client_cert, tls.client_key):
        both = "" if tls.client_key else "; without client_key the file of client_cert holds both"
        spot.report("tls", fault + both)


DOOR: Final[Rules] = {
    "url": _url,
    "method": fields_choice(METHODS, "method"),
    "level": whole(1, 2),
    "content_type": _content_type,
    "headers": headers(secret_text),
    "auth": auth,
    "tls": _tls,
    "frame": choice(get_args(Frame)),
    "envelope": flag,
    "ack": flag,
    "http2": flag,
    "proxy": proxy,
    "http_client": choice(get_args(HttpClient)),
}


class Door(Struct, frozen=True, kw_only=True):
    """An endpoint as written; None is what is not written, a `proxy` of "" is none on purpose."""

    url: ParsedUrl
    method: Method | None = None
    level: Level | None = None
    content_type: str | None = None
    headers: tuple[tuple[str, str], ...] | None = None
    auth: Auth | None = None
    tls: Tls | None = None
    frame: Frame = "lf"
    envelope: bool = False
    ack: bool = False
    http2: bool | None = None
    proxy: Proxy | Literal[""] | None = None
    http_client: HttpClient | None = None

    @property
    def is_http(self) -> bool:
        """Whether it speaks HTTP, plain or over TLS."""
        return self.url.scheme in {"http", "https"}


def other_door(value: object, spot: Spot) -> object:
    """A fallback or a status callback: a table with the keys of a door alone."""
    if not isinstance(value, dict):
        return wrong_type("a table with a url", value, spot)
    return door_of(value, read_table(value, DOOR, spot), spot)


def door_of(
    table: Mapping[str, object], values: Mapping[str, object], spot: Spot
) -> Door | UnsetType:
    """The door that is not the primary, from a table and its values as they were read."""
    if "url" not in table:
        return spot.key("url").report("missing", "is required")
    if "url" not in values:
        return UNSET
    door = convert(values, Door)
    for key, sentence in senseless(values, door):
        spot.key(key).report("senseless", sentence)
    if door.url.overrides.retries is not None:
        sentence = "rc in the fragment belongs to the primary's URL only"
        spot.key("url").report("url", sentence)
    return door


def senseless(values: Mapping[str, object], door: Door) -> Iterator[tuple[str, str]]:
    """The keys that cannot mean anything at this door, each with the reason."""
    scheme = door.url.scheme
    for key in values:
        if key == "http2" and scheme == "http":
            yield key, "makes no sense on http: HTTP/2 is agreed on within TLS"
        elif key in _SENSELESS[scheme]:
            yield key, f"makes no sense on {scheme}"
    if door.method:
        yield from senseless_with(door.method, door)
    if door.auth and any(map(_authorizes, door.headers or ())):
        yield "auth", "auth and an Authorization header exclude each other"
    elif door.url.auth and any(map(_authorizes, door.headers or ())):
        yield "headers", "an Authorization header and credentials in the URL exclude each other"


def senseless_with(method: Method, door: Door) -> Iterator[tuple[str, str]]:
    """The keys of this door that cannot mean anything with the method, each with the reason."""
    if door.content_type is not None and door.is_http and method in GET_METHODS:
        yield "content_type", f"makes no sense with {method}, which has no body"
    if door.level and door.level != level_of(door.level, method):
        yield "level", f"{method} is of level {level_of(None, method)} whatever this key says"


def level_of(level: Level | None, method: Method) -> Level:
    """The level of the method's name, or the chosen one."""
    if method in _LEVEL_IS_FREE:
        return level or 2
    return 1 if method.endswith("1") else 2


def following(door: Door, primary: Door) -> Door:
    """A fallback, callback or report door with what it takes over from the primary.

    Without a method of its own it gets the same content, so also its level and type. What
    proves who we are goes along to the primary's own scheme, host and port only; our way out,
    which is the proxy, the wish for HTTP/2 and the HTTP client, to whatever can use it.
    """
    same_content = door.method is None
    taken = _taken_along(door, primary) if door.url.origin == primary.url.origin else door
    content_type = door.content_type
    if content_type is None and same_content:
        content_type = primary.content_type
    return Door(
        url=door.url,
        method=door.method or primary.method,
        level=door.level or (primary.level if same_content else None),
        content_type=content_type,
        headers=taken.headers,
        auth=taken.auth,
        tls=taken.tls,
        frame=door.frame,
        envelope=door.envelope,
        ack=door.ack,
        http2=primary.http2 if door.http2 is None else door.http2,
        proxy=primary.proxy if door.proxy is None else door.proxy,
        http_client=door.http_client or primary.http_client,
    )


def _taken_along(door: Door, primary: Door) -> Door:
    """The door with the primary's auth, headers and tls where it has none of its own.

    There is never more than one thing in `Authorization`, and one's own goes first.
    """
    own_auth = door.auth or door.url.auth
    pairs = door.headers
    if pairs is None:
        inherited = primary.headers or ()
        pairs = tuple(pair for pair in inherited if not (own_auth and _authorizes(pair)))
    is_free = own_auth is None and not any(map(_authorizes, pairs))
    return Door(
        url=door.url,
        headers=pairs,
        auth=(primary.auth or primary.url.auth) if is_free else door.auth,
        tls=door.tls or primary.tls,
    )


def _authorizes(header: tuple[str, str]) -> bool:
    return header[0].lower() == "authorization"
