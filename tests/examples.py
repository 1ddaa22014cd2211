"""How many examples a property is tried with: always so many times what the profile has.

The suite has few, for who waits for it; `--hypothesis-profile=thorough` has eight times as many,
`--hypothesis-profile=hunt` eighty times, at random.
"""

from typing import Final

from hypothesis import settings

FEW: Final = 25
MANY: Final = 200
PLENTY: Final = 2_000


def examples(times: float) -> int:
    """So many times the examples of the profile: for what needs more of them, or is slow."""
    profile = settings.default
    assert profile is not None
    return round(profile.max_examples * times)
