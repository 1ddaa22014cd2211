"""An HTTPS receiver on loopback for whole-daemon tests; it shares no code with what sends."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial

import h11
import trio
import trustme
from msgspec import Struct


class Request(Struct, frozen=True):
    """What arrived; header names are in lower case."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    client: str


class Https:
    """A server that answers each request with the next of its answers (the last again)."""

    def __init__(self, *answers: tuple[int, dict[str, str]]) -> None:
        self.port = 0
        self.requests: list[Request] = []
        self._answers = list(answers) or [(200, {})]
        self._changed = trio.Event()

    async def got(self, number: int) -> list[Request]:
        """The first `number` requests."""
        with trio.fail_after(15):
            while len(self.requests) < number:
                await self._changed.wait()
        return self.requests[:number]

    async def serve(self, stream: trio.SSLStream[trio.SocketStream]) -> None:
        """Converse over one connection."""
        # A client that does not trust us ends the handshake, and this task with it.
        with suppress(trio.BrokenResourceError, h11.RemoteProtocolError):
            await stream.do_handshake()
            parser = h11.Connection(h11.SERVER)
            while (request := await self._request(stream, parser)) is not None:
                self.requests.append(request)
                self._changed.set()
                self._changed = trio.Event()
                await stream.send_all(self._answer(parser))
                parser.start_next_cycle()

    async def _request(
        self, stream: trio.SSLStream[trio.SocketStream], parser: h11.Connection
    ) -> Request | None:
        head: h11.Request | None = None
        body = b""
        while True:
            match parser.next_event():
                case h11.NEED_DATA:
                    parser.receive_data(bytes(await stream.receive_some(65_536)))
                case h11.Request() as head:
                    pass
                case h11.Data() as data:
                    body += bytes(data.data)
                case h11.EndOfMessage() if head is not None:
                    return Request(
                        method=head.method.decode(),
                        target=head.target.decode(),
                        headers={name.decode(): value.decode() for name, value in head.headers},
                        body=body,
                        client=_name_in(stream.getpeercert()),
                    )
                case _:
                    return None

    def _answer(self, parser: h11.Connection) -> bytes:
        status, headers = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        fields = [*headers.items(), ("content-length", "0")]
        said = parser.send(h11.Response(status_code=status, headers=fields))
        return (said or b"") + (parser.send(h11.EndOfMessage()) or b"")


def _name_in(certificate: object) -> str:
    """The first name of a client's certificate, "" where there was none."""
    match certificate:
        case {"subjectAltName": ((_, str(name)), *_)}:
            return name
        case _:
            return ""


@asynccontextmanager
async def an_https_server(
    server: Https, leaf: trustme.LeafCert, *, clients: trustme.CA | None = None
) -> AsyncIterator[Https]:
    """Serve on loopback; with `clients` only who shows a certificate of theirs is let in."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    leaf.configure_cert(context)
    if clients is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        clients.configure_trust(context)
    async with trio.open_nursery() as nursery:
        serving = partial(
            trio.serve_ssl_over_tcp,
            server.serve,
            0,
            context,
            host="127.0.0.1",
            https_compatible=True,
        )
        (listener,) = await nursery.start(serving)
        server.port = int(listener.transport_listener.socket.getsockname()[1])
        yield server
        nursery.cancel_scope.cancel()
