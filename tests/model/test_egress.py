"""Where deliveries may not go, in every disguise of an address."""

from ipaddress import IPv4Address, IPv6Address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callpost.model.egress import Guard

_METADATA = "169.254.169.254"
# How an IPv4 address can stand in an IPv6 one: the prefix, and the bits behind the address.
_WRAPPINGS = [
    ("::", 0),
    ("::ffff:0:0", 0),
    ("::ffff:0:0:0", 0),
    ("64:ff9b::", 0),
    ("64:ff9b:1::", 0),
    ("64:ff9b:1:abcd::", 0),
    ("64:ff9b:1::", 24),
    ("2002::", 80),
]


def _wrapped(prefix: str, shift: int, address: str) -> str:
    return str(IPv6Address(int(IPv6Address(prefix)) | int(IPv4Address(address)) << shift))


@pytest.mark.parametrize(
    "address",
    [
        _METADATA,
        "169.254.0.1",
        "0.0.0.0",
        "0.1.2.3",
        "224.0.0.1",
        "239.255.255.255",
        "255.255.255.255",
        "100.100.100.200",
        "168.63.129.16",
        "192.0.0.192",
        "::",
        "fe80::1",
        "fe80::1%eth0",
        "febf::1",
        "ff02::1",
        "fd00:ec2::254",
        "fd20:ce::254",
    ],
)
def test_a_built_in_network_is_refused(address: str) -> None:
    """No configuration is needed to keep deliveries away from these."""
    assert Guard().refusal(address) is not None


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "::1",
        "10.0.0.1",
        "192.168.1.1",
        "100.64.123.103",
        "fd00::1",
        "93.184.216.34",
        "2606:4700::1111",
        "::ffff:127.0.0.1",
        "64:ff9b::5db8:d822",
        "64:ff9b:1::5db8:d822",
    ],
)
def test_loopback_private_and_public_addresses_are_open(address: str) -> None:
    """A subscriber on the same machine or in the same house is an ordinary one."""
    assert Guard().refusal(address) is None


@pytest.mark.parametrize(("prefix", "shift"), _WRAPPINGS)
def test_an_ipv4_address_in_disguise_is_judged_as_itself(prefix: str, shift: int) -> None:
    """Mapped, translated, 6to4: the metadata service stays out of reach."""
    assert Guard().refusal(_wrapped(prefix, shift, _METADATA)) is not None


@pytest.mark.parametrize(("prefix", "shift"), _WRAPPINGS)
def test_a_denied_network_is_denied_in_disguise(prefix: str, shift: int) -> None:
    """What an operator denies is denied in every form."""
    guard = Guard(deny=["192.0.2.0/24"])
    assert guard.refusal(_wrapped(prefix, shift, "192.0.2.7")) is not None


def test_the_reason_names_the_network() -> None:
    """An operator reads which network it was."""
    assert Guard().refusal(_METADATA) == "169.254.0.0/16 (link-local, with the metadata services)"


def test_allow_opens_a_built_in_network() -> None:
    """One network of the built-in list can be opened."""
    assert Guard(allow=["169.254.10.0/24"]).refusal("169.254.10.1") is None


def test_allow_leaves_the_rest_of_the_network_closed() -> None:
    """Opening a part opens that part."""
    assert Guard(allow=["169.254.10.0/24"]).refusal(_METADATA) is not None


def test_allow_wins_over_deny() -> None:
    """The same network in both lists is open."""
    assert Guard(deny=["10.0.0.0/8"], allow=["10.0.0.0/8"]).refusal("10.1.2.3") is None


def test_a_network_allowed_as_ipv4_is_open_in_its_mapped_form() -> None:
    """The disguise does not matter for what is open either."""
    assert Guard(allow=["169.254.10.0/24"]).refusal("::ffff:169.254.10.1") is None


@given(address=st.ip_addresses(), network=st.ip_addresses(), prefix=st.integers(0, 128))
def test_every_address_of_a_denied_network_is_refused(
    address: IPv4Address | IPv6Address, network: IPv4Address | IPv6Address, prefix: int
) -> None:
    """A denied network has no gaps."""
    denied = ip_network(f"{network}/{min(prefix, network.max_prefixlen)}", strict=False)
    if address in denied:
        assert Guard(deny=[str(denied)]).refusal(str(address)) is not None
