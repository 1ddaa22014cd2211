"""Servers on loopback that do what a test says, and what a sender needs to reach them."""

import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from functools import partial

import pytest
import trio
import trustme

from callpost.edge.dial import Dialer
from callpost.model.delivery import Message
from callpost.model.egress import Guard
from callpost.model.limits import Egress
from edge.send.tending import tending

Handler = Callable[[trio.abc.Stream], Awaitable[None]]


@pytest.fixture
def serve(nursery: trio.Nursery) -> Callable[..., Awaitable[int]]:
    """Start servers, with TLS if a context is given, and learn their ports on `host`.

    The handler gets a stream per connection; its tasks live in the test's nursery.
    """

    async def start(
        handler: Handler, *, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1"
    ) -> int:
        async def connected(stream: trio.SocketStream) -> None:
            secured = (
                trio.SSLStream(stream, tls, server_side=True, https_compatible=True)
                if tls
                else stream
            )
            # What a sender does to its server ends the server's task, not the test.
            with suppress(trio.BrokenResourceError, trio.ClosedResourceError, OSError):
                await handler(secured)

        listeners = await nursery.start(
            partial(trio.serve_tcp, connected, 0, host=host, handler_nursery=nursery)
        )
        return int(listeners[0].socket.getsockname()[1])

    return start


@pytest.fixture
def reset() -> Callable[[trio.SocketStream], Awaitable[None]]:
    """Close a server's connection with RST instead of FIN."""

    async def send_reset(stream: trio.SocketStream) -> None:
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        await stream.aclose()

    return send_reset


@pytest.fixture
def egress() -> Egress:
    """The daemon's defaults."""
    return Egress()


@pytest.fixture
async def dialer(egress: Egress) -> AsyncIterator[Dialer]:
    """The real dialler with the built-in guard."""
    async with tending(Dialer(egress, Guard())) as tended:
        yield tended


@pytest.fixture
def message() -> Message:
    """One attempt's content."""
    return Message(
        content=b'{"event":"newCall"}',
        content_type="application/json",
        id="evt_1",
        seq=1,
        previous_id="",
        attempt=1,
        sent_at=1_700_000_000.5,
    )


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """A certificate authority of the tests' own."""
    return trustme.CA()


@pytest.fixture
def server_context(authority: trustme.CA) -> ssl.SSLContext:
    """A server's TLS context for `localhost` and 127.0.0.1."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost", "127.0.0.1").configure_cert(context)
    return context
