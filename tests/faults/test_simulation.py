"""Hundreds of lives of the engine in virtual time, with every fault there is, judged by the oracle.

`CALLPOST_LIFE=4711 pytest tests/faults/test_simulation.py` lives one life and tells its story;
`CALLPOST_LIVES=100000 pytest -m slow tests/faults/test_simulation.py` lives that many more.
"""

import os
from collections.abc import Iterable
from typing import Final

import pytest

from faults.simulated_life import judge, live, verdict_on
from faults.story import told

# What every run of the suite lives; the long form goes on from there.
LIVES: Final = 300
CHUNK: Final = 50
LIVES_MORE: Final = int(os.environ.get("CALLPOST_LIVES", "100000"))
# So large that few tests are made of many lives, and so small that each ends within a minute.
CHUNK_MORE: Final = 1_000
ONE_LIFE: Final = os.environ.get("CALLPOST_LIFE")


def all_keep_the_promise(seeds: Iterable[int]) -> None:
    """Fail with the story of the first life that broke a law, and the seeds of all that did."""
    verdicts = {seed: verdict for seed in seeds if (verdict := verdict_on(seed))}
    if verdicts:
        broken = ", ".join(map(str, verdicts))
        story = next(iter(verdicts.values()))
        pytest.fail(f"These lives broke a law: {broken}. The first of them:\n{story}", False)


@pytest.mark.skipif(ONE_LIFE is not None, reason="one life was asked for")
@pytest.mark.parametrize("first", range(0, LIVES, CHUNK))
def test_lives_keep_the_promise(first: int) -> None:
    """Whatever fails, whenever it crashes: no law of delivery is broken."""
    all_keep_the_promise(range(first, first + CHUNK))


@pytest.mark.slow
@pytest.mark.parametrize("first", range(LIVES, LIVES + LIVES_MORE, CHUNK_MORE))
def test_many_more_lives_keep_the_promise(first: int) -> None:
    """The same, for as long as one has the patience."""
    all_keep_the_promise(range(first, min(first + CHUNK_MORE, LIVES + LIVES_MORE)))


@pytest.mark.skipif(ONE_LIFE is None, reason="CALLPOST_LIFE has no seed")
def test_one_life_keeps_the_promise(capsys: pytest.CaptureFixture[str]) -> None:
    """The life of this seed, told in full."""
    ground = live(int(ONE_LIFE or 0))
    breaches = judge(ground)
    with capsys.disabled():
        print(*ground.subscriptions, told(ground.history, ground.deeds, breaches), sep="\n")  # noqa: T201 - what was asked for
    assert breaches == []


def test_a_seed_is_a_life() -> None:
    """The same seed is the same life, to the last arrival: else no failure could be repeated."""
    first, second = (told(ground.history, ground.deeds) for ground in (live(7), live(7)))
    assert first == second
