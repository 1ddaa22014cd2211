"""Where a delivery goes: one HTTP, TCP or UDP endpoint with all that its attempts need.

An endpoint is complete in itself: credentials are resolved, defaults are filled in, fragment
overrides are obeyed. What may be shown of it is `origin` and `place`, never more. A `strict` one
was made by a stranger, over the API: what it may reach is narrower (see `egress`).
"""

import hashlib
from collections.abc import Mapping
from typing import Final, Literal

import msgspec
from msgspec import Struct

from callpost.model.vocabulary import Level, Method

Frame = Literal["lf", "crlf", "nul", "octets", "netstring"]
# What a URL's `rp` names as worth another try: classes of status codes, a connect time-out, a
# first-byte (read) time-out, or everything.
RetriedWord = Literal["4xx", "5xx", "ct", "rt", "all"]
# Whose code speaks HTTP: callpost's own, or the library httpx.
HttpClient = Literal["own", "httpx"]


class Timeouts(Struct, frozen=True):
    """How long one attempt may take, in seconds; `whole_s` covers name, connect, TLS and body."""

    connect_s: float = 3.0
    first_byte_s: float = 10.0
    whole_s: float = 15.0


class Tls(Struct, frozen=True):
    """How the peer is verified and who we are; the paths are files in PEM, "" means none.

    `digest` stands for what the files held when the configuration was read; it is never shown.
    """

    verify: bool = True
    ca_file: str = ""
    client_cert: str = ""
    client_key: str = ""
    digest: str = ""


class BasicAuth(Struct, frozen=True, tag="basic"):
    """RFC 7617, in UTF-8."""

    username: str
    password: str


class DigestAuth(Struct, frozen=True, tag="digest"):
    """RFC 7616, answered by httpx's own flow."""

    username: str
    password: str


class BearerAuth(Struct, frozen=True, tag="bearer"):
    """RFC 6750."""

    token: str


Auth = BasicAuth | DigestAuth | BearerAuth


class BodySignature(Struct, frozen=True):
    """Hex HMAC-SHA256 of the raw body in a header of the receiver's choice."""

    header: str
    secret: bytes


class Proxy(Struct, frozen=True):
    """An HTTP proxy on the way out; `auth` is what it asks for, and never shown."""

    scheme: Literal["http", "https"]
    host: str
    port: int
    auth: BasicAuth | None = None

    @property
    def origin(self) -> str:
        """`scheme://host:port`: all of it that may be shown."""
        return f"{self.scheme}://{_bracketed(self.host)}:{self.port}"


class HttpEndpoint(Struct, frozen=True, kw_only=True, tag="http"):
    """`host` is an A-label or an address without brackets; `target` is path and query, as sent.

    With `http2` (https only) HTTP/2 is spoken where the peer speaks it, else HTTP/1.1.
    """

    place: str
    scheme: Literal["http", "https"]
    host: str
    port: int
    target: str
    method: Method
    level: Level
    content_type: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    auth: Auth | None = None
    tls: Tls = Tls()
    timeouts: Timeouts = Timeouts()
    retried: frozenset[RetriedWord] | None = None
    signing_keys: tuple[bytes, ...] = ()
    body_signature: BodySignature | None = None
    http2: bool = False
    proxy: Proxy | None = None
    http_client: HttpClient = "own"
    strict: bool = False

    @property
    def origin(self) -> str:
        """`scheme://host:port`: all of the URL that may be shown."""
        return f"{self.scheme}://{_bracketed(self.host)}:{self.port}"


class TcpEndpoint(Struct, frozen=True, kw_only=True, tag="tcp"):
    """`tls` is None for plain TCP; with `ack` the peer answers each frame."""

    place: str
    host: str
    port: int
    method: Method
    level: Level
    frame: Frame = "lf"
    envelope: bool = False
    ack: bool = False
    tls: Tls | None = None
    timeouts: Timeouts = Timeouts()
    retried: frozenset[RetriedWord] | None = None
    signing_keys: tuple[bytes, ...] = ()
    strict: bool = False

    @property
    def origin(self) -> str:
        """`tcp://host:port`."""
        return f"tcp://{_bracketed(self.host)}:{self.port}"


class UdpEndpoint(Struct, frozen=True, kw_only=True, tag="udp"):
    """One datagram per event, always best effort."""

    place: str
    host: str
    port: int
    method: Method
    level: Level
    envelope: bool = False
    timeouts: Timeouts = Timeouts()
    retried: frozenset[RetriedWord] | None = None
    signing_keys: tuple[bytes, ...] = ()
    strict: bool = False

    @property
    def origin(self) -> str:
        """`udp://host:port`."""
        return f"udp://{_bracketed(self.host)}:{self.port}"


Endpoint = HttpEndpoint | TcpEndpoint | UdpEndpoint


# Keys that came after fingerprints were first kept: as long as they are not used, an endpoint
# keeps the fingerprint that it had before, and stays `gone` over an update.
_LATER_KEYS: Final[Mapping[str, object]] = {
    "http2": False,
    "proxy": None,
    "http_client": "own",
    "strict": False,
}


def fingerprint(endpoint: Endpoint) -> str:
    """Tells a changed endpoint from the one it was, without giving its secrets away."""
    # Sets in order: else it would be another one after each start.
    fields: dict[str, object] = msgspec.to_builtins(endpoint, order="deterministic")
    if isinstance(tls := fields.get("tls"), dict):
        # A renewed certificate is no other endpoint.
        del tls["digest"]
    for key, unused in _LATER_KEYS.items():
        if key in fields and fields[key] == unused:
            del fields[key]
    return hashlib.sha256(msgspec.json.encode(fields)).hexdigest()[:16]


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
