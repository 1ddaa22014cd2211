"""For the whole suite: how many examples a property has, and what the garbage collector may skip.

Thousands of collected tests would be gone through over and over, a tenth of the suite's time.
"""

import gc
from typing import Final

from hypothesis import settings

from examples import FEW, MANY, PLENTY

# Young objects before a collection; Python's own 700 are meant for programs that are small.
_YOUNG_MAX: Final = 50_000

# A busy machine may take its time over an example: how long is no property. What decides over a
# change has the same examples in each run; who hunts for what nobody thought of has others.
settings.register_profile("suite", max_examples=FEW, deadline=None, derandomize=True)
settings.register_profile("thorough", max_examples=MANY, deadline=None, derandomize=True)
settings.register_profile("hunt", max_examples=PLENTY, deadline=None)
settings.load_profile("suite")


def pytest_collection_finish() -> None:
    """Every test is known: from here on only what the tests make is garbage."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG_MAX, 20, 20)
