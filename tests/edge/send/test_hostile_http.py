"""Receivers that misbehave: each ends in an outcome, in a bounded time."""

import gzip
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import trio

from callpost.edge.dial import Dialer
from callpost.edge.send_http import HttpSender
from callpost.edge.send_httpx import HttpxSender
from callpost.model.delivery import Message, Report
from callpost.model.endpoint import HttpClient, HttpEndpoint, Timeouts
from callpost.model.outcome import Delivered, Outcome, Retry
from edge.send.http_clients import CLIENTS, http_sender

Serve = Callable[..., Awaitable[int]]
Reset = Callable[[trio.abc.Stream], Awaitable[None]]
Script = Callable[[trio.abc.Stream], Awaitable[None]]

_TIMEOUTS = Timeouts(connect_s=0.3, first_byte_s=0.2, whole_s=0.8)
# What httpx sees only once the peer has closed.
IN_HTTPX = {"protocol:not HTTP": "closed"}
_HEAD = b"HTTP/1.1 200 OK\r\n"
_OK = _HEAD + b"Content-Length: 0\r\n\r\n"


@pytest.fixture(autouse=True)
async def bounded() -> AsyncIterator[None]:
    """Nothing here takes longer than the time-outs allow."""
    with trio.fail_after(2):
        yield


@pytest.fixture(params=CLIENTS)
def client(request: pytest.FixtureRequest) -> HttpClient:
    """Each of those that speak HTTP."""
    return CLIENTS[CLIENTS.index(request.param)]


def _sender(dialer: Dialer, port: int, client: HttpClient) -> HttpSender | HttpxSender:
    endpoint = HttpEndpoint(
        place="primary",
        scheme="http",
        host="127.0.0.1",
        port=port,
        target="/",
        method="POSTJSON",
        level=2,
        timeouts=_TIMEOUTS,
        http_client=client,
    )
    return http_sender(endpoint, dialer)


async def _report(dialer: Dialer, port: int, message: Message, client: HttpClient) -> Report:
    sender = _sender(dialer, port, client)
    report = await sender.send(message)
    sender.close()
    return report


def _sending(*pieces: bytes, pause_s: float = 0.0, forever: bool = False) -> Script:
    """Wait for the request, send the pieces, then close, or send the last one for ever."""

    async def script(stream: trio.abc.Stream) -> None:
        await stream.receive_some()
        for piece in pieces:
            await stream.send_all(piece)
            await trio.sleep(pause_s)
        while forever:
            await stream.send_all(pieces[-1])
            await trio.sleep(pause_s)

    return script


async def _silent(stream: trio.abc.Stream) -> None:
    while await stream.receive_some():
        pass


async def _deaf(stream: trio.abc.Stream) -> None:
    await trio.sleep_forever()
    await stream.aclose()


def _failed(reason: str, phase: str, *, timed_out: bool = False) -> dict[str, object]:
    return {"reason": reason, "phase": phase, "timed_out": timed_out}


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        (_silent, _failed("timeout_first_byte", "first-byte", timed_out=True)),
        (
            _sending(b"H", b"T", b"T", b"P", b"/", b"1", b".", pause_s=0.15, forever=True),
            _failed("timeout", "read", timed_out=True),
        ),
        (
            _sending(_HEAD, b"X: " + b"x" * 1000 + b"\r\n", forever=True),
            _failed("protocol:header block too large", "read"),
        ),
        (
            _sending(_HEAD, b"X: ", b"x" * 1000, forever=True),
            _failed("protocol:header block too large", "read"),
        ),
        (
            _sending(b"HTTP/1.1 100 Continue\r\n\r\n", forever=True),
            _failed("protocol:too many interim answers", "read"),
        ),
        (_sending(b"<html>hello"), _failed("protocol:not HTTP", "read")),
        (_sending(b"HTTP/0.9 200 OK\r\n\r\n"), _failed("protocol:unknown version", "read")),
        (
            _sending(_HEAD + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"),
            _failed("protocol:transfer-encoding can't be present with content-length", "read"),
        ),
        (_sending(), _failed("closed", "first-byte")),
        (_sending(_HEAD), _failed("closed", "read")),
    ],
    ids=[
        "never answers",
        "a byte now and then",
        "endless headers",
        "endless header",
        "storm of 100 Continue",
        "HTML without HTTP",
        "HTTP/0.9",
        "two lengths",
        "closes after the request",
        "closes after the status line",
    ],
)
async def test_a_receiver_without_an_answer_is_a_retry(
    serve: Serve,
    dialer: Dialer,
    client: HttpClient,
    message: Message,
    script: Script,
    expected: dict[str, object],
) -> None:
    """The reason says what happened, the phase where."""
    if client == "httpx":
        expected |= {"reason": IN_HTTPX.get(str(expected["reason"]), expected["reason"])}
    report = await _report(dialer, await serve(script), message, client)
    assert report.outcome == Retry(**expected)  # type: ignore[arg-type] # as spelt above


@pytest.mark.parametrize(
    "script",
    [
        _sending(_HEAD + b"\r\n", b"x" * 1000, forever=True),
        _sending(_HEAD + b"\r\n", b"x", pause_s=0.1, forever=True),
        _sending(_HEAD + b"Content-Length: 9\r\n\r\nxx"),
        _sending(_HEAD + b"Content-Length: 2\r\n\r\nxxxxxxxxx"),
        _sending(_HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"zz\r\nxx"),
        _sending(_HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"fffffffffffffffff\r\nxx"),
        _sending(_HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"A: b\r\n", forever=True),
        _sending(b"HTTP/1.1 204 No Content\r\n\r\nwith a body"),
        _sending(
            _HEAD + b"Content-Encoding: gzip\r\n\r\n",
            gzip.compress(b"0" * 50_000_000),
            forever=True,
        ),
        _sending(_HEAD + b"Content-Length: 99999999999\r\n\r\n", b"x"),
    ],
    ids=[
        "endless body",
        "slow body",
        "body too short",
        "body too long",
        "bad chunk size",
        "huge chunk size",
        "endless trailers",
        "204 with a body",
        "gzip bomb",
        "huge length",
    ],
)
async def test_headers_fix_the_outcome_whatever_the_body_does(
    serve: Serve, dialer: Dialer, client: HttpClient, message: Message, script: Script
) -> None:
    """The event is delivered; the connection is not used again."""
    sender = _sender(dialer, await serve(script), client)
    report = await sender.send(message)
    kept = len(sender._idle)
    sender.close()
    assert (isinstance(report.outcome, Delivered), kept) == (True, 0)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (None, Retry(reason="reset", phase="first-byte")),
        (_HEAD, Retry(reason="reset", phase="read")),
        (_HEAD + b"Content-Length: 9\r\n\r\nx", Delivered("http_200", 200)),
    ],
    ids=["after the request", "after the status line", "in the body"],
)
async def test_a_reset_is_an_outcome(
    serve: Serve,
    dialer: Dialer,
    client: HttpClient,
    message: Message,
    reset: Reset,
    said: bytes | None,
    expected: Outcome,
) -> None:
    """RST at each stage."""

    async def script(stream: trio.abc.Stream) -> None:
        await stream.receive_some()
        if said is not None:
            await stream.send_all(said)
            await trio.sleep(0.05)  # so that the client has read it before the RST
        await reset(stream)

    assert (await _report(dialer, await serve(script), message, client)).outcome == expected


async def test_a_reset_at_once_is_an_outcome(
    serve: Serve, dialer: Dialer, client: HttpClient, message: Message, reset: Reset
) -> None:
    """A connection may die before the request is out or after."""
    report = await _report(dialer, await serve(reset), message, client)
    assert isinstance(report.outcome, Retry)
    assert report.outcome.reason == "reset"


@pytest.mark.parametrize("host", ["169.254.169.254", "127.0.0.1"])
async def test_a_redirect_is_not_followed(
    serve: Serve, dialer: Dialer, client: HttpClient, message: Message, host: str
) -> None:
    """Neither to itself nor to the metadata service."""
    requests: list[bytes] = []

    async def script(stream: trio.abc.Stream) -> None:
        while request := await stream.receive_some():
            requests.append(bytes(request))
            location = f"Location: http://{host}/latest/meta-data\r\n".encode()
            await stream.send_all(b"HTTP/1.1 307 X\r\n" + location + b"Content-Length: 0\r\n\r\n")

    report = await _report(dialer, await serve(script), message, client)
    expected = Retry(reason=f"redirect_to:{host}", http_status=307)
    assert (report.outcome, len(requests)) == (expected, 1)


async def test_a_year_of_retry_after_is_told_as_it_was_said(
    serve: Serve, dialer: Dialer, client: HttpClient, message: Message
) -> None:
    """The sender reports, the courier clamps."""
    script = _sending(b"HTTP/1.1 429 X\r\nRetry-After: 31536000\r\nContent-Length: 0\r\n\r\n")
    report = await _report(dialer, await serve(script), message, client)
    assert report.outcome == Retry(reason="http_429", http_status=429, retry_after_s=31_536_000.0)


@pytest.mark.parametrize("by_reset", [False, True])
async def test_a_connection_that_dies_between_two_requests_costs_no_attempt(
    serve: Serve,
    dialer: Dialer,
    client: HttpClient,
    message: Message,
    reset: Reset,
    *,
    by_reset: bool,
) -> None:
    """The request goes out again on a fresh connection."""
    closed = trio.Event()

    async def script(stream: trio.abc.Stream) -> None:
        await stream.receive_some()
        await stream.send_all(_OK)
        if by_reset:
            await trio.sleep(0.02)
            await reset(stream)
        else:
            await stream.aclose()
        closed.set()

    sender = _sender(dialer, await serve(script), client)
    await sender.send(message)
    await closed.wait()
    report = await sender.send(message)
    sender.close()
    assert (report.outcome, report.reused) == (Delivered("http_200", 200), False)


async def test_a_kept_connection_that_dies_with_the_request_costs_no_attempt(
    serve: Serve, dialer: Dialer, client: HttpClient, message: Message
) -> None:
    """The peer closes as our request arrives: sent again, once, on a fresh connection."""
    connections = 0

    async def script(stream: trio.abc.Stream) -> None:
        nonlocal connections
        connections += 1
        await stream.receive_some()
        await stream.send_all(_OK)
        await stream.receive_some()

    sender = _sender(dialer, await serve(script), client)
    await sender.send(message)
    report = await sender.send(message)
    sender.close()
    assert (report.outcome, report.reused, connections) == (Delivered("http_200", 200), False, 2)


async def test_a_receiver_that_does_not_read_is_a_time_out(
    serve: Serve, dialer: Dialer, client: HttpClient, message: Message
) -> None:
    """Writing waits no longer than for an answer."""
    large = Message(
        content=b"x" * 20_000_000,
        content_type=message.content_type,
        id="evt_1",
        seq=1,
        previous_id="",
        attempt=1,
        sent_at=0,
    )
    report = await _report(dialer, await serve(_deaf), large, client)
    assert report.outcome == Retry(reason="timeout_write", phase="write", timed_out=True)
