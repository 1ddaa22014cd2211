"""Chance and ids: what an event is called when its producer did not say."""

from itertools import pairwise
from uuid import RFC_4122, UUID

import pytest

from callpost.edge.dice import SystemDice

# More than one portion of random bytes has, and more than the serial number can count.
MANY = 20_000


@pytest.fixture(scope="module")
def ids() -> list[str]:
    """As many as a quick machine makes in some milliseconds."""
    dice = SystemDice()
    return [dice.event_id() for _ in range(MANY)]


def test_an_id_is_a_uuid_of_version_seven(ids: list[str]) -> None:
    """Whoever reads it as one finds version and variant of RFC 9562."""
    uuids = [UUID(one.removeprefix("evt_")) for one in ids]
    assert {(one.version, one.variant) for one in uuids} == {(7, RFC_4122)}


def test_an_id_is_text_of_one_length(ids: list[str]) -> None:
    """`evt_` and 32 digits."""
    assert {(one[:4], len(one)) for one in ids} == {("evt_", 36)}


def test_ids_grow(ids: list[str]) -> None:
    """Within a process none stands before one that was made earlier, so none is made twice."""
    assert all(one < other for one, other in pairwise(ids))


def test_the_chance_in_ids_does_not_repeat(ids: list[str]) -> None:
    """Each ends with random bytes of its own, from one portion to the next."""
    assert len({one[-16:] for one in ids}) == MANY


def test_two_daemons_make_different_ids() -> None:
    """Even in the same millisecond."""
    assert SystemDice().event_id()[-16:] != SystemDice().event_id()[-16:]


def test_a_roll_is_from_zero_to_below_one() -> None:
    """As every schedule expects it."""
    dice = SystemDice()
    assert all(0 <= dice.roll() < 1 for _ in range(1_000))
