"""The test of a subscription over real sockets: what the receiver gets is what is shown."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial

import pytest
import trio
from msgspec.structs import replace

from callpost.edge.dial import Dialer
from callpost.edge.dice import SystemDice
from callpost.edge.listen import Arrived, Behaviour, bind_tcp, bind_udp, serve_tcp, serve_udp
from callpost.engine.trial import Trials
from callpost.model.disclosure import MASK
from callpost.model.egress import Guard
from callpost.model.endpoint import (
    Auth,
    BasicAuth,
    BearerAuth,
    BodySignature,
    DigestAuth,
    Endpoint,
    HttpEndpoint,
    TcpEndpoint,
    Timeouts,
    UdpEndpoint,
)
from callpost.model.limits import Egress
from callpost.model.schedule import CDR, LIVE
from callpost.model.subscription import Subscription
from callpost.model.trial import Trial
from callpost.senders import sender_factory
from doubles import VirtualClock
from edge.send.tending import tending
from household import a_receiver

SECRET = "not-for-show"
EGRESS = Egress()


async def tried(endpoint: Endpoint) -> Trial:
    """Test a subscription with this endpoint."""
    subscription = Subscription(name="crm", endpoints=(endpoint,), schedule=LIVE, cdr_schedule=CDR)
    with trio.fail_after(10):
        async with tending(Dialer(EGRESS, Guard())) as dialer:
            trials = Trials(
                open_sender=sender_factory(dialer, EGRESS), clock=VirtualClock(), dice=SystemDice()
            )
            return await trials.of(subscription)


def http_at(port: int, auth: Auth | None = None) -> HttpEndpoint:
    """An endpoint with a secret in every place."""
    return HttpEndpoint(
        place="primary",
        scheme="http",
        host="127.0.0.1",
        port=port,
        target=f"/calls/{SECRET}?key={SECRET}",
        method="POSTJSON",
        level=2,
        headers=(("X-Api-Key", SECRET),),
        auth=auth,
        signing_keys=(SECRET.encode(),),
        body_signature=BodySignature("X-Signature", SECRET.encode()),
        timeouts=Timeouts(connect_s=1, first_byte_s=1, whole_s=2),
    )


@asynccontextmanager
async def a_tcp_receiver(port: list[int]) -> AsyncIterator[list[Arrived]]:
    """Lines that are answered with 200."""
    arrived: list[Arrived] = []
    listener = await bind_tcp("127.0.0.1", 0)
    port.append(listener.socket.getsockname()[1])
    async with trio.open_nursery() as nursery:
        serve = partial(serve_tcp, listener, arrived=arrived.append, behave=Behaviour())
        await nursery.start(serve)
        yield arrived
        nursery.cancel_scope.cancel()


def shown(trial: Trial) -> Mapping[str, str]:
    """The headers of the first exchange."""
    return dict(trial.exchanges[0].headers)


async def test_a_real_receiver_gets_what_is_shown() -> None:
    """Content, id and outcome; both events arrive."""
    async with a_receiver() as receiver:
        trial = await tried(http_at(receiver.port))
    assert trial.ok
    assert [one.content.encode() for one in trial.exchanges] == [
        one.content for one in receiver.arrived
    ]
    assert [one.http_status for one in trial.exchanges] == [200, 200]


async def test_the_headers_are_those_that_were_sent() -> None:
    """Every name, in order; a value is the one that was sent, or masked."""
    async with a_receiver() as receiver:
        trial = await tried(http_at(receiver.port, BasicAuth("u", SECRET)))
    sent = receiver.arrived[0].headers
    assert [name.lower() for name, _ in trial.exchanges[0].headers] == [
        name.lower() for name, _ in sent
    ]
    assert all(
        told in {MASK, value}
        for (_, told), (_, value) in zip(trial.exchanges[0].headers, sent, strict=True)
    )


@pytest.mark.parametrize(
    "auth", [None, BasicAuth("u", SECRET), BearerAuth(SECRET), DigestAuth("u", SECRET)]
)
async def test_no_secret_is_shown(auth: Auth | None) -> None:
    """Not in the headers, not in the address, not in the signatures."""
    async with a_receiver() as receiver:
        trial = await tried(http_at(receiver.port, auth))
    names = {"X-Api-Key", "X-Signature", "webhook-signature"}
    assert {shown(trial)[name] for name in names} == {MASK}
    assert SECRET not in str(trial)


async def test_a_receiver_that_is_not_there_is_told_with_the_reason() -> None:
    """And nothing is shown as an answer."""
    async with a_receiver() as receiver:
        port = receiver.port
    trial = await tried(http_at(port))
    first = trial.exchanges[0]
    assert (trial.ok, first.outcome, first.reason, first.http_status, first.answer) == (
        False,
        "retry",
        "connect:refused",
        None,
        "",
    )


async def test_a_receiver_that_does_not_answer_costs_its_own_time_out_only() -> None:
    """The endpoint's, for each event."""
    async with a_receiver(Behaviour(delay_s=30)) as receiver:
        endpoint = replace(http_at(receiver.port), timeouts=Timeouts(whole_s=0.2))
        trial = await tried(endpoint)
    assert [one.reason for one in trial.exchanges] == ["timeout", "timeout"]


async def test_an_acknowledgement_is_shown_as_the_answer() -> None:
    """The frame that the peer has sent."""
    port: list[int] = []
    async with a_tcp_receiver(port) as arrived:
        endpoint = TcpEndpoint(
            place="primary", host="127.0.0.1", port=port[0], method="GET1", level=1, ack=True
        )
        trial = await tried(endpoint)
    assert (trial.ok, trial.exchanges[0].answer, len(arrived)) == (True, "200", 2)


async def test_a_datagram_is_sent_and_nothing_comes_back() -> None:
    """Delivered means sent."""
    arrived: list[Arrived] = []
    came = trio.Event()

    def take(what: Arrived) -> None:
        arrived.append(what)
        if len(arrived) == 2:
            came.set()

    socket = await bind_udp("127.0.0.1", 0)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(partial(serve_udp, socket, arrived=take))
        port = socket.getsockname()[1]
        trial = await tried(
            UdpEndpoint(place="primary", host="127.0.0.1", port=port, method="GET1", level=1)
        )
        with trio.fail_after(5):
            await came.wait()
        nursery.cancel_scope.cancel()
    assert (trial.ok, trial.exchanges[0].headers, trial.exchanges[0].answer) == (True, (), "")
