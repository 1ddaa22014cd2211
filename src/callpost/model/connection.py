"""What came of a try to connect to an endpoint: how far, how fast, and what was wrong."""

from msgspec import Struct


class Connection(Struct, frozen=True, kw_only=True):
    """What came of one endpoint; `endpoint` is its origin, `via` that of its proxy.

    Times are in milliseconds, None where a step was not reached or there is none. `address` is
    what was dialled: the proxy's where there is one. `certificate_ends_at` is RFC 3339 in UTC.
    `fault` is one sentence, "" where all went well, and `reason` its word in the log.
    """

    subscription: str
    place: str
    endpoint: str
    via: str = ""
    ok: bool
    address: str = ""
    resolve_ms: float | None = None
    connect_ms: float | None = None
    tls_ms: float | None = None
    tls_version: str = ""
    certificate_ends_at: str | None = None
    reason: str = ""
    fault: str = ""
