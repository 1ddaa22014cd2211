"""Fallbacks and the callback: their places, their content, and what proves who we are."""

from collections.abc import Callable

import pytest

from callpost.model.endpoint import BasicAuth, Endpoint, HttpEndpoint, Tls

Endpoints = Callable[..., tuple[Endpoint, ...]]

AUTH = 'auth = { type = "basic", username = "u", password = "p" }'


def test_fallbacks_and_the_callback_have_their_places(endpoints: Endpoints) -> None:
    """Fallbacks are counted from 1."""
    keys = """
        fallback = [{ url = "http://b/" }, { url = "udp://c:1" }]
        status_callback = { url = "http://d/" }
    """
    assert [found.place for found in endpoints("http://h/", keys)] == [
        "primary",
        "fallback-1",
        "fallback-2",
        "callback",
    ]


PROOF = f"""
    headers = {{ X-Key = "k" }}
    tls = {{ ca_file = "/ca.pem" }}
    {AUTH}
"""


@pytest.mark.parametrize("url", ["https://h/other", "https://H:443/?x=1"])
def test_what_proves_who_we_are_goes_along_to_the_same_origin(
    endpoints: Endpoints, url: str
) -> None:
    """Scheme, host and port decide, not the spelling."""
    primary, fallback = endpoints("https://h/", f'{PROOF}fallback = [{{ url = "{url}" }}]')
    assert isinstance(primary, HttpEndpoint)
    assert isinstance(fallback, HttpEndpoint)
    assert (fallback.auth, fallback.headers, fallback.tls) == (
        primary.auth,
        primary.headers,
        primary.tls,
    )


@pytest.mark.parametrize("url", ["https://other/", "https://h:8443/", "http://h/", "http://h:443/"])
def test_what_proves_who_we_are_goes_to_nobody_else(endpoints: Endpoints, url: str) -> None:
    """Another scheme, host or port is another party."""
    _, callback = endpoints("https://h/", f'{PROOF}status_callback = {{ url = "{url}" }}')
    assert isinstance(callback, HttpEndpoint)
    assert (callback.auth, callback.headers, callback.tls) == (None, (), Tls())


def test_a_fallback_has_its_own_proof_where_it_is_written(endpoints: Endpoints) -> None:
    """Its own keys win, also at the same origin."""
    keys = PROOF + 'fallback = [{ url = "https://h/b", headers = { Authorization = "own" } }]'
    _, fallback = endpoints("https://h/", keys)
    assert isinstance(fallback, HttpEndpoint)
    assert (fallback.auth, fallback.headers) == (None, (("Authorization", "own"),))


def test_an_authorization_header_is_not_taken_along_beside_own_auth(endpoints: Endpoints) -> None:
    """There is never more than one thing in Authorization."""
    keys = f"""
        headers = {{ Authorization = "x", X-Key = "k" }}
        fallback = [{{ url = "https://h/b", {AUTH} }}]
    """
    _, fallback = endpoints("https://h/", keys)
    assert isinstance(fallback, HttpEndpoint)
    assert (fallback.auth, fallback.headers) == (BasicAuth("u", "p"), (("X-Key", "k"),))


def test_a_fallback_gets_the_same_content_unless_it_says_otherwise(endpoints: Endpoints) -> None:
    """Without a method of its own it has the primary's method, level and content type."""
    keys = """
        method = "POSTARGS"
        level = 1
        content_type = "text/plain"
        fallback = [{ url = "http://b/" }, { url = "http://c/", method = "POSTJSON" }]
    """
    found = [
        (one.method, one.level, one.content_type)
        for one in endpoints("http://h/", keys)
        if isinstance(one, HttpEndpoint)
    ]
    assert found == [
        ("POSTARGS", 1, "text/plain"),
        ("POSTARGS", 1, "text/plain"),
        ("POSTJSON", 2, ""),
    ]


def test_a_body_signature_goes_with_bodies_only(endpoints: Endpoints) -> None:
    """A fallback by GET has nothing to be signed so."""
    keys = """
        body_signature = { header = "X", secret = "s" }
        fallback = [{ url = "http://b/", method = "GET1" }, { url = "http://c/" }]
    """
    found = endpoints("http://h/", keys)
    assert [bool(one.body_signature) for one in found if isinstance(one, HttpEndpoint)] == [
        True,
        False,
        True,
    ]
