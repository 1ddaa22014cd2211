"""The UDP sender: datagrams, and nobody charged for somebody else's."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import trio
from msgspec.structs import replace

from callpost.edge.dial import Dialer
from callpost.edge.send_udp import UdpSender
from callpost.model.delivery import Message, Report
from callpost.model.egress import Guard
from callpost.model.endpoint import Timeouts, UdpEndpoint
from callpost.model.limits import DATAGRAM_MAX_BYTES, Egress
from callpost.model.outcome import Delivered, LocalFault, Rejected, Retry

_SENT = Delivered("sent")


@pytest.fixture
async def peer() -> AsyncIterator[trio.socket.SocketType]:
    """A bound UDP socket on loopback."""
    with trio.socket.socket(type=trio.socket.SOCK_DGRAM) as sock:
        await sock.bind(("127.0.0.1", 0))
        yield sock


def _sender(dialer: Dialer, port: int, *, egress: Egress | None = None, **keys: Any) -> UdpSender:  # noqa: ANN401 - any field of an endpoint
    endpoint = UdpEndpoint(
        **{
            "place": "primary",
            "host": "127.0.0.1",
            "port": port,
            "method": "POSTJSON",
            "level": 2,
            "timeouts": Timeouts(connect_s=0.2, first_byte_s=0.2, whole_s=0.3),
            **keys,
        }
    )
    return UdpSender(endpoint, dialer=dialer, egress=egress or Egress())


async def _reports(sender: UdpSender, *messages: Message) -> list[Report]:
    reports = [await sender.send(message) for message in messages]
    sender.close()
    return reports


def _port(peer: trio.socket.SocketType) -> int:
    return int(peer.getsockname()[1])


async def test_one_datagram_goes_out_per_event(
    dialer: Dialer, peer: trio.socket.SocketType, message: Message
) -> None:
    """The content and nothing else."""
    await _reports(_sender(dialer, _port(peer)), message)
    assert await peer.recv(65_536) == message.content


async def test_sent_is_delivered(
    dialer: Dialer, peer: trio.socket.SocketType, message: Message
) -> None:
    """Best effort; the socket is kept."""
    reports = await _reports(_sender(dialer, _port(peer)), message, message)
    assert [(report.outcome, report.reused) for report in reports] == [
        (_SENT, False),
        (_SENT, True),
    ]


async def test_a_datagram_may_come_in_an_envelope(
    dialer: Dialer, peer: trio.socket.SocketType, message: Message
) -> None:
    """As on TCP."""
    await _reports(_sender(dialer, _port(peer), envelope=True), message)
    assert json.loads(await peer.recv(65_536))["id"] == "evt_1"


async def test_the_largest_datagram_is_sent(
    dialer: Dialer, peer: trio.socket.SocketType, message: Message
) -> None:
    """65,507 bytes, the most that UDP over IPv4 can carry."""
    large = replace(message, content=b"x" * DATAGRAM_MAX_BYTES)
    (report,) = await _reports(_sender(dialer, _port(peer)), large)
    assert report.outcome == _SENT


async def test_what_is_larger_is_rejected(
    dialer: Dialer, peer: trio.socket.SocketType, message: Message
) -> None:
    """No further try can help."""
    large = replace(message, content=b"x" * (DATAGRAM_MAX_BYTES + 1))
    (report,) = await _reports(_sender(dialer, _port(peer)), large)
    assert report.outcome == Rejected("too_large")


async def test_an_icmp_error_is_charged_to_nobody(dialer: Dialer, message: Message) -> None:
    """Each of these was told of the one before it; all were sent."""
    with trio.socket.socket(type=trio.socket.SOCK_DGRAM) as unused:
        await unused.bind(("127.0.0.1", 0))
        port = _port(unused)
    reports = await _reports(_sender(dialer, port), *[message] * 5)
    assert {report.outcome for report in reports} == {_SENT}


async def test_the_name_is_looked_up_again_after_a_while(
    peer: trio.socket.SocketType, message: Message
) -> None:
    """A change in DNS is followed."""
    asked: list[str] = []

    def look_up(name: str) -> tuple[str, ...]:
        asked.append(name)
        return ("127.0.0.1",)

    egress = Egress(connection_max_age_s=0)
    dialer = Dialer(egress, Guard(), look_up=look_up)
    sender = _sender(dialer, _port(peer), egress=egress, host="pbx.example")
    await _reports(sender, message, message)
    assert len(asked) == 2


@pytest.mark.parametrize("host", ["169.254.169.254", "255.255.255.255", "224.0.0.1", "0.0.0.0"])
async def test_a_denied_address_gets_no_datagram(
    dialer: Dialer, message: Message, host: str
) -> None:
    """The guard sees UDP too."""
    (report,) = await _reports(_sender(dialer, 9, host=host), message)
    assert report.outcome == Retry(reason="egress_denied", phase="connect")


async def test_a_source_address_that_is_not_ours_is_our_own_fault(message: Message) -> None:
    """Nobody is charged."""
    egress = Egress(source_address="203.0.113.1")
    (report,) = await _reports(_sender(Dialer(egress, Guard()), 9, egress=egress), message)
    assert report.outcome == LocalFault("udp:no_local_address")


class _Crowded:
    """A dialler whose links have no room for the first `refused` datagrams."""

    def __init__(self, refused: int) -> None:
        self.room = trio.Event()
        self.sent: list[bytes] = []
        self._refused = refused

    async def connect_datagram(
        self,
        host: str,  # noqa: ARG002 - the port's
        port: int,  # noqa: ARG002 - the port's
        *,
        connect_timeout_s: float,  # noqa: ARG002 - the port's
        strict: bool,  # noqa: ARG002 - the port's
    ) -> "_Crowded":
        """It is the link itself."""
        return self

    def send(self, datagram: bytes) -> bool:
        """Take it, or have no room."""
        self._refused -= 1
        if self._refused >= 0:
            return False
        self.sent.append(datagram)
        return True

    async def wait(self) -> None:
        """There is room."""
        await self.room.wait()

    def close(self) -> None:
        """Nothing to let go of."""


def _to(dialer: _Crowded) -> UdpSender:
    return _sender(dialer, 9)  # type: ignore[arg-type] # the part that is used


async def test_datagrams_wait_for_room_in_their_order(message: Message) -> None:
    """Those that come later do not overtake the one that waits."""
    crowded = _Crowded(refused=1)
    sender = _to(crowded)
    async with trio.open_nursery() as nursery:
        for number in range(3):
            nursery.start_soon(sender.send, replace(message, content=b"%d" % number))
            await trio.testing.wait_all_tasks_blocked()
        crowded.room.set()
    sender.close()
    assert crowded.sent == [b"0", b"1", b"2"]


async def test_no_room_in_time_is_a_time_out(message: Message) -> None:
    """The attempt ends as any other."""
    (report,) = await _reports(_to(_Crowded(refused=1)), message)
    assert report.outcome == Retry(reason="timeout", phase="write", timed_out=True)


async def test_a_sender_that_never_waits_lets_others_have_their_turn(
    dialer: Dialer, peer: trio.socket.SocketType, message: Message
) -> None:
    """The kernel takes every datagram at once, yet the loop is not held."""
    sender = _sender(dialer, _port(peer))
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
