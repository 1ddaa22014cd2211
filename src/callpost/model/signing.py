"""Signatures by which a subscriber knows that a delivery is ours and unchanged.

Standard Webhooks 1.0 (symmetric, `v1`) for everybody, a bare HMAC for receivers that know only
that. Keys come in as bytes; no secret ever stands in an error.
"""

import hmac
from base64 import b64decode, b64encode
from collections.abc import Iterable
from typing import Final

_PREFIX: Final = "whsec_"


def key_of(secret: str) -> bytes:
    """The key in a secret such as `whsec_MfKQ9r8G…`: base64 after the prefix.

    Padding may be missing. Raises ValueError with one sentence that does not quote the secret.
    """
    if not secret.startswith(_PREFIX):
        raise ValueError(f"a signing secret begins with {_PREFIX}")
    encoded = secret.removeprefix(_PREFIX).rstrip("=")
    try:
        key = b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except ValueError:
        raise ValueError(f"a signing secret is base64 after {_PREFIX}") from None
    if not key:
        raise ValueError(f"a signing secret has a key after {_PREFIX}")
    return key


def signatures(keys: Iterable[bytes], *, message_id: str, timestamp: int, content: bytes) -> str:
    """The value of `webhook-signature`: one `v1,…` per key, separated by a space.

    Signed is `message_id.timestamp.content`; `timestamp` is in whole seconds since 1970
    (Standard Webhooks, "Signature scheme").
    """
    signed = f"{message_id}.{timestamp}.".encode() + content
    return " ".join("v1," + b64encode(hmac.digest(key, signed, "sha256")).decode() for key in keys)


def body_signature(secret: bytes, content: bytes) -> str:
    """The hex HMAC-SHA256 of the raw content."""
    return hmac.digest(secret, content, "sha256").hex()
