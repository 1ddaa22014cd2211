"""Where what strangers made may not go: nothing but the public Internet, in every disguise."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callpost.model.egress import Guard

_IPV4 = [
    *("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"),
    *("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "192.0.0.0/24", "192.88.99.0/24"),
    *("198.18.0.0/15", "240.0.0.0/4", "0.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4"),
]
_IPV6 = [
    *("::1/128", "::/128", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8", "100::/64"),
    *("2001:db8::/32", "3fff::/20", "2001::/23", "5f00::/16", "4000::/3", "8000::/1"),
]
# How an IPv4 address can stand in an IPv6 one: the prefix, the bits behind the address, and
# whether its bits are turned.
_WRAPPINGS = [
    ("::", 0, False),
    ("::ffff:0:0", 0, False),
    ("::ffff:0:0:0", 0, False),
    ("64:ff9b::", 0, False),
    ("64:ff9b:1::", 0, False),
    ("64:ff9b:1:abcd::", 0, False),
    ("64:ff9b:1::", 24, False),
    ("2002::", 80, False),
    ("2001::", 64, False),
    ("2001:0:5db8:d822::", 0, True),
    ("2606:4700::5efe:0:0", 0, False),
    ("2606:4700::200:5efe:0:0", 0, False),
]
_of_strangers = st.sampled_from([ip_network(network) for network in [*_IPV4, *_IPV6]])
_of_strangers_in_ipv4 = st.sampled_from([IPv4Network(network) for network in _IPV4])


def _wrapped(address: IPv4Address, prefix: str, shift: int, *, turned: bool) -> str:
    bits = int(address) ^ (0xFFFF_FFFF if turned else 0)
    return str(IPv6Address(int(IPv6Address(prefix)) | bits << shift))


def _within(network: IPv4Network | IPv6Network, fraction: float) -> IPv4Address | IPv6Address:
    last = network.num_addresses - 1
    # A fraction of so large a number is rounded.
    return network[min(last, int(last * fraction))]


@given(network=_of_strangers, fraction=st.floats(0, 1))
def test_every_address_that_is_not_public_is_refused(
    network: IPv4Network | IPv6Network, fraction: float
) -> None:
    """From the first to the last of each range."""
    address = str(_within(network, fraction))
    assert Guard().refusal(address, strict=True) is not None


@pytest.mark.parametrize(("prefix", "shift", "turned"), _WRAPPINGS)
@given(network=_of_strangers_in_ipv4, fraction=st.floats(0, 1))
def test_none_of_them_gets_through_in_disguise(
    prefix: str,
    shift: int,
    turned: bool,  # noqa: FBT001 - one of the parameters of the case
    network: IPv4Network,
    fraction: float,
) -> None:
    """An IPv4 address that an IPv6 one stands for is judged as itself."""
    disguised = _wrapped(
        network[int((network.num_addresses - 1) * fraction)], prefix, shift, turned=turned
    )
    assert Guard().refusal(disguised, strict=True) is not None


@given(address=st.ip_addresses(), deny=_of_strangers, allow=st.ip_addresses())
def test_strict_refuses_all_that_is_refused_anyway(
    address: IPv4Address | IPv6Address,
    deny: IPv4Network | IPv6Network,
    allow: IPv4Address | IPv6Address,
) -> None:
    """It takes away and never gives."""
    guard = Guard(deny=[str(deny)], allow=[str(allow)])
    if guard.refusal(str(address)) is not None:
        assert guard.refusal(str(address), strict=True) is not None


@given(network=_of_strangers, fraction=st.floats(0, 1))
def test_a_network_that_is_allowed_is_open_to_strangers_too(
    network: IPv4Network | IPv6Network, fraction: float
) -> None:
    """An operator opens it one by one, on purpose."""
    address = str(_within(network, fraction))
    assert Guard(allow=[str(network)]).refusal(address, strict=True) is None


@pytest.mark.parametrize(
    "address",
    [
        "93.184.216.34",
        "8.8.8.8",
        "172.32.0.1",
        "100.128.0.1",
        "198.20.0.1",
        "2606:4700::1111",
        "2a00:1450::200e",
        "2002:5db8:d822::1",
        "64:ff9b::5db8:d822",
        "::ffff:93.184.216.34",
    ],
)
def test_the_public_internet_is_open_to_strangers(address: str) -> None:
    """In the forms that lead there, a translator's (NAT64) among them."""
    assert Guard().refusal(address, strict=True) is None


@pytest.mark.parametrize("address", ["127.0.0.1", "10.1.2.3", "fd00::1", "2001:db8::1", "5f00::1"])
def test_what_an_operator_writes_may_go_into_the_house(address: str) -> None:
    """Only strangers are kept out of it."""
    assert Guard().refusal(address) is None


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("127.0.0.1", "127.0.0.0/8 (loopback)"),
        ("::ffff:10.0.0.1", "10.0.0.0/8 (private)"),
        ("5f00::1", "outside 2000::/3 (reserved)"),
    ],
)
def test_the_reason_says_what_it_is(address: str, reason: str) -> None:
    """An operator reads which network it was."""
    assert Guard().refusal(address, strict=True) == reason


@pytest.mark.parametrize("port", [80, 443, 1024, 8080, 65_535])
def test_the_ports_of_web_servers_and_programs_are_open_to_strangers(port: int) -> None:
    """Those of receivers."""
    assert Guard().port_refusal(port, strict=True) is None


@pytest.mark.parametrize("port", [1, 22, 25, 53, 79, 81, 110, 442, 444, 587, 1023])
def test_the_ports_of_services_are_closed_to_strangers(port: int) -> None:
    """An event shall not be taken for a mail or a command; `allow` opens networks, not ports."""
    guard = Guard(allow=["0.0.0.0/0", "::/0"])
    assert guard.port_refusal(port, strict=True) == "below 1024 only 80 and 443 are open"


@given(port=st.integers(1, 65_535))
def test_every_port_is_open_to_what_an_operator_writes(port: int) -> None:
    """A receiver may listen where it likes."""
    assert Guard().port_refusal(port) is None
