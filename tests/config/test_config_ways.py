"""`http2`, `proxy` and `http_client`: what they may be, and which endpoints they are for."""

from collections.abc import Callable

import pytest

from callpost.config import Config
from callpost.model.endpoint import BasicAuth, Endpoint, HttpEndpoint, Proxy

FaultsOf = Callable[..., list[str]]
Endpoints = Callable[..., tuple[Endpoint, ...]]

PROXY = Proxy("http", "proxy.example", 3128)
FORM = 'expected "http://HOST:PORT" or "https://HOST:PORT"'
NO_PATH = "must have no path, no query and no fragment"


@pytest.mark.parametrize(
    ("text", "proxy"),
    [
        ("http://proxy.example:3128", PROXY),
        ("HTTP://Proxy.example:3128/", PROXY),
        ("http://proxy.example", Proxy("http", "proxy.example", 80)),
        ("https://[2001:db8::1]", Proxy("https", "2001:db8::1", 443)),
        (
            "http://u:p%40@proxy.example:3128",
            Proxy("http", "proxy.example", 3128, BasicAuth("u", "p@")),
        ),
        ("", None),
    ],
)
def test_a_proxy_is_a_url_of_host_and_port(
    endpoints: Endpoints, text: str, proxy: Proxy | None
) -> None:
    """With what it wants to know of us in front, or nothing."""
    (found,) = endpoints("http://h/", f'proxy = "{text}"')
    assert isinstance(found, HttpEndpoint)
    assert found.proxy == proxy


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ('"proxy.example:3128"', FORM),
        ('"http://:3128"', FORM),
        ('"tcp://proxy.example:3128"', FORM),
        ('"ftp://proxy.example"', FORM),
        ('"http://proxy.example\\n"', FORM),
        ('"http://pro\\u0000xy.example"', FORM),
        ('"socks5://proxy.example:1080"', f"SOCKS is not supported: {FORM}"),
        ('"socks5h://proxy.example:1080"', f"SOCKS is not supported: {FORM}"),
        ('"http://proxy.example/pac"', NO_PATH),
        ('"http://proxy.example?x=1"', NO_PATH),
        ('"http://proxy.example#ct=200"', NO_PATH),
        ('"http://proxy.example:0"', "Port is invalid"),
        ('"http://127.1:3128"', "URL points to an invalid IP address"),
        ('"http://-proxy.example"', "URL points to an invalid hostname"),
    ],
)
def test_a_faulty_proxy_is_told_in_one_sentence(
    faults_in: FaultsOf, value: str, fault: str
) -> None:
    """What it should be, or what is wrong with it."""
    assert faults_in(f"proxy = {value}") == [f"proxy: proxy: {fault}"]


def test_a_proxy_is_a_text(faults_in: FaultsOf) -> None:
    """True would mean nothing."""
    assert faults_in("proxy = true") == [
        'proxy: type: expected a text or "credential:NAME", found true or false'
    ]


def test_a_proxy_may_be_a_credential(endpoints: Endpoints) -> None:
    """Its URL may hold a password."""
    (found,) = endpoints("http://h/", 'proxy = "credential:proxy"')
    assert isinstance(found, HttpEndpoint)
    assert found.proxy == Proxy("http", "proxy.example", 3128, BasicAuth("u", "p"))


def test_a_credential_that_is_not_there_is_a_fault(faults_in: FaultsOf) -> None:
    """As everywhere."""
    (fault,) = faults_in('proxy = "credential:nix"')
    assert fault.startswith('proxy: credential: credential "nix" was not found')


def test_a_credential_that_is_no_proxy_is_not_quoted(faults_in: FaultsOf) -> None:
    """Nor is a password in the URL."""
    faults = [
        *faults_in('proxy = "credential:key"'),
        *faults_in('proxy = "http://u:hunter2@proxy.example/hunter2"'),
        *faults_in('proxy = "http://u:hunter2@@proxy.example"'),
    ]
    quoting = ["s3cret" in fault or "hunter2" in fault for fault in faults]
    assert quoting == [False, False, False]


@pytest.mark.parametrize(
    ("url", "keys", "fault"),
    [
        ("tcp://h:1", 'proxy = "http://p:1"', "proxy: senseless: makes no sense on tcp"),
        ("udp://h:1", 'proxy = ""', "proxy: senseless: makes no sense on udp"),
        ("tcp://h:1", "http2 = true", "http2: senseless: makes no sense on tcp"),
        ("udp://h:1", "http2 = true", "http2: senseless: makes no sense on udp"),
        (
            "http://h/",
            "http2 = true",
            "http2: senseless: makes no sense on http: HTTP/2 is agreed on within TLS",
        ),
        (
            "https://h/",
            'fallback = [{ url = "http://b/", http2 = true }]',
            "fallback[1].http2: senseless: makes no sense on http: HTTP/2 is agreed on within TLS",
        ),
        (
            "https://h/",
            'fallback = [{ url = "tcp://b:1", proxy = "http://p:1" }]',
            "fallback[1].proxy: senseless: makes no sense on tcp",
        ),
        (
            "https://h/",
            'delivery_report = { url = "https://b/", proxy = "p:1" }',
            f"delivery_report.proxy: proxy: {FORM}",
        ),
        ("tcp://h:1", 'http_client = "own"', "http_client: senseless: makes no sense on tcp"),
        ("udp://h:1", 'http_client = "httpx"', "http_client: senseless: makes no sense on udp"),
        (
            "https://h/",
            'status_callback = { url = "udp://b:1", http_client = "httpx" }',
            "status_callback.http_client: senseless: makes no sense on udp",
        ),
        (
            "http://h/",
            'http_client = "curl"',
            "http_client: choice: expected one of own | httpx",
        ),
        ("https://h/", 'http2 = "yes"', "http2: type: expected true or false, found a text"),
    ],
)
def test_a_way_that_makes_no_sense_is_a_fault(
    faults_in: FaultsOf, url: str, keys: str, fault: str
) -> None:
    """A key that would be passed over in silence is a mistake of its writer."""
    assert faults_in(keys, url=url) == [fault]


def test_the_way_out_is_that_of_all_endpoints(endpoints: Endpoints) -> None:
    """Unlike what proves who we are it goes to whatever can use it."""
    keys = """
        http2 = true
        proxy = "http://proxy.example:3128"
        fallback = [{ url = "https://b/" }, { url = "http://c/" }, { url = "tcp://d:1" }]
        status_callback = { url = "https://e/" }
    """
    found = [
        (one.http2, one.proxy)
        for one in endpoints("https://h/", keys)
        if isinstance(one, HttpEndpoint)
    ]
    assert found == [(True, PROXY), (True, PROXY), (False, PROXY), (True, PROXY)]


def test_the_http_client_is_that_of_all_endpoints(endpoints: Endpoints) -> None:
    """Of all that speak HTTP, unless their own table says otherwise."""
    keys = """
        http_client = "httpx"
        fallback = [{ url = "http://b/" }, { url = "http://c/", http_client = "own" }]
        status_callback = { url = "https://d/" }
    """
    found = [
        one.http_client for one in endpoints("https://h/", keys) if isinstance(one, HttpEndpoint)
    ]
    assert found == ["httpx", "httpx", "own", "httpx"]


def test_without_a_word_the_http_client_is_our_own(endpoints: Endpoints) -> None:
    """It is the faster one by far."""
    (found,) = endpoints("https://h/")
    assert isinstance(found, HttpEndpoint)
    assert found.http_client == "own"


def test_reports_go_the_same_way(parsed: Callable[..., Config]) -> None:
    """They leave the same machine."""
    (one,) = parsed(
        '[[subscription]]\nname = "a"\nurl = "https://h/"\nhttp2 = true\n'
        'proxy = "http://proxy.example:3128"\ndelivery_report = { url = "https://r/" }'
    ).subscriptions
    assert isinstance(one.report, HttpEndpoint)
    assert (one.report.http2, one.report.proxy) == (True, PROXY)


def test_an_endpoint_may_go_its_own_way(endpoints: Endpoints) -> None:
    """What its own table says wins, none and no among it."""
    keys = """
        http2 = true
        proxy = "http://proxy.example:3128"
        fallback = [{ url = "https://b/", http2 = false, proxy = "" }]
    """
    _, fallback = endpoints("https://h/", keys)
    assert isinstance(fallback, HttpEndpoint)
    assert (fallback.http2, fallback.proxy) == (False, None)


def test_a_fallback_may_have_a_way_that_the_primary_has_not(endpoints: Endpoints) -> None:
    """A primary by TCP, say, has none of these."""
    keys = 'fallback = [{ url = "https://b/", proxy = "http://proxy.example:3128" }]'
    _, fallback = endpoints("tcp://h:1", keys)
    assert isinstance(fallback, HttpEndpoint)
    assert fallback.proxy == PROXY


def test_a_proxy_at_a_denied_address_is_warned_of(parsed: Callable[..., Config]) -> None:
    """It would never be dialled."""
    config = parsed(
        '[[subscription]]\nname = "a"\nurl = "https://h/"\nproxy = "http://169.254.169.254:3128"'
    )
    assert [(found.code, found.sentence) for found in config.warnings] == [
        ("egress", "primary: the proxy has an address that [egress] denies")
    ]
