"""Requests as bytes: what goes out with every attempt."""

import base64
import hmac
import re
from typing import Any

import pytest
from msgspec.structs import replace

from callpost.edge.http1 import RequestHead
from callpost.model.delivery import Message
from callpost.model.endpoint import BasicAuth, BearerAuth, BodySignature, HttpEndpoint
from callpost.model.signing import signatures


def _request(message: Message, **keys: Any) -> bytes:  # noqa: ANN401 - any field of an endpoint
    endpoint = HttpEndpoint(
        **{
            "place": "primary",
            "scheme": "http",
            "host": "crm.example",
            "port": 80,
            "target": "/calls?key=abc",
            "method": "POSTJSON",
            "level": 2,
            **keys,
        }
    )
    return RequestHead(endpoint, version="1.2").request(message)


def _header(request: bytes, name: str) -> str | None:
    head = request.partition(b"\r\n\r\n")[0].decode()
    values = re.findall(rf"(?im)^{name}: (.*?)\r?$", head)
    assert len(values) < 2
    return values[0] if values else None


@pytest.mark.parametrize(
    ("method", "start", "body"),
    [
        ("POSTJSON", b"POST /calls?key=abc HTTP/1.1\r\n", b'{"event":"newCall"}'),
        ("GET1", b'GET /calls?key=abc&{"event":"newCall"} HTTP/1.1\r\n', b""),
    ],
)
def test_content_goes_into_the_body_or_the_query(
    message: Message, method: str, start: bytes, body: bytes
) -> None:
    """Byte for byte, and nothing comes behind it."""
    request = _request(message, method=method)
    assert (request.startswith(start), request.partition(b"\r\n\r\n")[2]) == (True, body)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("host", "crm.example"),
        ("user-agent", "callpost/1.2"),
        ("accept-encoding", "identity"),
        ("content-type", "application/json"),
        ("content-length", "19"),
        ("webhook-id", "evt_1"),
        ("webhook-timestamp", "1700000000"),
        ("callpost-attempt", "1"),
        ("callpost-seq", "1"),
        ("callpost-previous", None),
        ("callpost-replay", None),
        ("webhook-signature", None),
        ("authorization", None),
    ],
)
def test_every_request_carries_its_marks(message: Message, name: str, value: str | None) -> None:
    """What a receiver needs to recognise, order and verify an event."""
    assert _header(_request(message), name) == value


@pytest.mark.parametrize(
    ("name", "value"), [("callpost-previous", "evt_0"), ("callpost-replay", "1")]
)
def test_marks_that_are_not_always_there(message: Message, name: str, value: str) -> None:
    """The event before this one, and that it is a replay."""
    later = replace(message, previous_id="evt_0", replay=True)
    assert _header(_request(later), name) == value


@pytest.mark.parametrize(
    ("port", "host", "scheme", "expected"),
    [
        (80, "crm.example", "http", "crm.example"),
        (8080, "crm.example", "http", "crm.example:8080"),
        (443, "crm.example", "https", "crm.example"),
        (80, "crm.example", "https", "crm.example:80"),
        (80, "fd00::1", "http", "[fd00::1]"),
        (81, "fd00::1", "http", "[fd00::1]:81"),
    ],
)
def test_the_host_header_names_a_port_that_is_not_the_schemes(
    message: Message, port: int, host: str, scheme: str, expected: str
) -> None:
    """As RFC 9110 has it, addresses in brackets."""
    request = _request(message, port=port, host=host, scheme=scheme)
    assert _header(request, "host") == expected


@pytest.mark.parametrize(
    ("target", "content", "expected"),
    [
        ("/calls", b"event=newCall", b"/calls?event=newCall"),
        ("/calls?key=abc", b"event=newCall", b"/calls?key=abc&event=newCall"),
        ("/calls?", b"event=newCall", b"/calls?event=newCall"),
        ("/calls?key=abc&", b"event=newCall", b"/calls?key=abc&event=newCall"),
        ("/calls?key=abc", b"", b"/calls?key=abc"),
    ],
)
def test_a_get_merges_its_content_into_the_query(
    message: Message, target: str, content: bytes, expected: bytes
) -> None:
    """The URL's own query stays, and there is one `?`."""
    request = _request(replace(message, content=content), method="GET1", target=target)
    assert request.partition(b"\r\n")[0] == b"GET " + expected + b" HTTP/1.1"


@pytest.mark.parametrize("name", ["content-length", "content-type"])
def test_a_get_has_no_header_of_a_body(message: Message, name: str) -> None:
    """There is no body."""
    assert _header(_request(message, method="GET1", content_type="text/xml"), name) is None


def test_a_body_is_signed(message: Message) -> None:
    """As Standard Webhooks says, with every key."""
    request = _request(message, signing_keys=(b"one", b"two"))
    assert _header(request, "webhook-signature") == signatures(
        (b"one", b"two"), message_id="evt_1", timestamp=1700000000, content=message.content
    )


def test_a_get_is_signed_over_its_whole_query(message: Message) -> None:
    """As it is sent, the URL's own part included."""
    get = replace(message, content=b"event=newCall")
    request = _request(get, method="GET2", signing_keys=(b"one",))
    assert _header(request, "webhook-signature") == signatures(
        (b"one",), message_id="evt_1", timestamp=1700000000, content=b"key=abc&event=newCall"
    )


def test_the_body_signature_goes_into_the_header_of_choice(message: Message) -> None:
    """In hex, over the raw body."""
    request = _request(message, body_signature=BodySignature("X-Signature", b"12345"))
    expected = hmac.digest(b"12345", message.content, "sha256").hex()
    assert _header(request, "X-Signature") == expected


@pytest.mark.parametrize(
    ("auth", "value"),
    [
        (BasicAuth("u", "p\u00e4"), "Basic " + base64.b64encode("u:p\u00e4".encode()).decode()),
        (BearerAuth("abc"), "Bearer abc"),
    ],
)
def test_credentials_are_sent(message: Message, auth: BasicAuth | BearerAuth, value: str) -> None:
    """Basic in UTF-8, Bearer as it is."""
    assert _header(_request(message, auth=auth), "authorization") == value


@pytest.mark.parametrize(
    ("name", "value"), [("X-Api-Key", "k"), ("User-Agent", "pbx"), ("Content-Type", "text/x")]
)
def test_an_operators_headers_win(message: Message, name: str, value: str) -> None:
    """They are sent, and instead of ours where they have our name."""
    assert _header(_request(message, headers=((name, value),)), name) == value


def test_an_endpoints_content_type_wins(message: Message) -> None:
    """Some receivers want `text/xml`."""
    assert _header(_request(message, content_type="text/xml"), "content-type") == "text/xml"
