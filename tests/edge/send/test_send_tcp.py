"""The TCP sender: frames in order on one connection, acknowledged or not."""

import json
import ssl
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import trio
import trustme
from msgspec.structs import replace

from callpost.edge.dial import Dialer
from callpost.edge.send_tcp import TcpSender
from callpost.model.delivery import Message, Report
from callpost.model.endpoint import TcpEndpoint, Timeouts, Tls
from callpost.model.limits import Egress
from callpost.model.outcome import Delivered, Outcome, Refused, Retry

Serve = Callable[..., Awaitable[int]]
Reset = Callable[[trio.abc.Stream], Awaitable[None]]
_LINE = b'{"event":"newCall"}\n'


class _Peer:
    """Keeps the lines it gets and answers each with `answer`, if that is not empty."""

    def __init__(self, answer: bytes = b"") -> None:
        self.answer = answer
        self.lines: list[bytes] = []
        self.connections = 0
        self._news = trio.Event()

    async def __call__(self, stream: trio.abc.Stream) -> None:
        self.connections += 1
        buffer = b""
        while data := await stream.receive_some():
            *lines, buffer = (buffer + data).split(b"\n")
            self.lines += lines
            for _ in lines:
                if self.answer:
                    await stream.send_all(self.answer)
            self._news.set()
            self._news = trio.Event()

    async def got(self, number: int) -> list[bytes]:
        with trio.fail_after(1):
            while len(self.lines) < number:
                await self._news.wait()
        return self.lines


def _sender(
    dialer: Dialer,
    port: int,
    *,
    egress: Egress | None = None,
    **keys: Any,  # noqa: ANN401 - any field of an endpoint
) -> TcpSender:
    endpoint = TcpEndpoint(
        **{
            "place": "primary",
            "host": "127.0.0.1",
            "port": port,
            "method": "POSTJSON",
            "level": 2,
            "timeouts": Timeouts(connect_s=0.3, first_byte_s=0.2, whole_s=0.4),
            **keys,
        }
    )
    return TcpSender(endpoint, dialer=dialer, egress=egress or Egress())


async def _reports(sender: TcpSender, *messages: Message) -> list[Report]:
    reports = [await sender.send(message) for message in messages]
    sender.close()
    return reports


async def test_one_frame_goes_out_per_event(serve: Serve, dialer: Dialer, message: Message) -> None:
    """The content, framed."""
    peer = _Peer()
    await _reports(_sender(dialer, await serve(peer)), message, message)
    assert await peer.got(2) == [message.content] * 2


async def test_one_connection_is_kept_open(serve: Serve, dialer: Dialer, message: Message) -> None:
    """The second frame needs no connect."""
    reports = await _reports(_sender(dialer, await serve(_Peer())), message, message)
    seen = [(report.outcome, report.reused, report.connect_ms is None) for report in reports]
    written = Delivered("written")
    assert seen == [(written, False, False), (written, True, True)]


async def test_concurrent_attempts_go_one_after_another(
    serve: Serve, dialer: Dialer, message: Message
) -> None:
    """In the order in which they came, on one connection."""
    peer = _Peer(b"OK\n")
    sender = _sender(dialer, await serve(peer), ack=True)
    async with trio.open_nursery() as nursery:
        for number in range(5):
            nursery.start_soon(sender.send, replace(message, content=b"%d" % number))
            await trio.testing.wait_all_tasks_blocked()
    sender.close()
    assert peer.lines == [b"0", b"1", b"2", b"3", b"4"]


async def test_a_frame_may_come_in_an_envelope(
    serve: Serve, dialer: Dialer, message: Message
) -> None:
    """With the marks that HTTP has in its headers."""
    peer = _Peer()
    sender = _sender(dialer, await serve(peer), envelope=True, signing_keys=(b"key",))
    await _reports(sender, message)
    lines = await peer.got(1)
    keys = ["id", "seq", "attempt", "time", "signature", "content"]
    assert list(json.loads(lines[0])) == keys


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (b"OK\n", Delivered("acknowledged")),
        (b"OK fine\r\n", Delivered("acknowledged")),
        (b"250 taken\n", Delivered("acknowledged")),
        (b"503 later\n", Retry(reason="ack_5xx")),
        (b"no\n", Refused("ack_refused")),
        (b"404\n", Refused("ack_refused")),
        (b"\n", Refused("ack_refused")),
        (b"x" * 20_000, Retry(reason="protocol:too large", phase="read")),
        (b"OK", Retry(reason="timeout_first_byte", phase="read", timed_out=True)),
        (b"", Retry(reason="timeout_first_byte", phase="first-byte", timed_out=True)),
    ],
)
async def test_an_acknowledgement_is_an_outcome(
    serve: Serve, dialer: Dialer, message: Message, answer: bytes, outcome: Outcome
) -> None:
    """What the peer's frame begins with decides."""
    sender = _sender(dialer, await serve(_Peer(answer)), ack=True)
    (report,) = await _reports(sender, message)
    assert report.outcome == outcome


@pytest.mark.parametrize("answer", [b"OK\n", b"503\n", b"no\n"])
async def test_an_answered_frame_keeps_the_connection(
    serve: Serve, dialer: Dialer, message: Message, answer: bytes
) -> None:
    """Whatever the answer was, the next frame can follow."""
    peer = _Peer(answer)
    await _reports(_sender(dialer, await serve(peer), ack=True), message, message)
    assert peer.connections == 1


async def test_a_missing_acknowledgement_closes_the_connection(
    serve: Serve, dialer: Dialer, message: Message
) -> None:
    """A late answer must not be taken for the next frame's."""
    peer = _Peer()
    await _reports(_sender(dialer, await serve(peer), ack=True), message, message)
    assert peer.connections == 2


async def test_what_the_peer_says_unasked_is_no_acknowledgement(
    serve: Serve, dialer: Dialer, message: Message
) -> None:
    """Bytes that came before a frame are dropped."""
    greeted = trio.Event()

    async def handler(stream: trio.abc.Stream) -> None:
        await stream.receive_some()
        await stream.send_all(b"OK\nOK\nOK\n")
        greeted.set()
        await stream.receive_some()
        await stream.send_all(b"no\n")
        await stream.receive_some()

    sender = _sender(dialer, await serve(handler), ack=True)
    await sender.send(message)
    await greeted.wait()
    (report,) = await _reports(sender, message)
    assert report.outcome == Refused("ack_refused")


async def test_what_the_peer_says_without_ack_is_dropped(
    serve: Serve, dialer: Dialer, message: Message
) -> None:
    """A chatty peer changes nothing."""
    peer = _Peer(b"blah blah\n" * 100)
    sender = _sender(dialer, await serve(peer))
    reports = [await sender.send(message) for _ in range(20)]
    sender.close()
    assert {report.outcome for report in reports} == {Delivered("written")}


@pytest.mark.parametrize("by_reset", [False, True])
async def test_a_peer_that_closed_is_noticed_before_the_next_frame(
    serve: Serve, dialer: Dialer, message: Message, reset: Reset, *, by_reset: bool
) -> None:
    """The frame goes out on a new connection, and no attempt is spent."""
    received: list[bytes] = []
    closed = trio.Event()

    async def handler(stream: trio.abc.Stream) -> None:
        received.append(bytes(await stream.receive_some()))
        if by_reset:
            await reset(stream)
        else:
            await stream.aclose()
        closed.set()

    sender = _sender(dialer, await serve(handler))
    await sender.send(message)
    await closed.wait()
    closed = trio.Event()
    (report,) = await _reports(sender, message)
    await closed.wait()
    assert (report.reused, received) == (False, [_LINE, _LINE])


async def test_a_peer_that_closes_instead_of_acknowledging_is_a_retry(
    serve: Serve, dialer: Dialer, message: Message
) -> None:
    """On a fresh connection that is an answer of its own."""

    async def handler(stream: trio.abc.Stream) -> None:
        await stream.receive_some()

    (report,) = await _reports(_sender(dialer, await serve(handler), ack=True), message)
    assert report.outcome == Retry(reason="closed", phase="first-byte")


async def test_a_peer_that_never_reads_is_a_time_out(
    serve: Serve, dialer: Dialer, message: Message
) -> None:
    """Once the kernel's buffers are full."""

    async def handler(_stream: trio.abc.Stream) -> None:
        await trio.sleep_forever()

    sender = _sender(dialer, await serve(handler))
    (report,) = await _reports(sender, replace(message, content=b"x" * 20_000_000))
    assert report.outcome == Retry(reason="timeout", phase="write", timed_out=True)


async def test_nobody_is_charged_for_standing_in_line(
    serve: Serve, dialer: Dialer, message: Message
) -> None:
    """Four answers of 0.1 s each are in time for four attempts that may take 0.3 s each."""
    reports: list[Report] = []

    async def slow(stream: trio.abc.Stream) -> None:
        while await stream.receive_some():
            await trio.sleep(0.1)
            await stream.send_all(b"OK\n")

    timeouts = Timeouts(first_byte_s=0.3, whole_s=0.3)
    sender = _sender(dialer, await serve(slow), ack=True, timeouts=timeouts)

    async def send() -> None:
        reports.append(await sender.send(message))

    async with trio.open_nursery() as nursery:
        for _ in range(4):
            nursery.start_soon(send)
    sender.close()
    assert {report.outcome for report in reports} == {Delivered("acknowledged")}


async def test_an_old_connection_is_replaced_where_every_frame_was_answered(
    serve: Serve, dialer: Dialer, message: Message
) -> None:
    """A change in DNS is followed, and no event can overtake another."""
    peer = _Peer(b"OK\n")
    sender = _sender(dialer, await serve(peer), ack=True, egress=Egress(connection_max_age_s=0))
    await _reports(sender, message, message)
    assert peer.connections == 2


async def test_a_cancelled_attempt_closes_the_connection(
    serve: Serve, dialer: Dialer, message: Message
) -> None:
    """Nobody knows how much of the frame was sent."""
    peer = _Peer()
    sender = _sender(dialer, await serve(peer), ack=True)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(sender.send, message)
        await peer.got(1)
        nursery.cancel_scope.cancel()
    assert sender._line is None


async def test_frames_go_out_over_tls(
    serve: Serve,
    dialer: Dialer,
    message: Message,
    authority: trustme.CA,
    server_context: ssl.SSLContext,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Where the endpoint has TLS settings."""
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    peer = _Peer(b"OK\n")
    port = await serve(peer, tls=server_context)
    sender = _sender(dialer, port, tls=Tls(ca_file=str(path)), ack=True)
    reports = await _reports(sender, message, message)
    assert [report.outcome for report in reports] == [Delivered("acknowledged")] * 2


@pytest.mark.parametrize("answer", [b"", b"OK\n"])
async def test_a_line_may_rest_longer_than_an_attempt_may_take(
    serve: Serve, dialer: Dialer, message: Message, answer: bytes
) -> None:
    """The deadline of one attempt does not end the connection before the next."""
    timeouts = Timeouts(connect_s=0.3, first_byte_s=0.25, whole_s=0.25)
    port = await serve(_Peer(answer))
    sender = _sender(dialer, port, ack=bool(answer), timeouts=timeouts)
    await sender.send(message)
    await trio.sleep(0.3)
    (report,) = await _reports(sender, message)
    assert report.reused


async def test_a_sender_that_never_waits_lets_others_have_their_turn(
    serve: Serve, dialer: Dialer, message: Message
) -> None:
    """The kernel takes every frame at once, yet the loop is not held."""
    sender = _sender(dialer, await serve(_Peer()))
    await sender.send(message)
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await trio.lowlevel.checkpoint()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(count)
        for _ in range(160):
            await sender.send(message)
        nursery.cancel_scope.cancel()
    sender.close()
    assert turns >= 9


class _JustInTime:
    """A link whose deadline passes as the last byte goes out, and the dialler that has it."""

    def __init__(self) -> None:
        self.expired = False
        self.closed = False

    async def connect(self, *_: object, **__: object) -> "_JustInTime":
        """It is the link itself."""
        return self

    def set_deadline(self, when: float) -> None:
        """It passes at its own time."""

    async def send_all(self, data: bytes) -> None:  # noqa: ARG002 - the port's
        """Everything has gone."""
        self.expired = True

    def close(self) -> None:
        """It ends."""
        self.closed = True


async def test_a_line_that_expired_with_the_last_byte_is_not_used_again(message: Message) -> None:
    """The frame is delivered, and the next one is not charged for it."""
    link = _JustInTime()
    sender = _sender(link, 9)  # type: ignore[arg-type] # the part that is used
    report = await sender.send(message)
    assert (report.outcome, link.closed) == (Delivered("written"), True)


async def test_an_acknowledgement_is_told(serve: Serve, dialer: Dialer, message: Message) -> None:
    """The peer's frame as it came; without one nothing."""
    sender = _sender(dialer, await serve(_Peer(b"no such call\n")), ack=True)
    silent = _sender(dialer, await serve(_Peer(b"")), ack=True)
    [refused] = await _reports(sender, message)
    [unanswered] = await _reports(silent, message)
    assert (refused.answer, unanswered.answer) == (b"no such call", b"")
