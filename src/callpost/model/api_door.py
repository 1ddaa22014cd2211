"""The API's door to the network: where it listens, its certificate, and who may come in.

No secret stands here: a token is known by the SHA-256 of what its owner sends.
"""

from hashlib import sha256

from msgspec import Struct

from callpost.model.caller import Caller
from callpost.model.listening import Place


class TlsPair(Struct, frozen=True, kw_only=True):
    """A certificate with its chain, and its key: files in PEM by their absolute paths.

    With another content the digest is another one.
    """

    cert: str
    key: str
    digest: str = ""


class Token(Struct, frozen=True, kw_only=True):
    """Who comes in with it, and the SHA-256 of its secret."""

    caller: Caller
    digest: bytes


class Api(Struct, frozen=True, kw_only=True):
    """`[api]`; without `listen` there is no other door than the operator's socket.

    `max_subscriptions_per_customer` is for those that are made over the API.
    """

    listen: Place | None = None
    tls: TlsPair | None = None
    max_subscriptions_per_customer: int = 100
    tokens: tuple[Token, ...] = ()


def digest_of(secret: bytes) -> bytes:
    """By what a secret is known: 32 bytes."""
    return sha256(secret).digest()
