"""Every limit and default outside a subscription, with its unit and its reason.

`config` maps the file onto these; edges and engine receive the one that is theirs.
"""

from typing import Final, Literal

from msgspec import Struct

from callpost.model.listening import Place

MIB: Final = 1024 * 1024

# An answer tells accepted or not; 16 KiB leave room for an error page worth quoting.
ANSWER_MAX_BYTES: Final = 16 * 1024
# More header than any web server sends in earnest (nginx and Apache stop at 8 KiB a line).
ANSWER_HEADERS_MAX_BYTES: Final = 64 * 1024
# The largest UDP payload over IPv4 (RFC 768, RFC 791: 65,535 - 20 - 8).
DATAGRAM_MAX_BYTES: Final = 65_507
# Above this an Ethernet path fragments; `check` warns.
DATAGRAM_SAFE_BYTES: Final = 1_400
# The path of a Unix socket: 108 bytes with its closing NUL (unix(7)).
SOCKET_PATH_MAX_BYTES: Final = 107
# The replies that wait for a producer which does not read, per connection.
REPLIES_MAX_BYTES: Final = MIB
# How long that buffer may stay full before the daemon stops replying on the connection.
REPLIES_STALL_S: Final = 5.0
# At most this many of one call wait in a subscription's window; a chattier call waits on disk.
# With fewer busy calls than carriers the window then always has room for another call.
LANE_MAX_DELIVERIES: Final = 8
# A subscription's window of deliveries in memory: enough for its carriers, and never more.
WINDOW_PER_CARRIER: Final = 16
WINDOW_MAX_DELIVERIES: Final = 1_024
# All windows together, so that ten thousand subscriptions fit in memory.
WINDOWS_MAX_DELIVERIES: Final = 65_536
# The counters behind `seq` outlive a call's last event by this much (7 days).
CALL_KEPT_S: Final = 7 * 86_400.0

# Who may operate callpost; a machine on which it is only tried out has no such group.
ADMIN_GROUP: Final = "callpost-admin"

Durability = Literal["power", "process"]
LogLevel = Literal["debug", "info", "warning", "error"]
LogNumbers = Literal["full", "masked", "none"]


class Intake(Struct, frozen=True, kw_only=True):
    """The producers' sockets; a relative path is relative to the runtime directory, "" is off."""

    stream: str = "events.sock"
    datagram: str = "datagrams.sock"
    mode: int = 0o660
    group: str = ""
    max_event_bytes: int = 65_536
    max_connections: int = 256
    unknown_fields: Literal["refuse", "data"] = "refuse"


class Control(Struct, frozen=True, kw_only=True):
    """The operator's socket; a relative path is relative to the runtime directory, "" is off."""

    socket: str = "control.sock"
    mode: int = 0o660
    group: str = ADMIN_GROUP


class Privacy(Struct, frozen=True, kw_only=True):
    """How numbers are shown to operators, and whether pressed digits are kept for receivers."""

    log_numbers: LogNumbers = "masked"
    dtmf: Literal["store", "drop"] = "store"


class SpoolLimits(Struct, frozen=True, kw_only=True):
    """How much the spool keeps: bytes, seconds, and pending deliveries of one subscription.

    `unended_s` is how long the last event of a call without an end stays, where that is longer:
    by it the daemon knows that there is a call to be ended.
    """

    max_bytes: int = 8 * 1024 * MIB
    retain_s: float = 86_400.0
    unended_s: float = 0.0
    retain_dead_s: float = 14 * 86_400.0
    max_pending: int = 1_000_000
    durability: Durability = "power"


class Egress(Struct, frozen=True, kw_only=True):
    """How the daemon reaches out; networks in CIDR notation, "" as source address is any."""

    deny: tuple[str, ...] = ()
    allow: tuple[str, ...] = ()
    source_address: str = ""
    ip: Literal["auto", "4", "6"] = "auto"
    keepalive_s: float = 30.0
    connection_max_age_s: float = 300.0
    max_connections_per_host: int = 64


class Metrics(Struct, frozen=True, kw_only=True):
    """The page that Prometheus reads; None listens nowhere but on the operator's socket.

    `per_subscription` "auto" names subscriptions as long as there are not too many, "never"
    counts all of them together.
    """

    listen: Place | None = None
    per_subscription: Literal["auto", "never"] = "auto"


class Log(Struct, frozen=True, kw_only=True):
    """What is logged and how."""

    level: LogLevel = "info"
    format: Literal["auto", "json", "console", "journal"] = "auto"
    attempts: Literal["all", "failures"] = "all"
