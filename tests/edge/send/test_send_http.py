"""The HTTP sender: what an answer means, how connections are kept, Digest."""

import re
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import trio

from callpost.edge.dial import Dialer
from callpost.edge.send_http import HttpSender
from callpost.model.delivery import Message
from callpost.model.endpoint import (
    DigestAuth,
    HttpEndpoint,
    Timeouts,
)
from callpost.model.limits import Egress
from callpost.model.outcome import (
    Delivered,
    Gone,
    LocalFault,
    Outcome,
    Refused,
    Rejected,
    Retry,
)

Serve = Callable[..., Awaitable[int]]
_OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


class _Receiver:
    """Answers each request with the next of its answers (the last again) and keeps requests."""

    def __init__(self, *answers: bytes) -> None:
        self.answers = list(answers) or [_OK]
        self.requests: list[bytes] = []
        self.connections = 0

    async def __call__(self, stream: trio.abc.Stream) -> None:
        self.connections += 1
        buffer = b""
        while data := await stream.receive_some():
            buffer += data
            head, end, rest = buffer.partition(b"\r\n\r\n")
            length = re.search(rb"content-length: (\d+)", head)
            body_bytes = int(length[1]) if length else 0
            if not end or len(rest) < body_bytes:
                continue
            self.requests.append(head + end + rest[:body_bytes])
            buffer = rest[body_bytes:]
            answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
            await stream.send_all(answer)
            if b"onnection: close" in answer:
                return


def _sender(dialer: Dialer, port: int, *, egress: Egress | None = None, **keys: Any) -> HttpSender:  # noqa: ANN401 - any field of an endpoint
    endpoint = HttpEndpoint(
        **{
            "place": "primary",
            "scheme": "http",
            "host": "127.0.0.1",
            "port": port,
            "target": "/calls?key=abc",
            "method": "POSTJSON",
            "level": 2,
            "timeouts": Timeouts(connect_s=0.5, first_byte_s=0.5, whole_s=1),
            **keys,
        }
    )
    return HttpSender(endpoint, dialer=dialer, egress=egress or Egress(), version="1.2")


async def _outcome(serve: Serve, dialer: Dialer, message: Message, *answers: bytes) -> Outcome:
    sender = _sender(dialer, await serve(_Receiver(*answers)))
    report = await sender.send(message)
    sender.close()
    return report.outcome


def _answer(status: int, *headers: str) -> bytes:
    lines = "".join(f"{header}\r\n" for header in headers)
    return f"HTTP/1.1 {status} X\r\n{lines}Content-Length: 0\r\n\r\n".encode()


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (_answer(200), Delivered("http_200", 200)),
        (_answer(204), Delivered("http_204", 204)),
        (_answer(410), Gone("http_410", 410)),
        (_answer(422), Rejected("http_422", 422)),
        (_answer(409), Refused("http_409", 409)),
        (_answer(401), Retry(reason="http_401", http_status=401)),
        (_answer(500), Retry(reason="http_500", http_status=500)),
        (
            _answer(503, "Retry-After: 7"),
            Retry(reason="http_503", http_status=503, retry_after_s=7.0),
        ),
        (
            _answer(429, "Retry-After: soon"),
            Retry(reason="http_429", http_status=429, retry_after_s=None),
        ),
        (_answer(302), Retry(reason="http_302", http_status=302)),
        (
            _answer(302, "Location: https://u:p@Other.example:8/secret?x=1"),
            Retry(reason="redirect_to:other.example", http_status=302),
        ),
        (
            _answer(301, "Location: /elsewhere"),
            Retry(reason="redirect_to:127.0.0.1", http_status=301),
        ),
        (_answer(302, "Location: http://[bad"), Retry(reason="http_302", http_status=302)),
        (
            _answer(302, "Location: http://r\u00e9d/"),
            Retry(reason="http_302", http_status=302),
        ),
    ],
)
async def test_an_answer_is_an_outcome(
    serve: Serve, dialer: Dialer, message: Message, answer: bytes, outcome: Outcome
) -> None:
    """The table of outcomes; of a redirect only the host is told."""
    assert await _outcome(serve, dialer, message, answer) == outcome


async def test_a_retry_after_date_counts_from_now(
    serve: Serve, dialer: Dialer, message: Message
) -> None:
    """The attempt's wall time is what the date is compared with."""
    answer = _answer(503, "Retry-After: Tue, 14 Nov 2023 22:14:00 GMT")
    outcome = await _outcome(serve, dialer, message, answer)
    assert isinstance(outcome, Retry)
    assert outcome.retry_after_s == pytest.approx(39.5, abs=0.4)


async def test_a_connection_is_used_again(serve: Serve, dialer: Dialer, message: Message) -> None:
    """Keep-alive: the second attempt needs no connect."""
    receiver = _Receiver()
    sender = _sender(dialer, await serve(receiver))
    reports = [await sender.send(message) for _ in range(3)]
    sender.close()
    seen = [(report.reused, report.connect_ms is None) for report in reports]
    assert seen == [(False, False), (True, True), (True, True)]


@pytest.mark.parametrize("egress", [Egress(keepalive_s=0.0), Egress(connection_max_age_s=0.0)])
async def test_an_old_connection_is_not_used_again(
    serve: Serve, dialer: Dialer, message: Message, egress: Egress
) -> None:
    """Neither one that was idle too long nor one that is too old."""
    receiver = _Receiver()
    sender = _sender(dialer, await serve(receiver), egress=egress)
    await sender.send(message)
    await sender.send(message)
    sender.close()
    assert receiver.connections == 2


async def test_a_connection_may_rest_longer_than_an_attempt_may_take(
    serve: Serve, dialer: Dialer, message: Message
) -> None:
    """The deadline of one attempt does not end the connection before the next."""
    timeouts = Timeouts(connect_s=0.5, first_byte_s=0.05, whole_s=0.05)
    sender = _sender(dialer, await serve(_Receiver()), timeouts=timeouts)
    await sender.send(message)
    await trio.sleep(0.1)
    report = await sender.send(message)
    sender.close()
    assert report.reused


async def test_the_connection_used_last_goes_first(
    serve: Serve, dialer: Dialer, message: Message
) -> None:
    """So that those which are not needed grow old."""
    sender = _sender(dialer, await serve(_Receiver()))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(sender.send, message)
        nursery.start_soon(sender.send, message)
    last = sender._idle[-1]
    await sender.send(message)
    kept = sender._idle[-1]
    sender.close()
    assert kept is last


async def test_close_drops_idle_connections(serve: Serve, dialer: Dialer, message: Message) -> None:
    """The peer sees the end."""
    ended = trio.Event()
    receiver = _Receiver()

    async def handler(stream: trio.abc.Stream) -> None:
        await receiver(stream)
        ended.set()

    sender = _sender(dialer, await serve(handler))
    await sender.send(message)
    sender.close()
    with trio.fail_after(1):
        await ended.wait()
    assert ended.is_set()


async def test_a_cancelled_attempt_closes_its_connection(
    serve: Serve, dialer: Dialer, message: Message
) -> None:
    """A stop leaves nothing half-way open."""
    asked, ended = trio.Event(), trio.Event()

    async def handler(stream: trio.abc.Stream) -> None:
        await stream.receive_some()
        asked.set()
        await stream.receive_some()
        ended.set()

    sender = _sender(dialer, await serve(handler))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(sender.send, message)
        await asked.wait()
        nursery.cancel_scope.cancel()
    with trio.fail_after(1):
        await ended.wait()
    assert not sender._idle


async def test_a_refused_connection_is_an_outcome(dialer: Dialer, message: Message) -> None:
    """Nobody listens there."""
    with trio.socket.socket() as unused:
        await unused.bind(("127.0.0.1", 0))
        report = await _sender(dialer, unused.getsockname()[1]).send(message)
    assert report.outcome == Retry(reason="connect:refused", phase="connect")


async def test_our_own_fault_is_charged_to_nobody(message: Message) -> None:
    """A machine that could not try says so."""

    class Broken:
        tls_context = None

        async def connect(self, *_: object, **__: object) -> LocalFault:
            return LocalFault("connect:no_descriptors")

    report = await _sender(Broken(), 1).send(message)  # type: ignore[arg-type] # the part used
    assert report.outcome == LocalFault("connect:no_descriptors")


def _challenge(**keys: str) -> bytes:
    fields = ", ".join(f'{name}="{value}"' for name, value in keys.items())
    return _answer(401, f"WWW-Authenticate: Digest {fields}")


async def test_digest_answers_the_challenge_within_the_attempt(
    serve: Serve, dialer: Dialer, message: Message
) -> None:
    """The 401 and the answer to it are one attempt."""
    receiver = _Receiver(_challenge(realm="r", nonce="n", qop="auth"), _OK)
    sender = _sender(dialer, await serve(receiver), auth=DigestAuth("u", "p"))
    report = await sender.send(message)
    sender.close()
    assert (report.outcome, len(receiver.requests)) == (Delivered("http_200", 200), 2)


async def test_digest_remembers_the_challenge(
    serve: Serve, dialer: Dialer, message: Message
) -> None:
    """The next attempt carries its answer at once."""
    receiver = _Receiver(_challenge(realm="r", nonce="n", qop="auth"), _OK)
    sender = _sender(dialer, await serve(receiver), auth=DigestAuth("u", "p"))
    await sender.send(message)
    await sender.send(message)
    sender.close()
    assert len(receiver.requests) == 3


async def test_a_wrong_password_is_not_tried_for_ever(
    serve: Serve, dialer: Dialer, message: Message
) -> None:
    """Two requests, then the 401 stands."""
    receiver = _Receiver(_challenge(realm="r", nonce="n", qop="auth"))
    sender = _sender(dialer, await serve(receiver), auth=DigestAuth("u", "wrong"))
    report = await sender.send(message)
    sender.close()
    assert (report.outcome.http_status, len(receiver.requests)) == (401, 2)
