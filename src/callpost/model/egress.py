"""Where a delivery may not go: the networks that no subscriber can have, or no stranger.

An address is judged in every form it can be reached by: an IPv4 address that is wrapped in an
IPv6 one is the IPv4 address. `allow` wins over everything. What is `strict` was made by a
stranger over the API, who shall not reach into the house that callpost stands in.
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
# Besides, of what is strict: all that is not the public Internet. IANA's registries of special
# addresses name them (RFC 6890); what IPv6 has outside of `_GLOBAL_UNICAST` is refused as a whole.
_BUILT_IN_STRICT: Final = (
    ("127.0.0.0/8", "loopback"),
    ("::1/128", "loopback"),
    ("10.0.0.0/8", "private"),
    ("172.16.0.0/12", "private"),
    ("192.168.0.0/16", "private"),
    ("100.64.0.0/10", "shared by carriers"),  # CGNAT, RFC 6598
    ("fc00::/7", "private"),  # ULA, RFC 4193
    ("192.0.2.0/24", "documentation"),
    ("198.51.100.0/24", "documentation"),
    ("203.0.113.0/24", "documentation"),
    ("2001:db8::/32", "documentation"),
    ("3fff::/20", "documentation"),  # RFC 9637
    ("192.0.0.0/24", "reserved"),  # protocol assignments
    ("192.88.99.0/24", "reserved"),  # once the relays of 6to4
    ("198.18.0.0/15", "reserved"),  # benchmarks
    ("240.0.0.0/4", "reserved"),
    ("2001::/23", "reserved"),  # protocol assignments, Teredo among them
)
# The only part of IPv6 that is given out for use on the Internet (RFC 4291, section 2.4).
_GLOBAL_UNICAST: Final = IPv6Network("2000::/3")
# What a web server listens on; below 1024 are the services of a machine: mail, names, shells.
_STRICT_PORTS: Final = frozenset({80, 443})
_STRICT_PORT_MIN: Final = 1_024
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
_TEREDO: Final = IPv6Network("2001::/32")
# The upper half of an interface's identifier in ISATAP, local or global (RFC 5214, section 6.1).
_ISATAP: Final = frozenset({0x0000_5EFE, 0x0200_5EFE})
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
        self._denied_to_strangers: list[tuple[_Network, str]] = [
            *self._denied,
            *((ip_network(network), why) for network, why in _BUILT_IN_STRICT),
        ]
        self._allowed: list[_Network] = [ip_network(network) for network in allow]

    def refusal(self, address: str, *, strict: bool = False) -> str | None:
        """Why nothing may be sent to `address`; None where it may."""
        given = ip_address(address.partition("%")[0])
        if self._allows(given):
            return None
        denied = self._denied_to_strangers if strict else self._denied
        for form in _forms(given):
            if self._allows(form):
                continue
            for network, why in denied:
                if form in network:
                    return f"{network} ({why})"
        if strict and _is_outside_the_internet(given):
            return f"outside {_GLOBAL_UNICAST} (reserved)"
        return None

    def port_refusal(self, port: int, *, strict: bool = False) -> str | None:
        """Why nothing may be sent to `port`, whatever the address; None where it may."""
        if not strict or port in _STRICT_PORTS or port >= _STRICT_PORT_MIN:
            return None
        return "below 1024 only 80 and 443 are open"

    def _allows(self, address: _Address) -> bool:
        return any(address in network for network in self._allowed)


def _is_outside_the_internet(address: _Address) -> bool:
    """Of IPv6: neither given out nor another form of an IPv4 address."""
    if isinstance(address, IPv4Address) or address in _GLOBAL_UNICAST:
        return False
    return not any(address in network for network in _ENDING_IN_IPV4)


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
    if address in _TEREDO:
        # RFC 4380, section 4: the server, and behind its port the client with every bit turned.
        yield IPv4Address(bits >> 64 & _32_BITS)
        yield IPv4Address(~bits & _32_BITS)
    if bits >> 32 & _32_BITS in _ISATAP:
        yield IPv4Address(bits & _32_BITS)
