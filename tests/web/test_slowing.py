"""How long the answer to a failed try waits, and whose failures count together."""

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callpost.web.slowing import PAUSE_MAX_S, RECENT_S, pause_s, peer_of, with_failure

MOMENTS = st.lists(st.floats(min_value=0, max_value=1e6), max_size=50).map(sorted)


@given(MOMENTS)
def test_a_failure_waits_between_one_and_five_seconds(moments: list[float]) -> None:
    """Whatever was before."""
    failures: tuple[float, ...] = ()
    for now in moments:
        failures = with_failure(failures, now)
        assert 1 <= pause_s(failures) <= PAUSE_MAX_S


@given(MOMENTS)
def test_each_recent_failure_adds_a_second(moments: list[float]) -> None:
    """Up to the most; what is a minute old does not count."""
    failures: tuple[float, ...] = ()
    for now in moments:
        failures = with_failure(failures, now)
    if moments:
        recent = sum(moments[-1] - at < RECENT_S for at in moments)
        assert pause_s(failures) == min(recent, PAUSE_MAX_S)


@given(MOMENTS)
def test_what_is_remembered_of_a_peer_does_not_grow(moments: list[float]) -> None:
    """No more than makes a difference."""
    failures: tuple[float, ...] = ()
    for now in moments:
        failures = with_failure(failures, now)
        assert len(failures) <= PAUSE_MAX_S


@given(st.ip_addresses(v=4))
def test_an_address_of_version_4_is_a_peer(address: IPv4Address) -> None:
    """Also as version 6 writes it."""
    assert peer_of(str(address)) == peer_of(f"::ffff:{address}") == str(address)


@given(st.ip_addresses(v=6), st.integers(0, 2**64 - 1))
def test_addresses_of_one_site_are_one_peer(address: IPv6Address, host: int) -> None:
    """They have 64 bits in common."""
    if address.ipv4_mapped is None:
        other = IPv6Address(int(address) >> 64 << 64 | host)
        if other.ipv4_mapped is None:
            assert peer_of(str(address)) == peer_of(str(other))


@pytest.mark.parametrize(
    ("host", "peer"),
    [
        (None, "unix"),
        ("", "unix"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("testclient", "testclient"),
    ],
)
def test_others_are_what_they_are(host: str | None, peer: str) -> None:
    """Who comes over a Unix socket has no address."""
    assert peer_of(host) == peer
