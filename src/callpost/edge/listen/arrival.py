"""What arrived, and how the receiver is to behave."""

from typing import Literal

from msgspec import Struct


class Arrived(Struct, frozen=True, kw_only=True):
    """One request, one line or one datagram; `arrived_at` is in seconds since 1970.

    `method`, `target` and `headers` belong to HTTP; a header's name is as it was sent.
    """

    transport: Literal["http", "tcp", "udp"]
    content: bytes
    arrived_at: float
    method: str = ""
    target: str = ""
    headers: tuple[tuple[str, str], ...] = ()


class Behaviour(Struct, frozen=True, kw_only=True):
    """Answer with `status` after `delay_s`, or close without an answer where `drop` is set.

    Over TCP the answer to a line is a line with the status; over UDP there is none.
    """

    status: int = 200
    delay_s: float = 0.0
    drop: bool = False


def nothing() -> None:
    """For who need not know when an arrival is done with."""
