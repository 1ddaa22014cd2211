"""Receivers that misbehave in HTTP/2, written with the server's half of h2."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import h2.config
import h2.connection
import h2.events
import pytest
import trio
import trustme
from h2.errors import ErrorCodes

from callpost.model.delivery import Message
from callpost.model.endpoint import Timeouts
from callpost.model.outcome import Delivered, Outcome, Retry
from edge.send.http_ways import NAME, WAYS, Roads, Serve, Way
from http_receivers import Receiver

Server = h2.connection.H2Connection
OK = Delivered("http_200", 200)


@pytest.fixture
async def roads(
    nursery: trio.Nursery, serve: Serve, authority: trustme.CA, tmp_path: Path
) -> AsyncIterator[Roads]:
    """Senders to receivers on loopback."""
    opened = Roads(nursery, serve, authority, tmp_path)
    yield opened
    opened.close()


@pytest.fixture(params=["http2", "httpx http2"])
def way(request: pytest.FixtureRequest) -> Way:
    """Each of those that speak HTTP/2."""
    return WAYS[request.param]


Script = Callable[[Server, int, trio.abc.Stream], Awaitable[None]]


class _Scripted:
    """Reads requests and calls the next script (the last again) for each, on any connection."""

    def __init__(self, *scripts: Script) -> None:
        self.asked = 0
        self.connections = 0
        self._scripts = list(scripts)

    async def __call__(self, stream: trio.abc.Stream) -> None:
        self.connections += 1
        parser = Server(
            h2.config.H2Configuration(
                client_side=False,
                validate_outbound_headers=False,
                normalize_outbound_headers=False,
            )
        )
        parser.initiate_connection()
        await stream.send_all(parser.data_to_send())
        while data := await stream.receive_some(65_536):
            for event in parser.receive_data(bytes(data)):
                if isinstance(event, h2.events.StreamEnded):
                    self.asked += 1
                    script = self._scripts.pop(0) if len(self._scripts) > 1 else self._scripts[0]
                    await script(parser, event.stream_id, stream)
            await stream.send_all(parser.data_to_send())


def _saying(*blocks: list[tuple[str, str]]) -> Script:
    """Header blocks, the last of which ends the answer."""

    async def script(parser: Server, number: int, stream: trio.abc.Stream) -> None:
        for place, block in enumerate(blocks, start=1):
            parser.send_headers(number, block, end_stream=place == len(blocks))
            await stream.send_all(parser.data_to_send())

    return script


def _sending(data: bytes) -> Script:
    """Bytes that are no answer."""

    async def script(_: Server, __: int, stream: trio.abc.Stream) -> None:
        await stream.send_all(data)

    return script


def _resetting(code: ErrorCodes) -> Script:
    async def script(parser: Server, number: int, _: trio.abc.Stream) -> None:
        parser.reset_stream(number, code)

    return script


def _frame(kind: int, number: int, payload: bytes = b"", *, flags: int = 0) -> bytes:
    head = len(payload).to_bytes(3) + bytes([kind, flags]) + number.to_bytes(4)
    return head + payload


def _goaway(last: int, code: int = 0) -> bytes:
    return _frame(7, 0, last.to_bytes(4) + code.to_bytes(4))


FINE = _saying([(":status", "200")])


async def _outcome(roads: Roads, way: Way, message: Message, *scripts: Script) -> Outcome:
    context = roads.server_context(NAME, speaks=("h2",))
    port = await roads.serve(_Scripted(*scripts), tls=context)
    sender = await roads.to_port(port, way, timeouts=Timeouts(first_byte_s=2, whole_s=2))
    return (await sender.send(message)).outcome


PROTOCOL_ERROR = "protocol:protocol error"


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (_saying([("server", "x")]), PROTOCOL_ERROR),
        (_saying([(":status", "2x0")]), "protocol:unexpected status"),
        (_saying([(":status", "99")]), "protocol:unexpected status"),
        (_saying([(":status", "2_00")]), "protocol:unexpected status"),
        (_saying([(":status", "+200")]), "protocol:unexpected status"),
        (_saying([(":status", "0200")]), "protocol:unexpected status"),
        (_saying([(":status", "2\xff00")]), "protocol:unexpected status"),
        (_saying([(":status", "200"), (":status", "200")]), PROTOCOL_ERROR),
        (_saying([(":status", "200"), ("X-Upper", "1")]), PROTOCOL_ERROR),
        (
            _saying([(":status", "200"), *[(f"x-{n}", "v" * 4_000) for n in range(40)]]),
            "protocol:header block too large",
        ),
        (
            _saying(*[[(":status", "103")]] * 20, [(":status", "200")]),
            "protocol:too many interim answers",
        ),
        (_sending(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "protocol:frame size error"),
        (_sending(_frame(0, 0, b"x")), PROTOCOL_ERROR),
        (_sending(_frame(0, 99, b"x")), PROTOCOL_ERROR),
        (_sending(_frame(1, 1, b"\xff\xff\xff\xff", flags=4)), PROTOCOL_ERROR),
        (_sending(_frame(4, 0, b"\0\5\0\0\0\1")), PROTOCOL_ERROR),
        (_sending(_frame(5, 1, b"\0\0\0\2", flags=4)), PROTOCOL_ERROR),
        (_sending(_frame(7, 0, b"")), "protocol:frame size error"),
        (_sending(_frame(8, 0, b"\0\0\0\0")), PROTOCOL_ERROR),
        (_sending(_frame(9, 1, b"")), PROTOCOL_ERROR),
    ],
)
async def test_a_broken_answer_is_an_outcome(
    roads: Roads, way: Way, message: Message, script: Script, reason: str
) -> None:
    """It is told in a word of ours, and nothing of it is taken for an answer."""
    outcome = await _outcome(roads, way, message, script)
    assert outcome == Retry(reason=reason, phase="first-byte")


async def test_answers_in_between_are_passed_over(roads: Roads, way: Way, message: Message) -> None:
    """Early Hints, say; the last one counts."""
    script = _saying([(":status", "103")], [(":status", "202")])
    assert await _outcome(roads, way, message, script) == Delivered("http_202", 202)


async def test_trailers_are_passed_over(roads: Roads, way: Way, message: Message) -> None:
    """They come too late to say anything."""
    script = _saying([(":status", "200")], [("retry-after", "9")])
    assert await _outcome(roads, way, message, script) == OK


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (ErrorCodes.INTERNAL_ERROR, "stream_reset"),
        (ErrorCodes.REFUSED_STREAM, "stream_refused"),
    ],
)
async def test_a_reset_is_an_outcome(
    roads: Roads, way: Way, message: Message, code: ErrorCodes, reason: str
) -> None:
    """On a connection that was made for it."""
    outcome = await _outcome(roads, way, message, _resetting(code))
    assert outcome == Retry(reason=reason, phase="first-byte")


@pytest.mark.parametrize(
    ("code", "asked"), [(ErrorCodes.INTERNAL_ERROR, 2), (ErrorCodes.REFUSED_STREAM, 3)]
)
async def test_only_what_was_refused_is_asked_again(
    roads: Roads, way: Way, message: Message, code: ErrorCodes, asked: int
) -> None:
    """On a connection that was there before: refused means that nothing was done."""
    receiver = _Scripted(FINE, _resetting(code), FINE)
    context = roads.server_context(NAME, speaks=("h2",))
    sender = await roads.to_port(await roads.serve(receiver, tls=context), way)
    for _ in range(2):
        await sender.send(message)
    assert receiver.asked == asked


async def test_a_server_that_takes_its_leave_still_answers(
    roads: Roads, way: Way, message: Message
) -> None:
    """What it has begun it ends; the next attempt has a connection of its own."""

    async def leaving(parser: Server, number: int, stream: trio.abc.Stream) -> None:
        await stream.send_all(_goaway(2**31 - 1) + _goaway(number))
        parser.send_headers(number, [(":status", "200")], end_stream=True)

    receiver = _Scripted(leaving)
    context = roads.server_context(NAME, speaks=("h2",))
    sender = await roads.to_port(await roads.serve(receiver, tls=context), way)
    outcomes = [(await sender.send(message)).outcome for _ in range(2)]
    assert (outcomes, receiver.asked, receiver.connections) == ([OK, OK], 2, 2)


async def test_what_a_leaving_server_has_not_begun_goes_elsewhere(
    roads: Roads, way: Way, message: Message
) -> None:
    """It has said so, so the attempt goes on with a fresh connection."""

    async def leaving(_: Server, number: int, stream: trio.abc.Stream) -> None:
        await stream.send_all(_goaway(number - 2))

    receiver = _Scripted(FINE, leaving, FINE)
    context = roads.server_context(NAME, speaks=("h2",))
    sender = await roads.to_port(await roads.serve(receiver, tls=context), way)
    outcomes = [(await sender.send(message)).outcome for _ in range(2)]
    assert (outcomes, receiver.asked, receiver.connections) == ([OK, OK], 3, 2)


async def test_an_answer_may_come_before_the_request_has_been_read(
    roads: Roads, way: Way, message: Message
) -> None:
    """413, say, while the window is closed for the rest of the body."""

    async def receiver(stream: trio.abc.Stream) -> None:
        parser = Server(h2.config.H2Configuration(client_side=False))
        parser.initiate_connection()
        await stream.send_all(parser.data_to_send())
        while data := await stream.receive_some(65_536):
            for event in parser.receive_data(bytes(data)):
                if isinstance(event, h2.events.RequestReceived):
                    parser.send_headers(event.stream_id, [(":status", "413")], end_stream=True)
                    parser.reset_stream(event.stream_id, ErrorCodes.NO_ERROR)
            await stream.send_all(parser.data_to_send())

    context = roads.server_context(NAME, speaks=("h2",))
    port = await roads.serve(receiver, tls=context)
    # httpx waits for the window to open until its time is over, and has the answer nevertheless.
    timeouts = Timeouts(connect_s=3, first_byte_s=3, whole_s=3)
    sender = await roads.to_port(port, way, timeouts=timeouts)
    large = type(message)(
        content=b"x" * 500_000,
        content_type="text/plain",
        id="evt_2",
        seq=1,
        previous_id="",
        attempt=1,
        sent_at=1.0,
    )
    assert (await sender.send(large)).outcome.http_status == 413


# httpx does not wait for the settings of its peer: it sends, and then nothing comes.
NOTHING_OF_HTTP2 = {
    ("own", "silent"): {"timeout_connect"},
    ("own", "closing"): {"closed"},
    ("httpx", "silent"): {"timeout_first_byte"},
    ("httpx", "closing"): {"closed", "reset"},
}


@pytest.mark.parametrize("streams", ["silent", "closing"])
async def test_a_peer_that_never_begins_is_not_connected(
    roads: Roads, way: Way, message: Message, streams: str
) -> None:
    """TLS stands, and nothing of HTTP/2 comes."""

    async def receiver(stream: trio.abc.Stream) -> None:
        await stream.receive_some()
        while streams == "silent" and await stream.receive_some():
            pass

    context = roads.server_context(NAME, speaks=("h2",))
    port = await roads.serve(receiver, tls=context)
    sender = await roads.to_port(port, way, timeouts=Timeouts(connect_s=0.3, first_byte_s=0.3))
    reason = (await sender.send(message)).outcome.reason
    assert reason in NOTHING_OF_HTTP2[way.client, streams]


async def test_settings_that_take_nothing_are_an_outcome(roads: Roads, message: Message) -> None:
    """A server may take no request for now; httpx would ask it before it knows."""
    port = await roads.serve(
        Receiver(streams_max=0).serve, tls=roads.server_context(NAME, speaks=("h2",))
    )
    sender = await roads.to_port(port, WAYS["http2"])
    assert (await sender.send(message)).outcome == Retry(reason="stream_refused", phase="write")
