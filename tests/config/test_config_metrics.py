"""`[metrics]`: where the figures can be read, and whether they name subscriptions."""

from collections.abc import Callable

import pytest

from callpost.config import Config
from callpost.config.masked import masked
from callpost.model.limits import Metrics
from callpost.model.listening import NetworkPlace, Place, UnixPlace

FaultsOf = Callable[..., list[str]]
Parsed = Callable[..., Config]


def test_without_the_table_nothing_listens(parsed: Parsed) -> None:
    """The operator's socket has the page in any case."""
    assert parsed("").metrics == Metrics(listen=None, per_subscription="auto")


@pytest.mark.parametrize(
    ("written", "place"),
    [
        ("127.0.0.1:9464", NetworkPlace("127.0.0.1", 9464)),
        ("[::1]:1", NetworkPlace("::1", 1)),
        ("[0:0:0:0:0:0:0:1]:65535", NetworkPlace("::1", 65_535)),
        ("0.0.0.0:9464", NetworkPlace("0.0.0.0", 9464)),
        ("/run/callpost/metrics.sock", UnixPlace("/run/callpost/metrics.sock")),
        ("", None),
    ],
)
def test_a_place_is_an_address_with_a_port_or_a_path(
    parsed: Parsed, written: str, place: Place | None
) -> None:
    """An empty text turns it off."""
    assert parsed(f'[metrics]\nlisten = "{written}"').metrics.listen == place


@pytest.mark.parametrize(
    "place", ["127.0.0.1:9464", "[::1]:9464", "[2001:db8::1]:80", "/run/x.sock"]
)
def test_a_place_is_shown_as_it_is_written(parsed: Parsed, place: str) -> None:
    """Sentences name it so that the operator finds it in the file."""
    assert str(parsed(f'[metrics]\nlisten = "{place}"').metrics.listen) == place


@pytest.mark.parametrize("place", ["127.0.0.1:9464", "/run/x.sock"])
def test_a_place_is_shown_to_operators_as_it_is_written(parsed: Parsed, place: str) -> None:
    """Where the figures are is no secret."""
    shown = masked(parsed(f'[metrics]\nlisten = "{place}"'))
    assert shown["metrics"] == {"listen": place, "per_subscription": "auto"}


_EXPECTED = 'address: expected "127.0.0.1:9464", "[::1]:9464", an absolute path, or an empty text'


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ('"127.0.0.1:0"', "range: expected a port from 1 to 65535"),
        ('"127.0.0.1:65536"', "range: expected a port from 1 to 65535"),
        (
            '"localhost:9464"',
            "address: the host must be an IP address, not a name; did you mean 127.0.0.1?",
        ),
        ('"metrics.example:9464"', "address: the host must be an IP address, not a name"),
        ('":9464"', "address: the host must be an IP address, not a name"),
        ('"9464"', _EXPECTED),
        ('"127.0.0.1"', _EXPECTED),
        ('"::1:9464"', _EXPECTED),
        ('"[127.0.0.1]:9464"', _EXPECTED),
        ('"[fe80::1%eth0]:9464"', _EXPECTED),
        ('"metrics.sock"', _EXPECTED),
        ('"127.0.0.1:94x4"', _EXPECTED),
        (f'"/{"x" * 107}"', "range: the path must have at most 107 bytes"),
        ("9464", "type: expected a text, found a whole number"),
    ],
)
def test_what_is_no_place_is_a_fault(faults_of: FaultsOf, value: str, fault: str) -> None:
    """One sentence that says what is expected."""
    found = faults_of(f"[metrics]\nlisten = {value}")
    assert found == [f"callpost.toml: metrics.listen: {fault}"]


def test_naming_subscriptions_is_auto_or_never(faults_of: FaultsOf) -> None:
    """There is no way to have a page without bounds."""
    assert faults_of('[metrics]\nper_subscription = "always"') == [
        "callpost.toml: metrics.per_subscription: choice: expected one of auto | never"
    ]


@pytest.mark.parametrize(
    ("more", "end"),
    [("", ", which name the subscriptions"), ('per_subscription = "never"', "")],
)
def test_a_place_that_others_reach_deserves_a_word(parsed: Parsed, more: str, end: str) -> None:
    """There is no password; without names there is less to read."""
    config = parsed(
        f'[metrics]\nlisten = "0.0.0.0:9464"\n{more}\n'
        '[[subscription]]\nname = "a"\nurl = "https://h/"'
    )
    sentence = f"everybody who reaches this address can read the figures{end}"
    assert [str(found) for found in config.warnings] == [
        f"callpost.toml: metrics.listen: exposed: {sentence}"
    ]


@pytest.mark.parametrize("place", ["127.0.0.1:9464", "[::1]:9464", "/run/metrics.sock"])
def test_a_place_on_this_machine_needs_no_word(parsed: Parsed, place: str) -> None:
    """Who is logged in here may read them."""
    config = parsed(
        f'[metrics]\nlisten = "{place}"\n[[subscription]]\nname = "a"\nurl = "https://h/"'
    )
    assert config.warnings == ()


TOKEN = "[[api.token]]\nname = 'a'\nrole = 'admin'\ntoken = 'sixteen-visible!'\n"


def doors(api: str, metrics: str) -> str:
    """A configuration with both doors."""
    return f'[api]\nlisten = "{api}"\n{TOKEN}[metrics]\nlisten = "{metrics}"\n'


@pytest.mark.parametrize(
    ("api", "metrics", "fault"),
    [
        ("127.0.0.1:9464", "127.0.0.1:9464", "api.listen is in its way, at 127.0.0.1:9464"),
        ("127.0.0.1:9464", "0.0.0.0:9464", "api.listen is in its way, at 127.0.0.1:9464"),
        ("[::1]:9464", "[0::1]:9464", "api.listen is in its way, at [::1]:9464"),
        ("[::1]:9464", "[::]:9464", "api.listen is in its way, at [::1]:9464"),
        ("/run/x.sock", "/run/./x.sock", "this is the path of api.listen"),
    ],
)
def test_two_doors_at_one_place_are_a_fault(
    faults_of: FaultsOf, api: str, metrics: str, fault: str
) -> None:
    """The second one could not be opened."""
    told = f"callpost.toml: metrics.listen: duplicate: {fault}"
    assert faults_of(doors(api, metrics)) == [told]


@pytest.mark.parametrize(
    ("api", "metrics"),
    [
        ("127.0.0.1:9464", "127.0.0.1:9465"),
        ("127.0.0.1:9464", "127.0.0.2:9464"),
        ("127.0.0.1:9464", "[::]:9464"),
        ("/run/x.sock", "/run/y.sock"),
        ("/run/x.sock", "127.0.0.1:9464"),
    ],
)
def test_doors_at_two_places_are_none(faults_of: FaultsOf, api: str, metrics: str) -> None:
    """Another port or address is another place, and so is another version of IP."""
    assert faults_of(doors(api, metrics)) == []


@pytest.mark.parametrize("key", ["[control]\nsocket", "[intake]\ndatagram"])
def test_a_door_at_the_path_of_a_socket_is_a_fault(faults_of: FaultsOf, key: str) -> None:
    """Also where the socket's is relative to the runtime directory."""
    name = key.replace("[", "").replace("]\n", ".")
    text = f'{key} = "x"\n[metrics]\nlisten = "/run/callpost/x"\n'
    told = f"callpost.toml: metrics.listen: duplicate: this is the path of {name}"
    assert faults_of(text) == [told]
