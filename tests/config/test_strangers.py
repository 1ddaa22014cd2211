"""What is made over the API may not have what is the operator's alone."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import pytest
from msgspec.structs import replace

from callpost.config import Config, Fault
from callpost.config.faults import NO_LOOKUPS, Spot
from callpost.config.strangers import check_stranger, check_targets
from callpost.model.egress import Guard
from callpost.model.subscription import Subscription

CREDENTIAL: Final = "a credential of this machine cannot be used over the API; set the value itself"
FILE: Final = "a file of this machine cannot be used over the API"
VERIFIED: Final = "a certificate is always verified for what was made over the API"
PROXY: Final = "a proxy cannot be set over the API"


def _spot() -> Spot:
    return Spot(file="", path="", faults=[], lookups=NO_LOOKUPS)


def _faults(table: Mapping[str, object]) -> list[tuple[str, str, str]]:
    spot = _spot()
    check_stranger(table, spot)
    return [(fault.path, fault.code, fault.sentence) for fault in spot.faults]


@pytest.mark.parametrize(
    ("table", "path", "sentence"),
    [
        ({"headers": {"X-Api-Key": "credential:k"}}, "headers.X-Api-Key", CREDENTIAL),
        ({"headers": {"X Y": "credential:k"}}, 'headers."X Y"', CREDENTIAL),
        ({"auth": {"type": "basic", "password": "credential:k"}}, "auth.password", CREDENTIAL),
        ({"auth": {"type": "bearer", "token": "credential:k"}}, "auth.token", CREDENTIAL),
        ({"secrets": ["whsec_a", "credential:k"]}, "secrets[2]", CREDENTIAL),
        ({"body_signature": {"secret": "credential:k"}}, "body_signature.secret", CREDENTIAL),
        ({"note": "credential:"}, "note", CREDENTIAL),
        (
            {"fallback": [{}, {"headers": {"A": "credential:k"}}]},
            "fallback[2].headers.A",
            CREDENTIAL,
        ),
        (
            {"status_callback": {"auth": {"token": "credential:k"}}},
            "status_callback.auth.token",
            CREDENTIAL,
        ),
        (
            {"delivery_report": {"auth": {"token": "credential:k"}}},
            "delivery_report.auth.token",
            CREDENTIAL,
        ),
        ({"tls": {"ca_file": "/etc/passwd"}}, "tls.ca_file", FILE),
        ({"tls": {"client_cert": "c.pem"}}, "tls.client_cert", FILE),
        ({"tls": {"client_key": 7}}, "tls.client_key", FILE),
        ({"tls": {"verify": False}}, "tls.verify", VERIFIED),
        ({"fallback": [{"tls": {"verify": False}}]}, "fallback[1].tls.verify", VERIFIED),
        ({"status_callback": {"tls": {"ca_file": "/c"}}}, "status_callback.tls.ca_file", FILE),
        ({"proxy": "http://proxy.example:3128"}, "proxy", PROXY),
        ({"fallback": [{"proxy": "http://p:1"}]}, "fallback[1].proxy", PROXY),
        ({"delivery_report": {"proxy": "http://p:1"}}, "delivery_report.proxy", PROXY),
        (
            {"preset": "popup"},
            "preset",
            "only the built-in presets can be used over the API: sipgate, voipnow, zammad",
        ),
    ],
)
def test_what_is_an_operators_alone_is_a_fault(
    table: Mapping[str, object], path: str, sentence: str
) -> None:
    """With the path of the key, and what to do instead where there is something."""
    assert _faults(table) == [(path, "not_over_api", sentence)]


@pytest.mark.parametrize(
    "table",
    [
        {"url": "https://crm.example/", "preset": "zammad", "proxy": ""},
        {"tls": {"verify": True, "ca_file": "", "client_cert": "", "client_key": ""}},
        {"headers": {"X-Api-Key": "s3cret"}, "secrets": ["whsec_a"], "note": "a credential: no"},
        # What is of a wrong type is for the rules of the configuration.
        {"fallback": "x", "status_callback": 7, "tls": [], "preset": 1, "headers": None},
    ],
)
def test_anything_else_is_fine(table: Mapping[str, object]) -> None:
    """As far as this is concerned."""
    assert _faults(table) == []


def test_each_fault_is_told(parsed: Callable[..., Config]) -> None:
    """Not the first alone."""
    table = {"proxy": "http://p:1", "tls": {"verify": False}, "note": "credential:a"}
    assert sorted(path for path, _, _ in _faults(table)) == ["note", "proxy", "tls.verify"]


def test_a_table_without_a_bottom_is_walked_for_a_while_only() -> None:
    """JSON nests as deep as its writer likes."""
    deep: Any = "credential:k"
    for _ in range(5_000):
        deep = [deep]
    assert _faults({"secrets": deep}) == []


Targets = Callable[..., list[tuple[str, str, str]]]


@pytest.fixture
def targets(parsed: Callable[..., Config]) -> Targets:
    """The faults of a subscription's targets, as a stranger's or an operator's."""

    def faults(
        keys: str, *, strict: bool = True, allow: tuple[str, ...] = ()
    ) -> list[tuple[str, str, str]]:
        (one,) = parsed(f'[[subscription]]\nname = "crm"\n{keys}').subscriptions
        spot = _spot()
        check_targets(_made(one) if strict else one, Guard(allow=allow), spot)
        return [_told(fault) for fault in spot.faults]

    return faults


def _made(one: Subscription) -> Subscription:
    return replace(
        one,
        endpoints=tuple(replace(endpoint, strict=True) for endpoint in one.endpoints),
        callback=one.callback and replace(one.callback, strict=True),
        report=one.report and replace(one.report, strict=True),
    )


def _told(fault: Fault) -> tuple[str, str, str]:
    return fault.path, fault.code, fault.sentence


ADDRESS: Final = "URL points to an invalid IP address"
PORT: Final = "Port is invalid"
OTHERS: Final = """
url = "https://a.example/"
fallback = [{ url = "http://b.example/" }, { url = "tcp://[::1]:4000" }]
status_callback = { url = "http://192.168.1.1/" }
delivery_report = { url = "https://c.example:25/" }
"""


@pytest.mark.parametrize(
    ("keys", "faults"),
    [
        ('url = "http://127.0.0.1:8900/"', [("url", "url", ADDRESS)]),
        ('url = "https://[::ffff:10.0.0.1]/"', [("url", "url", ADDRESS)]),
        ('url = "udp://192.0.2.1:4000"', [("url", "url", ADDRESS)]),
        ('url = "http://crm.example:22/"', [("url", "url", PORT)]),
        ('url = "tcp://93.184.216.34:25"', [("url", "url", PORT)]),
        ('url = "tcp://10.0.0.1:25"', [("url", "url", ADDRESS), ("url", "url", PORT)]),
        (
            OTHERS,
            [
                ("fallback[2].url", "url", ADDRESS),
                ("status_callback.url", "url", ADDRESS),
                ("delivery_report.url", "url", PORT),
            ],
        ),
        ('url = "https://crm.example/"', []),
        ('url = "https://93.184.216.34:8443/"', []),
    ],
)
def test_a_target_that_strangers_have_not_is_a_fault(
    targets: Targets, keys: str, faults: list[tuple[str, str, str]]
) -> None:
    """In the field's words, at the URL that it stands in."""
    assert targets(keys) == faults


def test_what_is_allowed_is_no_fault(targets: Targets) -> None:
    """An operator has opened it on purpose."""
    assert targets('url = "http://127.0.0.1:8900/"', allow=("127.0.0.0/8",)) == []


def test_what_is_trusted_is_not_looked_at(targets: Targets) -> None:
    """It may go where an operator's may."""
    assert targets('url = "tcp://10.0.0.1:25"', strict=False) == []
