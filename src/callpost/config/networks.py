"""Networks and addresses of `[egress]`.

A network is written as it is meant: with bits set behind its prefix it is a fault, not a guess.
"""

from ipaddress import ip_address, ip_network

from callpost.config.faults import Spot
from callpost.config.rules import wrong_type


def network(value: object, spot: Spot) -> object:
    """A network in CIDR notation, or a single address."""
    if not isinstance(value, str):
        return wrong_type('a network such as "10.0.0.0/8"', value, spot)
    try:
        return str(ip_network(value))
    except ValueError:
        pass
    try:
        meant = ip_network(value, strict=False)
    except ValueError:
        return spot.report("network", 'expected a network such as "10.0.0.0/8" or "fd00::/8"')
    return spot.report("network", f'bits are set behind the prefix; did you mean "{meant}"?')


def source_address(value: object, spot: Spot) -> object:
    """An address of this machine, "" for any."""
    if not isinstance(value, str):
        return wrong_type("an IP address as a text", value, spot)
    try:
        address = str(ip_address(value)) if value else ""
    except ValueError:
        address = "%"
    if "%" in address:
        # A zone belongs to link-local addresses, and from these nobody is reached.
        return spot.report("address", "expected an IP address of this machine, or an empty text")
    return address
