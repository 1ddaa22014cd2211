"""Endpoints: what goes together, what makes no sense, and what goes along to a fallback."""

from base64 import b64decode
from collections.abc import Callable

import pytest

from callpost.model.endpoint import (
    BasicAuth,
    BearerAuth,
    BodySignature,
    Endpoint,
    HttpEndpoint,
    TcpEndpoint,
    Tls,
    UdpEndpoint,
)

FaultsOf = Callable[..., list[str]]
Endpoints = Callable[..., tuple[Endpoint, ...]]

AUTH = 'auth = { type = "basic", username = "u", password = "p" }'
SIGNED = 'secrets = ["credential:signing"]'
KEY = b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")


def test_an_http_endpoint_has_all_that_its_requests_need(endpoints: Endpoints) -> None:
    """Credentials are resolved and keys are decoded."""
    keys = f"""
        method = "POSTARGS"
        level = 1
        content_type = "text/plain"
        headers = {{ X-Key = "credential:key" }}
        tls = {{ verify = false, ca_file = "/ca.pem" }}
        body_signature = {{ header = "X-Sig", secret = "credential:key" }}
        {AUTH}
        {SIGNED}
    """
    assert endpoints("https://h/p?q=1", keys) == (
        HttpEndpoint(
            place="primary",
            scheme="https",
            host="h",
            port=443,
            target="/p?q=1",
            method="POSTARGS",
            level=1,
            content_type="text/plain",
            headers=(("X-Key", "s3cret"),),
            auth=BasicAuth("u", "p"),
            tls=Tls(verify=False, ca_file="/ca.pem"),
            signing_keys=(KEY,),
            body_signature=BodySignature("X-Sig", b"s3cret"),
        ),
    )


def test_a_tcp_endpoint_has_its_frame_and_its_tls(endpoints: Endpoints) -> None:
    """The presence of tls turns it on."""
    keys = 'frame = "octets"\nack = true\nenvelope = true\ntls = {}'
    assert endpoints("tcp://h:4010", keys) == (
        TcpEndpoint(
            place="primary",
            host="h",
            port=4010,
            method="POSTJSON",
            level=2,
            frame="octets",
            envelope=True,
            ack=True,
            tls=Tls(),
        ),
    )


def test_a_udp_endpoint_may_have_an_envelope(endpoints: Endpoints) -> None:
    """And nothing else."""
    assert endpoints("udp://h:9", 'method = "POSTXML1"\nenvelope = true') == (
        UdpEndpoint(place="primary", host="h", port=9, method="POSTXML1", level=1, envelope=True),
    )


def test_a_method_that_names_its_level_has_that_level(endpoints: Endpoints) -> None:
    """GET1 is level 1 whatever the default."""
    assert endpoints("http://h/", 'method = "GET1"')[0].level == 1


def test_userinfo_of_the_url_is_basic_auth(endpoints: Endpoints) -> None:
    """As browsers and curl read it."""
    (found,) = endpoints("http://u:p%40@h/")
    assert isinstance(found, HttpEndpoint)
    assert found.auth == BasicAuth("u", "p@")


def test_the_auth_key_wins_over_userinfo(endpoints: Endpoints) -> None:
    """What is written in full is what is meant."""
    (found,) = endpoints("http://x:y@h/", 'auth = { type = "bearer", token = "t" }')
    assert isinstance(found, HttpEndpoint)
    assert found.auth == BearerAuth("t")


SENSELESS = [
    ("tcp://h:1", "headers = {}", "headers: senseless: makes no sense on tcp"),
    ("tcp://h:1", AUTH, "auth: senseless: makes no sense on tcp"),
    ("tcp://h:1", 'content_type = "a/b"', "content_type: senseless: makes no sense on tcp"),
    (
        "tcp://h:1",
        'body_signature = { header = "X", secret = "s" }',
        "body_signature: senseless: signs the bodies of HTTP requests, and there are none here",
    ),
    (
        "tcp://h:1",
        SIGNED,
        "secrets: senseless: sign HTTP requests and envelopes, and there are none here",
    ),
    (
        "tcp://h:1",
        'responses = { 4xx = "retry" }',
        "responses: senseless: are of HTTP, and no endpoint here speaks it",
    ),
    ("udp://h:1", AUTH, "auth: senseless: makes no sense on udp"),
    ("udp://h:1", "ack = true", "ack: senseless: makes no sense on udp"),
    ("udp://h:1", 'frame = "lf"', "frame: senseless: makes no sense on udp"),
    ("udp://h:1", "tls = {}", "tls: senseless: makes no sense on udp"),
    ("http://h/", 'frame = "lf"', "frame: senseless: makes no sense on http"),
    ("https://h/", "ack = false", "ack: senseless: makes no sense on https"),
    ("https://h/", "envelope = true", "envelope: senseless: makes no sense on https"),
    ("http://h/", "tls = {}", "tls: senseless: makes no sense on http"),
    (
        "http://h/",
        'method = "GET1"\ncontent_type = "a/b"',
        "content_type: senseless: makes no sense with GET1, which has no body",
    ),
    (
        "http://h/",
        'method = "GET2"\nbody_signature = { header = "X", secret = "s" }',
        "body_signature: senseless: signs the bodies of HTTP requests, and there are none here",
    ),
    (
        "http://h/",
        'method = "POSTXML2"\nlevel = 1',
        "level: senseless: POSTXML2 is of level 2 whatever this key says",
    ),
    (
        "http://h/",
        f'{AUTH}\nheaders = {{ authorization = "x" }}',
        "auth: senseless: auth and an Authorization header exclude each other",
    ),
    (
        "http://u:p@h/",
        'headers = { Authorization = "x" }',
        (
            "headers: senseless: "
            "an Authorization header and credentials in the URL exclude each other"
        ),
    ),
    (
        "http://h/",
        'headers = { X-Sig = "x" }\nbody_signature = { header = "x-sig", secret = "s" }',
        "body_signature: senseless: its header stands in the headers of primary too",
    ),
    (
        "http://h/",
        """
            body_signature = { header = "X", secret = "s" }
            fallback = [{ url = "http://b/", headers = { x = "1" } }]
        """,
        "body_signature: senseless: its header stands in the headers of fallback-1 too",
    ),
    (
        "http://u:p@h/",
        'body_signature = { header = "Authorization", secret = "s" }',
        "body_signature: senseless: its header is where primary has its auth",
    ),
    (
        "http://h/",
        'content_type = "xml"',
        'content_type: header: expected a media type such as "text/xml; charset=utf-8"',
    ),
    (
        "http://h/",
        'method = "GET1"\nfallback = [{ url = "http://b/", content_type = "a/b" }]',
        "fallback[1].content_type: senseless: makes no sense with GET1, which has no body",
    ),
    (
        "http://h/",
        'method = "POSTXML2"\nstatus_callback = { url = "http://b/", level = 1 }',
        "status_callback.level: senseless: POSTXML2 is of level 2 whatever this key says",
    ),
    (
        "https://h/",
        'tls = { client_key = "/key.pem" }',
        "tls.client_key: senseless: makes no sense without client_cert",
    ),
    (
        "https://h/",
        'tls = { ca_file = "/missing.pem" }',
        "tls.ca_file: file: cannot be read: no such file or directory",
    ),
    (
        "http://h/",
        'fallback = [{ url = "http://b/" }, { method = "GET1" }]',
        "fallback[2].url: missing: is required",
    ),
    (
        "http://h/",
        'fallback = [{ url = "udp://b:1", ack = true }]',
        "fallback[1].ack: senseless: makes no sense on udp",
    ),
    (
        "http://h/",
        'fallback = [{ url = "http://b/#rc=1" }]',
        "fallback[1].url: url: rc in the fragment belongs to the primary's URL only",
    ),
    (
        "http://h/",
        'status_callback = { url = "http://b/", timeout_s = 1 }',
        "status_callback.timeout_s: unknown_key: there is no such key",
    ),
    (
        "http://h/",
        'status_callback = { url = "b" }',
        "status_callback.url: url: Invalid URL: it has no scheme, such as https://",
    ),
]


@pytest.mark.parametrize(("url", "keys", "fault"), SENSELESS)
def test_a_key_that_makes_no_sense_is_a_fault(
    faults_in: FaultsOf, url: str, keys: str, fault: str
) -> None:
    """A key that would be passed over in silence is a mistake of its writer."""
    assert faults_in(keys, url=url) == [fault]


@pytest.mark.parametrize(
    "keys",
    [
        f'{SIGNED}\nfallback = [{{ url = "http://b/" }}]',
        f"{SIGNED}\nenvelope = true",
        f'{SIGNED}\nstatus_callback = {{ url = "udp://b:1", envelope = true }}',
    ],
)
def test_secrets_make_sense_where_anything_is_signed(faults_in: FaultsOf, keys: str) -> None:
    """An HTTP fallback, an envelope or such a callback is enough."""
    assert faults_in(keys, url="tcp://h:1") == []


@pytest.mark.parametrize(
    ("url", "keys"),
    [
        ("tcp://h:1", 'fallback = [{ url = "http://b/" }]'),
        ("http://h/", 'method = "GET1"\nfallback = [{ url = "http://b/", method = "POSTJSON" }]'),
        ("udp://h:1", 'delivery_report = { url = "http://b/" }'),
    ],
)
def test_a_body_signature_makes_sense_where_any_body_is_sent(
    faults_in: FaultsOf, url: str, keys: str
) -> None:
    """The primary alone does not decide."""
    signature = 'body_signature = { header = "X", secret = "s" }'
    assert faults_in(f"{signature}\n{keys}", url=url) == []


@pytest.mark.parametrize("content_type", ["", "text/xml", "application/x.y+json; charset=utf-8"])
def test_a_content_type_is_a_media_type(faults_in: FaultsOf, content_type: str) -> None:
    """With or without parameters; an empty one is the method's own."""
    assert faults_in(f'content_type = "{content_type}"') == []


def test_secrets_sign_http_and_envelopes_only(endpoints: Endpoints) -> None:
    """A bare frame has no place for a signature."""
    keys = (
        f'{SIGNED}\nfallback = [{{ url = "tcp://b:1" }}, {{ url = "tcp://b:1", envelope = true }}]'
    )
    assert [bool(found.signing_keys) for found in endpoints("http://h/", keys)] == [
        True,
        False,
        True,
    ]
