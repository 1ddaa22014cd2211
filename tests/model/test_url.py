"""URLs are accepted with one reading only, or refused in the words of the field."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from callpost.model.endpoint import BasicAuth
from callpost.model.url import ParsedUrl, UrlFault, parse_url

INVALID_URL = "Invalid URL"
PROTOCOL = "URL protocol is invalid"
HOST_AND_PORT = "Protocol types TCP and UDP only permit host and port"
VALID_PORT = "Protocol types TCP and UDP requires a valid port"
PORT = "Port is invalid"
ADDRESS = "URL points to an invalid IP address"
HOSTNAME = "URL points to an invalid hostname"

FAULTY = [
    ("", INVALID_URL),
    ("crm.example.com/calls", INVALID_URL),
    ("mailto:someone@example.com", INVALID_URL),
    ("http://", INVALID_URL),
    ("http:///path", INVALID_URL),
    ("http://:80/", INVALID_URL),
    ("http://h/a b", INVALID_URL),
    (" http://h/", INVALID_URL),
    ("http://h/\n", INVALID_URL),
    ("http://h/\x00", INVALID_URL),
    ("http://h\\@evil/", INVALID_URL),
    ("http://h/\u202egnp", INVALID_URL),
    ("http://h/\u00a0", INVALID_URL),
    ("http://h/${variable}", INVALID_URL),
    ("http://h/{{number}}", INVALID_URL),
    ("http://h/<token>", INVALID_URL),
    ("http://@h/", INVALID_URL),
    ("http://a@b@h/", INVALID_URL),
    ("http://a%3Ab:c@h/", INVALID_URL),
    ("http://a%0d:c@h/", INVALID_URL),
    ("http://%ff:c@h/", INVALID_URL),
    ("http://%zz:c@h/", INVALID_URL),
    ("http://a:b:c/", INVALID_URL),
    ("http://[::1/", INVALID_URL),
    ("http://[::1]80/", INVALID_URL),
    ("http://h/" + "a" * 20_000, INVALID_URL),
    ("ftp://h/", PROTOCOL),
    ("ws://h/", PROTOCOL),
    ("tcp://h:4010/", HOST_AND_PORT),
    ("tcp://h:4010/path", HOST_AND_PORT),
    ("udp://h:4010?x=1", HOST_AND_PORT),
    ("udp://h:4010?", HOST_AND_PORT),
    ("tcp://u:p@h:4010", HOST_AND_PORT),
    ("tcp://h", VALID_PORT),
    ("tcp://h:", VALID_PORT),
    ("udp://h:0", VALID_PORT),
    ("udp://h:65536", VALID_PORT),
    ("http://h:/", PORT),
    ("http://h:0/", PORT),
    ("http://h:65536/", PORT),
    ("http://h:8o/", PORT),
    ("http://h:-1/", PORT),
    ("http://h:\u0663/", PORT),
    ("http://h:000080/", PORT),
    ("http://127.1/", ADDRESS),
    ("http://2130706433/", ADDRESS),
    ("http://0177.0.0.1/", ADDRESS),
    ("http://0x7f000001/", ADDRESS),
    ("http://0x7f.0.0.1/", ADDRESS),
    ("http://256.0.0.1/", ADDRESS),
    ("http://1.2.3.4.5/", ADDRESS),
    ("http://127.0.0.1./", ADDRESS),
    ("http://\uff11\uff12\uff17.0.0.1/", ADDRESS),
    ("http://crm.123/", ADDRESS),
    ("http://::1/", ADDRESS),
    ("http://fe80::1/", ADDRESS),
    ("http://[fe80::1%25eth0]/", ADDRESS),
    ("http://[1.2.3.4]/", ADDRESS),
    ("http://[]/", ADDRESS),
    ("http://-crm/", HOSTNAME),
    ("http://crm-.example/", HOSTNAME),
    ("http://a..b/", HOSTNAME),
    ("http://crm.example.com./", HOSTNAME),
    ("http://cr%6d.example/", HOSTNAME),
    ("http://h,i/", HOSTNAME),
    (f"http://{'a' * 64}.example/", HOSTNAME),
    (f"http://{'a.' * 130}example/", HOSTNAME),
    ("http://\u0661.com/", HOSTNAME),
    ("http://" + "\u00fc" * 64 + ".example/", HOSTNAME),
]


@pytest.mark.parametrize(("text", "sentence"), FAULTY)
def test_a_faulty_url_is_refused_in_the_words_of_the_field(text: str, sentence: str) -> None:
    """Each kind of fault has one sentence, the one that the field knows."""
    assert parse_url(text) == UrlFault(sentence)


PLACES = [
    ("http://crm", ("http", "crm", 80, "/")),
    ("https://crm.example.com", ("https", "crm.example.com", 443, "/")),
    ("HTTPS://CRM.Example.com:8443/Calls", ("https", "crm.example.com", 8443, "/Calls")),
    ("http://pbx_1._tcp.local/", ("http", "pbx_1._tcp.local", 80, "/")),
    ("http://127.0.0.1:8900/", ("http", "127.0.0.1", 8900, "/")),
    ("http://[0:0:0:0:0:0:0:1]:81/", ("http", "::1", 81, "/")),
    ("https://m\u00fcller.example/", ("https", "xn--mller-kva.example", 443, "/")),
    ("https://xn--mller-kva.example/", ("https", "xn--mller-kva.example", 443, "/")),
    ("tcp://100.64.123.103:4010", ("tcp", "100.64.123.103", 4010, "")),
    ("udp://[fd00::1]:9", ("udp", "fd00::1", 9, "")),
]


@pytest.mark.parametrize(("text", "place"), PLACES)
def test_a_good_url_is_taken_apart(text: str, place: tuple[str, str, int, str]) -> None:
    """Scheme and host are lower-case, the port is the scheme's own unless given."""
    parsed = parse_url(text)
    assert isinstance(parsed, ParsedUrl)
    assert (parsed.scheme, parsed.host, parsed.port, parsed.target) == place


TARGETS = [
    ("?key=abc", "/?key=abc"),
    ("/calls?", "/calls"),
    ("/a%20b?x=%C3%A4", "/a%20b?x=%C3%A4"),
    ("/\u00fc?n=\u00e5", "/%C3%BC?n=%C3%A5"),
    ("/p?user[]=a&b=c|d", "/p?user%5B%5D=a&b=c%7Cd"),
    ("/100%", "/100%25"),
    ("/%zz", "/%25zz"),
    ("/a//b/../c;d=1", "/a//b/../c;d=1"),
    ("/?a=b?c/d", "/?a=b?c/d"),
]


@pytest.mark.parametrize(("text", "target"), TARGETS)
def test_path_and_query_become_ascii_without_encoding_twice(text: str, target: str) -> None:
    """What is encoded stays, what needs encoding gets it."""
    parsed = parse_url(f"http://h{text}")
    assert isinstance(parsed, ParsedUrl)
    assert parsed.target == target


@pytest.mark.parametrize(
    ("userinfo", "auth"),
    [
        ("user:secret", BasicAuth("user", "secret")),
        ("user", BasicAuth("user", "")),
        ("us%40er:a%3Ab%25", BasicAuth("us@er", "a:b%")),
        ("j%C3%BCrgen:x:y", BasicAuth("j\u00fcrgen", "x:y")),
    ],
)
def test_userinfo_becomes_basic_credentials(userinfo: str, auth: BasicAuth) -> None:
    """User name and password of a URL are percent-decoded."""
    parsed = parse_url(f"https://{userinfo}@h/")
    assert isinstance(parsed, ParsedUrl)
    assert parsed.auth == auth


def test_the_fragment_is_taken_off_and_read() -> None:
    """Connection overrides never go out with the target."""
    parsed = parse_url("http://h/p?q=1#ct=2000")
    assert isinstance(parsed, ParsedUrl)
    assert (parsed.target, parsed.overrides.connect_s) == ("/p?q=1", 2.0)


def test_a_fragment_that_is_no_override_is_refused_with_a_sentence() -> None:
    """A fragment is nothing but overrides."""
    fault = parse_url("http://h/#section")
    assert fault == UrlFault(
        "the fragment may hold ct, rt, tt, rc and rp only, as in #ct=2000&rp=ct,rt"
    )


_URL_LIKE = st.builds(
    "{}://{}{}".format,
    st.sampled_from(["http", "https", "tcp", "udp", "ftp", "HTTP"]),
    st.text(alphabet="aZ0.-_:@[]%x1\u00fc\u3002\uff11 ", max_size=20),
    st.text(alphabet="/?#&=%aA0\u00fc[]{} \n\\", max_size=20),
)


@given(st.one_of(st.text(), _URL_LIKE))
@example("http://xn--/")
@example("http://\u200d.example/")
@example("http://" + "\u00fc" * 300)
@example("http://\ud800/")
def test_parsing_never_raises_and_keeps_its_laws(text: str) -> None:
    """Any text is a fault or a URL whose parts can go onto the wire as they are."""
    parsed = parse_url(text)
    if isinstance(parsed, ParsedUrl):
        visible = parsed.target.isascii() and all("!" <= char <= "~" for char in parsed.target)
        begins = parsed.target.startswith("/") or parsed.scheme in {"tcp", "udp"}
        lower = parsed.host == parsed.host.lower() and parsed.host.isascii() and parsed.host
        assert visible
        assert begins
        assert lower
        assert 1 <= parsed.port <= 65_535


@given(st.text(alphabet="/?&=%aA0\u00fc[]|'\"^`;,", max_size=30))
def test_normalising_a_target_twice_changes_nothing(text: str) -> None:
    """A target that was normalised is read again as itself."""
    once = parse_url(f"http://h/{text}")
    assert isinstance(once, ParsedUrl)
    assert parse_url(f"http://h{once.target}") == once
