"""Receivers that speak HTTP/1.1 or HTTP/2 over one stream, and do what a test says.

They share no code with what sends.
"""

from collections.abc import Sequence
from typing import Literal

import h2.connection
import h2.events
import h11
import trio
from h2.config import H2Configuration
from h2.settings import SettingCodes, Settings
from msgspec import Struct

Version = Literal["1.1", "2"]


class Request(Struct, frozen=True):
    """What arrived; header names are in lower case, `host` is also HTTP/2's authority."""

    version: Version
    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str | None:
        """The only value of a header, None where it is not there."""
        values = [value for known, value in self.headers if known == name]
        assert len(values) <= 1
        return values[0] if values else None


class Reply(Struct, frozen=True):
    """What is answered. `then` happens after it; `instead` happens in its place."""

    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    then: Literal["", "close"] = ""
    instead: Literal["", "silence", "close"] = ""
    endless: bool = False


class Receiver:
    """Answers each request with the next of its replies (the last again) and keeps requests."""

    def __init__(self, *replies: Reply, streams_max: int = 100, window: int = 65_535) -> None:
        self.replies = list(replies) or [Reply()]
        self.requests: list[Request] = []
        self.connections = 0
        self.asked = trio.Event()
        self.ended = trio.Event()
        self._streams_max = streams_max
        self._window = window

    async def serve(self, stream: trio.abc.Stream) -> None:
        """Converse over one connection, in the version that ALPN agreed on."""
        self.connections += 1
        protocol = ""
        if isinstance(stream, trio.SSLStream):
            await stream.do_handshake()
            protocol = stream.selected_alpn_protocol() or ""
        try:
            await (self._http2(stream) if protocol == "h2" else self._http1(stream))
        finally:
            self.ended.set()

    def next_reply(self, request: Request) -> Reply:
        """Keep the request and take what it is answered with."""
        self.requests.append(request)
        self.asked.set()
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]

    async def _http1(self, stream: trio.abc.Stream) -> None:
        parser = h11.Connection(h11.SERVER, max_incomplete_event_size=256 * 1024)
        while (request := await _request(stream, parser)) is not None:
            reply = self.next_reply(request)
            if reply.instead == "silence":
                await stream.receive_some()
            if reply.instead:
                return
            length = "100000000" if reply.endless else str(len(reply.body))
            headers = [*reply.headers, ("content-length", length)]
            head = parser.send(h11.Response(status_code=reply.status, headers=headers)) or b""
            await stream.send_all(head + (parser.send(h11.Data(data=reply.body)) or b""))
            if reply.endless:
                await stream.receive_some()
            if reply.endless or reply.then:
                return
            await stream.send_all(parser.send(h11.EndOfMessage()) or b"")
            parser.start_next_cycle()

    async def _http2(self, stream: trio.abc.Stream) -> None:
        parser = h2.connection.H2Connection(
            H2Configuration(client_side=False, header_encoding="latin-1")
        )
        settings = {
            SettingCodes.MAX_CONCURRENT_STREAMS: self._streams_max,
            SettingCodes.INITIAL_WINDOW_SIZE: self._window,
        }
        parser.local_settings = Settings(client=False, initial_values=settings)
        parser.initiate_connection()
        requests: dict[int, tuple[list[tuple[str, str]], bytes]] = {}
        await stream.send_all(parser.data_to_send())
        while data := await stream.receive_some(65_536):
            for event in parser.receive_data(bytes(data)):
                match event:
                    case h2.events.RequestReceived():
                        headers = [(str(name), str(value)) for name, value in event.headers]
                        requests[event.stream_id] = (headers, b"")
                    case h2.events.DataReceived():
                        headers, body = requests[event.stream_id]
                        requests[event.stream_id] = (headers, body + event.data)
                        parser.acknowledge_received_data(
                            event.flow_controlled_length, event.stream_id
                        )
                    case h2.events.StreamEnded():
                        reply = self.next_reply(_of_http2(*requests.pop(event.stream_id)))
                        if reply.instead == "close":
                            return
                        _answer(parser, event.stream_id, reply)
                        if reply.then == "close":
                            await stream.send_all(parser.data_to_send())
                            return
                    case _:
                        pass
            await stream.send_all(parser.data_to_send())


async def _request(stream: trio.abc.Stream, parser: h11.Connection) -> Request | None:
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
                headers = [(n.decode("latin-1"), v.decode("latin-1")) for n, v in head.headers]
                method, target = head.method.decode(), head.target.decode()
                return Request("1.1", method, target, tuple(headers), body)
            case _:
                return None


def _of_http2(headers: Sequence[tuple[str, str]], body: bytes) -> Request:
    names = {":authority": "host"}
    shown = [(names.get(name, name), value) for name, value in headers]
    pseudo = dict(headers)
    assert pseudo[":scheme"] == "https"
    ordinary = tuple(pair for pair in shown if not pair[0].startswith(":"))
    return Request("2", pseudo[":method"], pseudo[":path"], ordinary, body)


def _answer(parser: h2.connection.H2Connection, number: int, reply: Reply) -> None:
    if reply.instead == "silence":
        return
    fields = [(":status", str(reply.status)), *reply.headers]
    parser.send_headers(number, fields)
    rest = reply.body
    while rest and (room := min(parser.local_flow_control_window(number), 16_384)):
        parser.send_data(number, rest[:room])
        rest = rest[room:]
    if not reply.endless and not rest:
        parser.end_stream(number)
