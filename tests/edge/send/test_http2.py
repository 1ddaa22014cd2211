"""HTTP/2: how it is agreed on, what shares a connection, and receivers that misbehave in it."""

import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import h2.config
import h2.connection
import h2.events
import pytest
import trio
import trustme

from callpost.edge.send_http import HttpSender
from callpost.edge.send_http_negotiated import NegotiatingHttpSender
from callpost.edge.send_httpx import HttpxSender
from callpost.model.delivery import Message, Report
from callpost.model.endpoint import Timeouts, Tls
from callpost.model.outcome import Delivered, Outcome, Retry
from edge.send.http_ways import NAME, WAYS, Roads, Serve
from http_receivers import Receiver, Reply

Sender = HttpSender | NegotiatingHttpSender | HttpxSender
Server = h2.connection.H2Connection
HTTP2 = WAYS["http2"]
OK = Delivered("http_200", 200)


@pytest.fixture
async def roads(
    nursery: trio.Nursery, serve: Serve, authority: trustme.CA, tmp_path: Path
) -> AsyncIterator[Roads]:
    """Senders to receivers on loopback."""
    opened = Roads(nursery, serve, authority, tmp_path)
    yield opened
    opened.close()


async def _sent_at_once(sender: Sender, message: Message, number: int) -> list[Report]:
    reports: list[Report] = []

    async def send() -> None:
        reports.append(await sender.send(message))

    async with trio.open_nursery() as nursery:
        for _ in range(number):
            nursery.start_soon(send)
    return reports


@pytest.mark.parametrize(
    ("way", "version"),
    [("http2", "2"), ("http2 tunnelled", "2"), ("http2 wanted", "1.1"), ("tunnelled", "1.1")],
)
async def test_http2_is_spoken_where_both_want_it(
    roads: Roads, message: Message, way: str, version: str
) -> None:
    """Without the wish it is not offered, without an answer to it HTTP/1.1 is spoken."""
    receiver = Receiver()
    await (await roads.to(receiver, WAYS[way])).send(message)
    assert [request.version for request in receiver.requests] == [version]


async def test_a_wish_for_http2_is_for_one_subscription_only(
    roads: Roads, message: Message
) -> None:
    """Others with the same settings of TLS do not offer it."""
    receivers = Receiver(), Receiver()
    for receiver, way in zip(receivers, ("http2", "tunnelled"), strict=True):
        await (await roads.to(receiver, WAYS[way])).send(message)
    assert [receiver.requests[0].version for receiver in receivers] == ["2", "1.1"]


async def test_attempts_share_a_connection(roads: Roads, message: Message) -> None:
    """Also those that begin before there is one."""
    receiver = Receiver()
    reports = await _sent_at_once(await roads.to(receiver, HTTP2), message, 20)
    reused = sorted(report.reused for report in reports)
    assert (receiver.connections, reused) == (1, [False, *[True] * 19])


async def test_a_receiver_that_takes_few_at_a_time_gets_more_connections(
    roads: Roads, message: Message
) -> None:
    """Nobody waits behind others on the way to a receiver that takes one at a time."""
    receiver = Receiver(Reply(instead="silence"), Reply(), streams_max=1)
    sender = await roads.to(receiver, HTTP2, timeouts=Timeouts(first_byte_s=0.2))
    reports = await _sent_at_once(sender, message, 5)
    delivered = [report.outcome for report in reports].count(OK)
    assert (delivered, receiver.connections > 1) == (4, True)


async def test_a_time_out_leaves_the_others_alone(roads: Roads, message: Message) -> None:
    """The exchange is given up, the connection is not."""
    receiver = Receiver(Reply(instead="silence"), Reply())
    sender = await roads.to(receiver, HTTP2, timeouts=Timeouts(first_byte_s=0.1))
    reports = await _sent_at_once(sender, message, 5)
    reports.append(await sender.send(message))
    delivered = [report.outcome for report in reports].count(OK)
    assert (delivered, receiver.connections) == (5, 1)


async def test_a_body_without_end_leaves_the_connection_alone(
    roads: Roads, message: Message
) -> None:
    """What is too long is cut off, and the next attempt goes the same way."""
    receiver = Receiver(Reply(body=b"x" * 60_000, endless=True), Reply())
    sender = await roads.to(receiver, HTTP2, timeouts=Timeouts(whole_s=2))
    reports = [await sender.send(message) for _ in range(2)]
    seen = [(report.outcome, report.total_ms < 1_500) for report in reports]
    assert (seen, receiver.connections) == ([(OK, True), (OK, True)], 1)


@pytest.mark.parametrize(
    ("names", "verify", "trusted", "outcome"),
    [
        ((NAME,), True, True, OK),
        (
            ("other.example", "127.0.0.1", "localhost"),
            True,
            True,
            Retry(reason="tls:certificate for another name", phase="tls"),
        ),
        (
            (NAME,),
            True,
            False,
            Retry(reason="tls:certificate of an unknown authority", phase="tls"),
        ),
        (("other.example",), False, False, OK),
    ],
)
@pytest.mark.parametrize("way", ["http2", "tunnelled", "http2 tunnelled"])
async def test_a_receiver_is_verified_by_its_name(
    roads: Roads,
    message: Message,
    way: str,
    names: tuple[str, ...],
    verify: bool,  # noqa: FBT001 - one of the parameters of the case
    trusted: bool,  # noqa: FBT001 - likewise
    outcome: Outcome,
) -> None:
    """The address that was dialled has no part in it, nor has the proxy."""
    context = roads.server_context(*names, speaks=("h2", "http/1.1"))
    port = await roads.serve(Receiver().serve, tls=context)
    tls = roads.trusting if trusted else Tls(verify=verify)
    sender = await roads.to_port(port, WAYS[way], tls=tls)
    assert (await sender.send(message)).outcome == outcome


async def test_the_name_goes_along_in_the_handshake(roads: Roads, message: Message) -> None:
    """SNI: a receiver with many names knows which is meant."""
    asked: list[str | None] = []

    def note(_: ssl.SSLObject, name: str | None, __: ssl.SSLContext) -> None:
        asked.append(name)

    context = roads.server_context(NAME, speaks=("h2",))
    context.sni_callback = note
    port = await roads.serve(Receiver().serve, tls=context)
    await (await roads.to_port(port, HTTP2)).send(message)
    assert asked == [NAME]
