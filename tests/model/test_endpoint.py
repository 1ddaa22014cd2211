"""What an endpoint may show, and its fingerprint, which outlives updates."""

import os
import subprocess
import sys

import pytest
from msgspec.structs import replace

from callpost.model.endpoint import (
    BasicAuth,
    BodySignature,
    Endpoint,
    HttpEndpoint,
    Proxy,
    TcpEndpoint,
    Tls,
    UdpEndpoint,
    fingerprint,
)

HTTP = HttpEndpoint(
    place="primary",
    scheme="https",
    host="crm.example.com",
    port=443,
    target="/calls?key=abc",
    method="POSTJSON",
    level=2,
    headers=(("X-Key", "k"),),
    auth=BasicAuth("u", "p"),
    tls=Tls(ca_file="/ca.pem"),
    retried=frozenset({"5xx"}),
    signing_keys=(b"k" * 24,),
    body_signature=BodySignature("X-Sig", b"s"),
)
TCP = TcpEndpoint(place="fallback-1", host="10.0.0.9", port=4010, method="POSTJSON", level=2)
UDP = UdpEndpoint(place="callback", host="10.0.0.9", port=4010, method="POSTJSON", level=2)
# What was written for these endpoints before `http2`, `proxy` and what came after them.
WRITTEN = [(HTTP, "e716686552ead3ed"), (TCP, "20ff1e9a553482f8"), (UDP, "eff6e5fb1e2d2230")]


@pytest.mark.parametrize(("endpoint", "written"), WRITTEN)
def test_a_fingerprint_stays_over_updates(endpoint: Endpoint, written: str) -> None:
    """An endpoint that was `gone` before stays so."""
    assert fingerprint(endpoint) == written


def test_a_fingerprint_is_the_same_in_every_process() -> None:
    """Sets have another order in each."""
    program = (
        "from callpost.model.endpoint import UdpEndpoint, fingerprint;"
        "print(fingerprint(UdpEndpoint(place='p', host='h', port=1, method='GET1', level=1,"
        "retried=frozenset({'ct', 'rt', '4xx', '5xx'}))))"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(found) == 1


@pytest.mark.parametrize(
    "changed",
    [
        replace(HTTP, http2=True),
        replace(HTTP, http_client="httpx"),
        replace(HTTP, strict=True),
        replace(HTTP, proxy=Proxy("http", "proxy.example", 3128)),
        replace(HTTP, auth=None),
    ],
)
def test_a_changed_endpoint_has_another_fingerprint(changed: HttpEndpoint) -> None:
    """The way to it is a part of it, too."""
    assert fingerprint(changed) != fingerprint(HTTP)


def test_a_proxy_shows_no_more_than_its_origin() -> None:
    """Its credentials stay out."""
    proxy = Proxy("http", "2001:db8::1", 3128, BasicAuth("u", "hunter2"))
    assert proxy.origin == "http://[2001:db8::1]:3128"


def test_a_renewed_certificate_is_the_same_endpoint() -> None:
    """Whoever answered 410 stays gone; the courier changes all the same."""
    renewed = replace(HTTP, tls=replace(HTTP.tls, digest="another"))
    assert (fingerprint(renewed) == fingerprint(HTTP), renewed == HTTP) == (True, False)
