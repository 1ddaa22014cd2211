"""CONNECT: asks a proxy for a tunnel to a host and port (RFC 9110, section 9.3.6)."""

from base64 import b64encode

import h11

from callpost.edge.http1 import Link
from callpost.model.endpoint import BasicAuth
from callpost.model.limits import ANSWER_HEADERS_MAX_BYTES

_CHUNK_BYTES = 4096


class NoTunnel(Exception):
    """The proxy made none; the text is a short word for why."""


async def open_tunnel(link: Link, authority: str, auth: BasicAuth | None, *, version: str) -> None:
    """From here on the link leads to `authority`; raises NoTunnel, or OSError.

    Whoever has the link closes it.
    """
    parser = h11.Connection(h11.CLIENT, max_incomplete_event_size=ANSWER_HEADERS_MAX_BYTES)
    headers = [("host", authority), ("user-agent", f"callpost/{version}"), *proxy_headers(auth)]
    request = h11.Request(method="CONNECT", target=authority, headers=headers)
    opening = (parser.send(request) or b"") + (parser.send(h11.EndOfMessage()) or b"")
    await link.send_all(opening)
    try:
        status = await _status(link, parser)
    except h11.RemoteProtocolError:
        closed = parser.trailing_data[1]
        raise NoTunnel("closed" if closed else "protocol") from None
    if not 200 <= status <= 299:
        raise NoTunnel(f"http_{status}")
    if parser.trailing_data[0]:
        # We speak first in TLS: what the proxy has to say already is not the peer's.
        raise NoTunnel("protocol")


def proxy_headers(auth: BasicAuth | None) -> list[tuple[str, str]]:
    """What proves to a proxy who we are."""
    if auth is None:
        return []
    credentials = b64encode(f"{auth.username}:{auth.password}".encode()).decode()
    return [("proxy-authorization", f"Basic {credentials}")]


async def _status(link: Link, parser: h11.Connection) -> int:
    while True:
        match parser.next_event():
            case h11.Response(status_code=int(status)):
                return status
            case h11.NEED_DATA:
                parser.receive_data(await link.receive_some(_CHUNK_BYTES))
            case _:  # an answer in between
                pass
