"""The oracle sees every kind of breach: each law has a life that breaks it, and only it."""

import pytest

from faults.broken_lives import ALLOWED, BROKEN, Happen, a_good_life
from faults.oracle import LAWS, breaches_of


def test_a_good_life_breaks_no_law() -> None:
    """The life that all the others are made from."""
    assert breaches_of(a_good_life()) == []


@pytest.mark.parametrize("spoil", BROKEN, ids=lambda spoil: spoil.__name__)
def test_a_breach_is_seen(spoil: Happen) -> None:
    """The law that was broken is named, and no other."""
    life = a_good_life()
    spoil(life)
    assert {breach.law for breach in breaches_of(life)} == BROKEN[spoil]


def test_every_law_has_been_broken() -> None:
    """So none of them is idle."""
    assert set().union(*BROKEN.values()) == {law.__name__ for law in LAWS}


@pytest.mark.parametrize("happen", ALLOWED, ids=lambda happen: happen.__name__)
def test_what_is_allowed_is_no_breach(happen: Happen) -> None:
    """At least once means that some repeats are right."""
    life = a_good_life()
    happen(life)
    assert breaches_of(life) == []
