"""A small forward proxy: CONNECT for tunnels, absolute-form for requests (RFC 9112, 3.2.2).

It keeps the first line and the headers of what it was asked, and does what a test says.
"""

from base64 import b64encode
from contextlib import suppress

import trio
from msgspec import Struct


class Asked(Struct, frozen=True):
    """What came in; header names are in lower case."""

    line: str
    headers: dict[str, str]


class ForwardProxy:
    """Leads wherever it is asked, by name to loopback; with `credentials` to whoever has them.

    `says`, if it is not b"", is its answer to every request in place of doing anything.
    """

    def __init__(self, *, credentials: str = "", says: bytes = b"") -> None:
        self.asked: list[Asked] = []
        self._expected = f"Basic {b64encode(credentials.encode()).decode()}" if credentials else ""
        self._says = says

    async def serve(self, stream: trio.abc.Stream) -> None:
        """Serve one connection, from one request to its end."""
        received = b""
        while b"\r\n\r\n" not in received:
            data = await stream.receive_some()
            if not data:
                return
            received += data
        head, _, rest = bytes(received).partition(b"\r\n\r\n")
        line, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, _, value in (one.partition(": ") for one in lines)}
        self.asked.append(Asked(line, headers))
        if self._says:
            await stream.send_all(self._says)
            await stream.receive_some()
        elif self._expected and headers.get("proxy-authorization") != self._expected:
            await stream.send_all(
                b"HTTP/1.1 407 Proxy Authentication Required\r\n"
                b'Proxy-Authenticate: Basic realm="p"\r\nContent-Length: 0\r\n\r\n'
            )
        else:
            await self._lead(stream, line, lines, rest)

    async def _lead(
        self, stream: trio.abc.Stream, line: str, lines: list[str], rest: bytes
    ) -> None:
        method, target, version = line.split(" ")
        is_tunnel = method == "CONNECT"
        authority, slash, path = target.removeprefix("http://").partition("/")
        port = int(authority.rpartition(":")[2])
        upstream = await trio.open_tcp_stream("127.0.0.1", port)
        async with upstream:
            if is_tunnel:
                await stream.send_all(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                kept = [one for one in lines if not one.lower().startswith("proxy-")]
                head = "\r\n".join([f"{method} {slash}{path} {version}", *kept])
                await upstream.send_all(head.encode("latin-1") + b"\r\n\r\n" + rest)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_pass_on, stream, upstream, nursery.cancel_scope)
                nursery.start_soon(_pass_on, upstream, stream, nursery.cancel_scope)


async def _pass_on(
    source: trio.abc.Stream, target: trio.abc.Stream, both: trio.CancelScope
) -> None:
    with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
        while data := await source.receive_some():
            await target.send_all(data)
    both.cancel()
