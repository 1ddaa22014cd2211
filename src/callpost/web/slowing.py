"""How long the answer to a failed try waits: the longer, the more its peer has failed of late.

A peer is an address, or all addresses that one customer of a network provider has: with version
6 of IP those are a /64 (RFC 6177, section 2), so that nobody is another one by changing it.
"""

from collections.abc import Sequence
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Final

# So long a failure counts.
RECENT_S: Final = 60.0
# For each recent failure one more.
_STEP_S: Final = 1.0
# Longer than that no client waits for an answer.
_STEPS_MAX: Final = 5
PAUSE_MAX_S: Final = _STEP_S * _STEPS_MAX
_SITE_BITS: Final = 64
_NOWHERE: Final = "unix"


def peer_of(host: str | None) -> str:
    """Whose failures are counted together; those who come over a Unix socket are one."""
    if not host:
        return _NOWHERE
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(IPv6Network((address, _SITE_BITS), strict=False))


def with_failure(failures: Sequence[float], now_s: float) -> tuple[float, ...]:
    """The recent failures, as many as count, and that of now."""
    recent = [at for at in failures if now_s - at < RECENT_S]
    return (*recent, now_s)[-_STEPS_MAX:]


def pause_s(failures: Sequence[float]) -> float:
    """How long the answer to the last of these recent failures waits."""
    return min(_STEP_S * len(failures), PAUSE_MAX_S)
