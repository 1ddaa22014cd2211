"""Where a delivery may not go: the networks that no subscriber can have.

An address is judged in every form it can be reached by: an IPv4 address that is wrapped in an
IPv6 one is the IPv4 address. `allow` wins over everything.
"""

from collections.abc import Iterable, Iterator
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Final

_Address = IPv4Address | IPv6Address
_Network = IPv4Network | IPv6Network

_BUILT_IN: Final = (
    ("0.0.0.0/8", "this network"),
    ("169.254.0.0/16", "link-local, with the metadata services"),
    ("100.100.100.200/32", "a metadata service"),  # Alibaba Cloud
    ("168.63.129.16/32", "a metadata service"),  # Azure
    ("192.0.0.192/32", "a metadata service"),  # Oracle Cloud
    ("224.0.0.0/4", "multicast"),
    ("255.255.255.255/32", "broadcast"),
    ("::/128", "this network"),
    ("fe80::/10", "link-local"),
    ("fd00:ec2::254/128", "a metadata service"),  # AWS
    ("fd20:ce::254/128", "a metadata service"),  # Google Cloud
    ("ff00::/8", "multicast"),
)
# Networks whose addresses end in an IPv4 address that they stand for: IPv4-compatible and
# IPv4-mapped (RFC 4291, section 2.5.5), IPv4-translated (RFC 7915), NAT64 (RFC 6052, RFC 8215).
_ENDING_IN_IPV4: Final = (
    IPv6Network("::/96"),
    IPv6Network("::ffff:0:0/96"),
    IPv6Network("::ffff:0:0:0/96"),
    IPv6Network("64:ff9b::/96"),
    IPv6Network("64:ff9b:1::/48"),
)
_LOCAL_NAT64: Final = IPv6Network("64:ff9b:1::/48")
_6TO4: Final = IPv6Network("2002::/16")
_LOOPBACK: Final = IPv6Address("::1")
_32_BITS: Final = 0xFFFF_FFFF


class Guard:
    """Says which addresses are refused; `deny` and `allow` are networks in CIDR notation.

    Raises ValueError for a text that is no network.
    """

    def __init__(self, deny: Iterable[str] = (), allow: Iterable[str] = ()) -> None:
        self._denied: list[tuple[_Network, str]] = [
            *((ip_network(network), why) for network, why in _BUILT_IN),
            *((ip_network(network), "denied by [egress]") for network in deny),
        ]
        self._allowed: list[_Network] = [ip_network(network) for network in allow]

    def refusal(self, address: str) -> str | None:
        """Why nothing may be sent to `address`; None where it may."""
        given = ip_address(address.partition("%")[0])
        if self._allows(given):
            return None
        for form in _forms(given):
            if self._allows(form):
                continue
            for network, why in self._denied:
                if form in network:
                    return f"{network} ({why})"
        return None

    def _allows(self, address: _Address) -> bool:
        return any(address in network for network in self._allowed)


def _forms(address: _Address) -> Iterator[_Address]:
    yield address
    # `::` and `::1` are addresses of their own, though they lie among the IPv4-compatible ones.
    if isinstance(address, IPv4Address) or address == _LOOPBACK:
        return
    bits = int(address)
    if any(address in network for network in _ENDING_IN_IPV4):
        yield IPv4Address(bits & _32_BITS)
    if address in _LOCAL_NAT64 and not bits & 0xFF_FFFF:
        # RFC 6052 lets a translator with a prefix of 64 bits put the IPv4 address earlier, with
        # zeros behind it. With shorter prefixes the last 32 bits are zero: refused as 0.0.0.0.
        yield IPv4Address(bits >> 24 & _32_BITS)
    if address in _6TO4:
        yield IPv4Address(bits >> 80 & _32_BITS)
