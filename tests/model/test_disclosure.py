"""What of an answer may be shown where it quotes the request that it answers."""

import pytest

from callpost.model.disclosure import MASK, without_secrets
from callpost.model.endpoint import (
    Auth,
    BasicAuth,
    BearerAuth,
    DigestAuth,
    HttpEndpoint,
    Proxy,
    TcpEndpoint,
)


def an_endpoint(auth: Auth | None = None) -> HttpEndpoint:
    """One that is full of secrets."""
    return HttpEndpoint(
        place="primary",
        scheme="https",
        host="crm.example",
        port=443,
        target="/calls?key=query-secret&n=1",
        method="POSTJSON",
        level=2,
        headers=(("X-Api-Key", "header-secret"), ("X-No", "no")),
        auth=auth,
        proxy=Proxy("http", "proxy.example", 3128, BasicAuth("p", "proxy-secret")),
    )


@pytest.mark.parametrize(
    ("auth", "secret"),
    [
        (None, "header-secret"),
        (None, "query-secret"),
        (None, "proxy-secret"),
        (BasicAuth("user", "basic-secret"), "basic-secret"),
        (BasicAuth("user", "basic-secret"), "dXNlcjpiYXNpYy1zZWNyZXQ="),
        (BearerAuth("bearer-secret"), "bearer-secret"),
        (DigestAuth("user", "digest-secret"), "digest-secret"),
    ],
)
def test_a_secret_that_comes_back_is_masked(auth: Auth | None, secret: str) -> None:
    """Wherever in the endpoint it stands."""
    told = without_secrets(f"You sent {secret}, no more.", an_endpoint(auth))
    assert told == f"You sent {MASK}, no more."


def test_what_is_too_short_for_a_secret_stays() -> None:
    """Else half the answer would go."""
    assert without_secrets("no number 1", an_endpoint()) == "no number 1"


def test_what_sends_no_secret_has_none_to_hide() -> None:
    """Keys that sign are never sent."""
    tcp = TcpEndpoint(place="primary", host="h", port=1, method="POSTJSON", level=2)
    assert without_secrets("anything", tcp) == "anything"
