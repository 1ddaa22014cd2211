"""Where delivery reports go: a door of its own, with a content of its own."""

from base64 import b64decode
from collections.abc import Callable

import pytest

from callpost.config import Config
from callpost.model.endpoint import (
    BasicAuth,
    BodySignature,
    Endpoint,
    HttpEndpoint,
    TcpEndpoint,
    Timeouts,
    Tls,
    UdpEndpoint,
)
from callpost.model.subscription import Subscription

FaultsOf = Callable[..., list[str]]
Reporting = Callable[..., Subscription]

AUTH = 'auth = { type = "basic", username = "u", password = "p" }'
SIGNED = 'secrets = ["credential:signing"]'
KEY = b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")


@pytest.fixture
def reporting(parsed: Callable[..., Config]) -> Reporting:
    """A subscription with these keys of its report, and others."""

    def one(report: str, others: str = "", *, url: str = "https://h/") -> Subscription:
        text = f'[[subscription]]\nname = "crm"\nurl = "{url}"\n{others}\n'
        (found,) = parsed(f"{text}delivery_report = {{ {report} }}").subscriptions
        return found

    return one


@pytest.fixture
def door(reporting: Reporting) -> Callable[..., Endpoint]:
    """The report's endpoint alone."""

    def one(report: str, others: str = "", *, url: str = "https://h/") -> Endpoint:
        found = reporting(report, others, url=url).report
        assert found is not None
        return found

    return one


Door = Callable[..., Endpoint]


def test_a_report_has_a_place_of_its_own(door: Door) -> None:
    """Whatever the subscription speaks, it is POSTJSON with all fields."""
    assert door('url = "https://r/x"', 'method = "GET1"\nlevel = 1') == HttpEndpoint(
        place="report",
        scheme="https",
        host="r",
        port=443,
        target="/x",
        method="POSTJSON",
        level=2,
    )


def test_without_a_report_nothing_is_reported(parsed: Callable[..., Config]) -> None:
    """It is an offer, not a default."""
    (found,) = parsed('[[subscription]]\nname = "a"\nurl = "http://h/"').subscriptions
    assert (found.report, found.report_on) == (None, frozenset())


def test_dead_letters_are_reported_unless_more_is_named(reporting: Reporting) -> None:
    """They are what somebody must look at."""
    assert reporting('url = "http://r/"').report_on == {"dead"}


def test_what_is_reported_may_be_named(reporting: Reporting) -> None:
    """One or both."""
    found = reporting('url = "http://r/", on = ["delivered", "dead"]')
    assert found.report_on == {"delivered", "dead"}


@pytest.mark.parametrize("method", ["POSTARGS", "POSTXML1", "POSTXML2", "GET1", "GET2"])
def test_a_report_has_all_its_fields_by_any_method(door: Door, method: str) -> None:
    """The number in a method's name is about events."""
    found = door(f'url = "http://r/", method = "{method}"')
    assert (found.method, found.level) == (method, 2)


def test_a_report_may_go_over_tcp(door: Door) -> None:
    """With a frame and TLS of its own."""
    found = door('url = "tcp://r:1", frame = "octets", ack = true, tls = {}', SIGNED)
    assert found == TcpEndpoint(
        place="report",
        host="r",
        port=1,
        method="POSTJSON",
        level=2,
        frame="octets",
        ack=True,
        tls=Tls(),
    )


def test_a_report_may_go_over_udp(door: Door) -> None:
    """An envelope has room for the signature."""
    assert door('url = "udp://r:1", envelope = true', SIGNED) == UdpEndpoint(
        place="report",
        host="r",
        port=1,
        method="POSTJSON",
        level=2,
        envelope=True,
        signing_keys=(KEY,),
    )


def test_the_subscriptions_secrets_sign_its_reports(door: Door) -> None:
    """Wherever they go."""
    found = door(
        'url = "http://r/"', f'{SIGNED}\nbody_signature = {{ header = "X", secret = "s" }}'
    )
    assert isinstance(found, HttpEndpoint)
    assert (found.signing_keys, found.body_signature) == ((KEY,), BodySignature("X", b"s"))


def test_secrets_make_sense_where_reports_alone_are_signed(reporting: Reporting) -> None:
    """The events themselves may go where nothing can be signed."""
    assert reporting('url = "http://r/"', SIGNED, url="tcp://h:1").report


PROOF = f'headers = {{ X-Key = "k" }}\ntls = {{ ca_file = "/ca.pem" }}\n{AUTH}'


def test_what_proves_who_we_are_goes_along_with_reports_to_the_same_origin(door: Door) -> None:
    """Scheme, host and port decide."""
    found = door('url = "https://h/report"', PROOF)
    assert isinstance(found, HttpEndpoint)
    assert (found.auth, found.headers, found.tls) == (
        BasicAuth("u", "p"),
        (("X-Key", "k"),),
        Tls(ca_file="/ca.pem"),
    )


@pytest.mark.parametrize("url", ["https://r/", "https://h:8443/", "http://h/", "http://h:443/"])
def test_what_proves_who_we_are_goes_with_reports_to_nobody_else(door: Door, url: str) -> None:
    """A report's receiver is often another party."""
    found = door(f'url = "{url}"', PROOF)
    assert isinstance(found, HttpEndpoint)
    assert (found.auth, found.headers, found.tls) == (None, (), Tls())


def test_a_report_has_its_own_proof_where_it_is_written(door: Door) -> None:
    """As a fallback has."""
    found = door(f'url = "https://r/", {AUTH}, headers = {{ X = "credential:key" }}')
    assert isinstance(found, HttpEndpoint)
    assert (found.auth, found.headers) == (BasicAuth("u", "p"), (("X", "s3cret"),))


def test_content_type_is_the_reports_own(door: Door) -> None:
    """The subscription's is about other content."""
    found = door('url = "http://r/"', 'content_type = "text/plain"')
    assert isinstance(found, HttpEndpoint)
    assert found.content_type == ""


def test_time_outs_are_the_subscriptions_but_for_a_fragment(door: Door) -> None:
    """What stands in the report's own URL is nearest."""
    found = door('url = "http://r/#ct=200"', "connect_timeout_s = 1\ntimeout_s = 9")
    assert found.timeouts == Timeouts(0.2, 10.0, 9.0)


FAULTS = [
    ('"http://r/"', ": type: expected a table with a url, found a text"),
    ('{ on = ["dead"] }', ".url: missing: is required"),
    ('{ url = "r" }', ".url: url: Invalid URL: it has no scheme, such as https://"),
    (
        '{ url = "http://r/#rc=1" }',
        ".url: url: rc in the fragment belongs to the primary's URL only",
    ),
    (
        '{ url = "http://r/", method = "PUT" }',
        (
            ".method: method: Invalid method: expected one of "
            "POSTARGS | POSTXML1 | POSTXML2 | POSTJSON | GET1 | GET2"
        ),
    ),
    (
        '{ url = "http://r/", level = 2 }',
        ".level: senseless: makes no sense here: a report is the same at every level",
    ),
    ('{ url = "http://r/", on = [] }', ".on: range: expected 1 to 2 items, found 0"),
    ('{ url = "http://r/", on = "dead" }', ".on: type: expected a list, found a text"),
    (
        '{ url = "http://r/", on = ["died"] }',
        '.on[1]: choice: expected one of delivered | dead; did you mean "dead"?',
    ),
    (
        '{ url = "http://r/", onn = ["dead"] }',
        '.onn: unknown_key: there is no such key; did you mean "on"?',
    ),
    ('{ url = "udp://r:1", ack = true }', ".ack: senseless: makes no sense on udp"),
    (
        '{ url = "http://r/", method = "GET1", content_type = "a/b" }',
        ".content_type: senseless: makes no sense with GET1, which has no body",
    ),
]


@pytest.mark.parametrize(("value", "fault"), FAULTS)
def test_a_faulty_report_is_told_by_its_key(faults_in: FaultsOf, value: str, fault: str) -> None:
    """As faults of a fallback are."""
    assert faults_in(f"delivery_report = {value}") == [f"delivery_report{fault}"]


def test_responses_are_about_events_not_reports(faults_in: FaultsOf) -> None:
    """So an HTTP door for reports alone gives them no meaning."""
    keys = 'responses = { 409 = "retry" }\ndelivery_report = { url = "http://r/" }'
    assert faults_in(keys, url="tcp://h:1") == [
        "responses: senseless: are of HTTP, and no endpoint here speaks it"
    ]
