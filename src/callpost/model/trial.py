"""A test of one subscription: what was sent to each of its doors, and what came back."""

from msgspec import Struct


class Exchange(Struct, frozen=True, kw_only=True, rename="camel"):
    """One request and its answer; header values that could be secrets are masked.

    `answer` is the beginning of the body, as text; times in milliseconds, None where not
    reached.
    """

    kind: str
    place: str
    endpoint: str
    method: str
    headers: tuple[tuple[str, str], ...]
    content: str
    outcome: str
    reason: str
    http_status: int | None
    answer: str
    connect_ms: float | None
    total_ms: float


class Trial(Struct, frozen=True, kw_only=True, rename="camel"):
    """The exchanges of a newCall and a hangup of the call `callpost-test-…`, door by door.

    `ok` when each event was delivered by at least one door.
    """

    subscription: str
    call_id: str
    ok: bool
    exchanges: tuple[Exchange, ...]
