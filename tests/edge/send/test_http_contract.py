"""What every HTTP sender does, on whichever way its requests go."""

import base64
import hashlib
import hmac
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trio
import trustme

from callpost.model.delivery import Message, Report
from callpost.model.disclosure import MASK
from callpost.model.endpoint import (
    BasicAuth,
    BearerAuth,
    BodySignature,
    DigestAuth,
    Timeouts,
)
from callpost.model.limits import Egress
from callpost.model.outcome import Delivered, Gone, Outcome, Refused, Rejected, Retry
from edge.send.http_ways import WAYS, Roads, Serve, Way
from http_receivers import Receiver, Reply

KEY = b"k" * 32
CHALLENGE = Reply(401, (("www-authenticate", 'Digest realm="r", nonce="n", qop="auth"'),))


@pytest.fixture
async def roads(
    nursery: trio.Nursery, serve: Serve, authority: trustme.CA, tmp_path: Path
) -> AsyncIterator[Roads]:
    """Senders to receivers on loopback."""
    opened = Roads(nursery, serve, authority, tmp_path)
    yield opened
    opened.close()


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> Way:
    """Each of the ways in turn."""
    return WAYS[request.param]


async def _outcome(
    roads: Roads, way: Way, message: Message, reply: Reply, *, timeouts: Timeouts | None = None
) -> Outcome:
    sender = await roads.to(Receiver(reply), way, timeouts=timeouts or Timeouts())
    return (await sender.send(message)).outcome


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        (Reply(200), Delivered("http_200", 200)),
        (Reply(204), Delivered("http_204", 204)),
        (Reply(410), Gone("http_410", 410)),
        (Reply(422), Rejected("http_422", 422)),
        (Reply(409), Refused("http_409", 409)),
        (Reply(500), Retry(reason="http_500", http_status=500)),
        (
            Reply(503, (("retry-after", "7"),)),
            Retry(reason="http_503", http_status=503, retry_after_s=7.0),
        ),
        (
            Reply(302, (("location", "https://u:p@Other.example:8/secret?x=1"),)),
            Retry(reason="redirect_to:other.example", http_status=302),
        ),
        (
            Reply(301, (("location", "/elsewhere"),)),
            Retry(reason="redirect_to:crm.example", http_status=301),
        ),
        (Reply(200, body=b"x" * 100_000), Delivered("http_200", 200)),
    ],
    ids=str,
)
async def test_an_answer_is_an_outcome(
    roads: Roads, way: Way, message: Message, reply: Reply, outcome: Outcome
) -> None:
    """Status and headers decide; what is silent or closes is tried again."""
    assert await _outcome(roads, way, message, reply) == outcome


async def test_a_receiver_that_closes_is_an_outcome(
    roads: Roads, way: Way, message: Message
) -> None:
    """It has the request and says nothing."""
    reason = (await _outcome(roads, way, message, Reply(instead="close"))).reason
    assert reason in _ends(way)


def _ends(way: Way) -> set[str]:
    """What a receiver that closes looks like.

    httpx says more than the request over HTTP/2; a receiver that closes before it has read that
    makes the kernel reset the connection.
    """
    return {"closed", "reset"} if way.client == "httpx" and way.http2 else {"closed"}


async def test_an_answer_stands_though_its_body_never_ends(
    roads: Roads, way: Way, message: Message
) -> None:
    """Status and headers are here; the time-out of the whole attempt ends the waiting."""
    reply, timeouts = Reply(endless=True), Timeouts(whole_s=0.3)
    outcome = await _outcome(roads, way, message, reply, timeouts=timeouts)
    assert outcome == Delivered("http_200", 200)


async def test_a_silent_receiver_is_a_time_out(roads: Roads, way: Way, message: Message) -> None:
    """It has the request and says nothing."""
    reply, timeouts = Reply(instead="silence"), Timeouts(first_byte_s=0.1)
    outcome = await _outcome(roads, way, message, reply, timeouts=timeouts)
    assert outcome == Retry(reason="timeout_first_byte", phase="first-byte", timed_out=True)


async def test_a_request_has_its_marks(roads: Roads, way: Way, message: Message) -> None:
    """The same headers and content arrive, whatever carries them."""
    receiver = Receiver()
    sender = await roads.to(
        receiver,
        way,
        headers=(("X-Api-Key", "s3cret"),),
        auth=BasicAuth("u", "p"),
        signing_keys=(KEY,),
        body_signature=BodySignature("X-Signature", b"hmac"),
    )
    await sender.send(message)
    [request] = receiver.requests
    timestamp = "1700000000"
    signed = f"evt_1.{timestamp}.".encode() + message.content
    assert (request.method, request.target, request.body) == (
        "POST",
        "/calls?key=abc",
        message.content,
    )
    assert {name: request.header(name) for name in EXPECTED} == EXPECTED | {
        "host": request.header("host"),
        "webhook-signature": "v1," + base64.b64encode(hmac.digest(KEY, signed, "sha256")).decode(),
        "x-signature": hmac.new(b"hmac", message.content, hashlib.sha256).hexdigest(),
    }


EXPECTED = {
    "webhook-id": "evt_1",
    "webhook-timestamp": "1700000000",
    "callpost-attempt": "1",
    "callpost-seq": "1",
    "callpost-previous": None,
    "user-agent": "callpost/1.2",
    "accept-encoding": "identity",
    "content-type": "application/json",
    "content-length": "20",
    "authorization": "Basic dTpw",
    "x-api-key": "s3cret",
    "proxy-authorization": None,
    "webhook-signature": "",
    "x-signature": "",
    "host": "",
}


async def test_the_host_is_the_name_in_the_url(roads: Roads, way: Way, message: Message) -> None:
    """Though an address was dialled."""
    receiver = Receiver()
    await (await roads.to(receiver, way)).send(message)
    host, _, port = str(receiver.requests[0].header("host")).partition(":")
    assert (host, port.isdigit()) == ("crm.example", True)


async def test_a_get_has_its_content_in_the_query(roads: Roads, way: Way, message: Message) -> None:
    """It is added to what the URL has, and nothing is in the body."""
    receiver = Receiver()
    sender = await roads.to(receiver, way, method="GET1", auth=BearerAuth("t"))
    await sender.send(message)
    [request] = receiver.requests
    found = (request.method, request.target, request.body, request.header("authorization"))
    query = message.content.decode()
    assert found == ("GET", f"/calls?key=abc&{query}", b"", "Bearer t")


@pytest.fixture
def message(message: Message) -> Message:
    """One attempt's content, which may stand in a query too."""
    return type(message)(
        content=b"event=newCall&user=A",
        content_type=message.content_type,
        id=message.id,
        seq=message.seq,
        previous_id=message.previous_id,
        attempt=message.attempt,
        sent_at=message.sent_at,
    )


async def test_a_large_event_arrives(roads: Roads, way: Way, message: Message) -> None:
    """More than fits in one window of HTTP/2."""
    receiver = Receiver(window=20_000)
    sender = await roads.to(receiver, way)
    large = type(message)(
        content=b"x" * 1_000_000,
        content_type="text/plain",
        id="evt_2",
        seq=1,
        previous_id="evt_1",
        attempt=2,
        sent_at=1.0,
        replay=True,
    )
    report = await sender.send(large)
    [request] = receiver.requests
    marks = request.header("callpost-previous"), request.header("callpost-replay")
    assert (report.outcome.http_status, len(request.body), marks) == (
        200,
        1_000_000,
        ("evt_1", "1"),
    )


async def test_a_connection_is_used_again(roads: Roads, way: Way, message: Message) -> None:
    """The second attempt needs no connect."""
    receiver = Receiver()
    sender = await roads.to(receiver, way)
    reports = [await sender.send(message) for _ in range(3)]
    seen = [(report.reused, report.connect_ms is None) for report in reports]
    assert (seen, receiver.connections) == ([(False, False), (True, True), (True, True)], 1)


@pytest.mark.parametrize("egress", [Egress(keepalive_s=0.0), Egress(connection_max_age_s=0.0)])
async def test_an_old_connection_is_not_used_again(
    roads: Roads, way: Way, message: Message, egress: Egress
) -> None:
    """Neither one that was idle too long nor one that is too old."""
    receiver = Receiver()
    sender = await roads.to(receiver, way, egress=egress)
    reports = [await sender.send(message) for _ in range(2)]
    assert ([one.outcome.http_status for one in reports], receiver.connections) == ([200, 200], 2)


async def test_an_idle_connection_goes_by_itself(roads: Roads, way: Way, message: Message) -> None:
    """Without another attempt, and without anybody who closes the sender."""
    receiver = Receiver()
    sender = await roads.to(receiver, way, egress=Egress(keepalive_s=0.05))
    await sender.send(message)
    with trio.fail_after(1):
        await receiver.ended.wait()
    assert receiver.ended.is_set()


async def test_close_drops_idle_connections(roads: Roads, way: Way, message: Message) -> None:
    """The peer sees the end."""
    receiver = Receiver()
    sender = await roads.to(receiver, way)
    await sender.send(message)
    sender.close()
    with trio.fail_after(1):
        await receiver.ended.wait()
    assert receiver.ended.is_set()


async def test_a_cancelled_attempt_closes_its_connection(
    roads: Roads, way: Way, message: Message
) -> None:
    """A stop leaves nothing half-way open."""
    receiver = Receiver(Reply(instead="silence"))
    sender = await roads.to(receiver, way)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(sender.send, message)
        await _until_asked(receiver)
        nursery.cancel_scope.cancel()
    with trio.fail_after(1):
        await receiver.ended.wait()
    assert receiver.ended.is_set()


async def _until_asked(receiver: Receiver) -> None:
    with trio.fail_after(1):
        await receiver.asked.wait()


async def test_the_end_of_an_idle_connection_is_not_charged(
    roads: Roads, way: Way, message: Message
) -> None:
    """A peer may close what rests; the attempt that finds out goes on with a fresh one."""
    receiver = Receiver(Reply(then="close"), Reply())
    sender = await roads.to(receiver, way)
    await sender.send(message)
    await receiver.ended.wait()
    report = await sender.send(message)
    assert (report.outcome, report.reused) == (Delivered("http_200", 200), False)


async def test_what_dies_unanswered_again_is_an_outcome(
    roads: Roads, way: Way, message: Message
) -> None:
    """One fresh connection is tried, not one after the other."""
    receiver = Receiver(Reply(), Reply(instead="close"))
    sender = await roads.to(receiver, way)
    await sender.send(message)
    report = await sender.send(message)
    assert (report.outcome.reason in _ends(way), len(receiver.requests)) == (True, 3)


async def test_many_attempts_go_out_at_once(roads: Roads, way: Way, message: Message) -> None:
    """Each has its own answer."""
    receiver = Receiver()
    sender = await roads.to(receiver, way)
    reports: list[Report] = []

    async def send() -> None:
        reports.append(await sender.send(message))

    async with trio.open_nursery() as nursery:
        for _ in range(20):
            nursery.start_soon(send)
    assert [one.outcome for one in reports] == [Delivered("http_200", 200)] * 20


async def test_digest_answers_the_challenge_within_the_attempt(
    roads: Roads, way: Way, message: Message
) -> None:
    """The 401 and the answer to it are one attempt, and the next one carries its answer at once."""
    receiver = Receiver(CHALLENGE, Reply())
    sender = await roads.to(receiver, way, auth=DigestAuth("u", "p"))
    reports = [await sender.send(message) for _ in range(2)]
    seen = [one.outcome.http_status for one in reports]
    assert (seen, len(receiver.requests)) == ([200, 200], 3)


async def test_a_wrong_password_is_not_tried_for_ever(
    roads: Roads, way: Way, message: Message
) -> None:
    """Two requests, then the 401 stands."""
    receiver = Receiver(CHALLENGE)
    sender = await roads.to(receiver, way, auth=DigestAuth("u", "wrong"))
    report = await sender.send(message)
    assert (report.outcome.http_status, len(receiver.requests)) == (401, 2)


async def test_the_whole_attempt_has_a_time_out(roads: Roads, way: Way, message: Message) -> None:
    """Where it ends before that of the first byte, it is the one that is told."""
    timeouts = Timeouts(connect_s=1, first_byte_s=5, whole_s=0.3)
    sender = await roads.to(Receiver(Reply(instead="silence")), way, timeouts=timeouts)
    report = await sender.send(message)
    assert report.outcome == Retry(reason="timeout", phase="first-byte", timed_out=True)


async def test_a_denied_address_is_not_sent_to(roads: Roads, way: Way, message: Message) -> None:
    """Whoever connects in the end."""
    receiver = Receiver()
    answers = ("169.254.169.254",)
    port = await roads.serve(receiver.serve)
    sender = await roads.to_port(port, way, answers=answers)
    report = await sender.send(message)
    assert report.outcome == Retry(reason="egress_denied", phase="connect")


async def test_the_beginning_of_the_answer_is_told(
    roads: Roads, way: Way, message: Message
) -> None:
    """At most 16 KiB of it, for whoever tests a subscription."""
    sender = await roads.to(Receiver(Reply(409, body=b"x" * 20_000)), way)
    assert (await sender.send(message)).answer == b"x" * 16_384


async def test_without_an_answer_none_is_told(roads: Roads, way: Way, message: Message) -> None:
    """Not that of an earlier attempt either."""
    sender = await roads.to(Receiver(Reply(instead="close")), way)
    assert (await sender.send(message)).answer == b""


async def test_its_headers_are_shown_without_their_secrets(
    roads: Roads, way: Way, message: Message
) -> None:
    """Every name; no value that an operator has set, and no signature."""
    sender = await roads.to(
        Receiver(),
        way,
        headers=(("X-Api-Key", "s3cret"), ("Proxy-Hint", "s3cret")),
        auth=BearerAuth("s3cret"),
        signing_keys=(KEY,),
        body_signature=BodySignature("X-Signature", KEY),
    )
    shown = dict(sender.headers(message))
    masked = {name for name, value in shown.items() if value == MASK}
    assert masked >= {
        *("X-Api-Key", "Proxy-Hint", "authorization", "webhook-signature", "X-Signature")
    }
    assert (shown["webhook-id"], "s3cret" in str(shown)) == (message.id, False)
