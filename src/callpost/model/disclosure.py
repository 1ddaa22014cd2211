"""What of an endpoint must not be shown, and how a text is shown without it."""

from base64 import b64encode
from collections.abc import Iterator
from typing import Final, assert_never

from callpost.model.endpoint import (
    Auth,
    BasicAuth,
    BearerAuth,
    DigestAuth,
    Endpoint,
    HttpEndpoint,
    TcpEndpoint,
    UdpEndpoint,
)

# What stands in the place of a secret.
MASK: Final = "********"
# Anything shorter stands in many an innocent word, and is no secret worth the name.
_LEAST: Final = 4


def without_secrets(text: str, endpoint: Endpoint) -> str:
    """`text` (an answer that quotes its request, say) with the endpoint's secrets masked."""
    # A secret may be part of another.
    for secret in sorted(set(_secrets(endpoint)), key=len, reverse=True):
        if len(secret) >= _LEAST:
            text = text.replace(secret, MASK)
    return text


def _secrets(endpoint: Endpoint) -> Iterator[str]:
    match endpoint:
        case HttpEndpoint():
            yield from (value for _, value in endpoint.headers)
            yield from _of_auth(endpoint.auth)
            query = endpoint.target.partition("?")[2]
            yield from (pair.partition("=")[2] for pair in query.split("&"))
            if endpoint.proxy is not None:
                yield from _of_auth(endpoint.proxy.auth)
        case TcpEndpoint() | UdpEndpoint():
            # Their keys sign, and are never sent.
            return
        case _ as unreachable:
            assert_never(unreachable)


def _of_auth(auth: Auth | None) -> Iterator[str]:
    match auth:
        case BasicAuth(username, password):
            yield password
            yield b64encode(f"{username}:{password}".encode()).decode()
        case DigestAuth(_, password):
            yield password
        case BearerAuth(token):
            yield token
        case None:
            return
        case _ as unreachable:
            assert_never(unreachable)
