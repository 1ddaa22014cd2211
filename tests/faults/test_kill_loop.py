"""The real daemon, killed again and again while it works; then the oracle judges what it has done.

`CALLPOST_KILL_LIFE=7 pytest tests/faults/test_kill_loop.py` lives one such life and
`CALLPOST_KILLS=1000 pytest -m slow tests/faults/test_kill_loop.py` kills that often; -s counts.
A seed draws the moments and the faults, but not what the machine makes of them.
"""

import os
from pathlib import Path
from random import Random
from typing import Final

import pytest
import trio

from callpost.edge.listen import bind_http
from faults.real_life import Life, Places
from faults.real_subscriptions import a_free_port

KILLS_A_LIFE: Final = 20
KILLS: Final = int(os.environ.get("CALLPOST_KILLS", "20"))
ONE_LIFE: Final = os.environ.get("CALLPOST_KILL_LIFE")
PACE_PER_S: Final = 400.0
# A start takes about half a second here: some daemons die before they are ready.
DIES_EARLY: Final = 0.2
EARLY_MAX_S: Final = 0.8
LATE_MAX_S: Final = 1.2


async def a_life_with_kills(directory: Path, seed: int, kills: int) -> str:
    """The oracle's verdict, and the command that lives it again.

    Between two kills the configuration changes, and at some it is faulty.
    """
    chance = Random(seed)
    http, tcp = await bind_http("127.0.0.1", 0), await bind_http("127.0.0.1", 0)
    places = Places("127.0.0.1", http, tcp, a_free_port())
    life = Life(directory, chance, places, pace_per_s=PACE_PER_S, reloads=True)
    async with life.lived():
        for _ in range(kills):
            early_s = chance.uniform(0, EARLY_MAX_S) if chance.random() < DIES_EARLY else None
            await life.until_killed(early_s=early_s, late_s=chance.uniform(0, LATE_MAX_S))
        await life.end_well()
    verdict = await trio.to_thread.run_sync(life.judge)
    command = f"CALLPOST_KILL_LIFE={seed} pytest tests/faults/test_kill_loop.py"
    print(f"seed {seed}: {life.summary()}")  # noqa: T201 - the count, for whoever asks with -s
    return verdict and f"Live it again: {command}\n{life.summary()}\n{verdict}"


@pytest.mark.skipif(ONE_LIFE is not None, reason="one life was asked for")
async def test_nothing_is_lost_over_a_few_kills(tmp_path: Path) -> None:
    """Killed five times in the middle of its work, it keeps every promise."""
    assert await a_life_with_kills(tmp_path, seed=1, kills=5) == ""


@pytest.mark.slow
@pytest.mark.skipif(ONE_LIFE is not None, reason="one life was asked for")
@pytest.mark.parametrize("seed", range(100, 100 + -(-KILLS // KILLS_A_LIFE)))
async def test_nothing_is_lost_over_many_kills(tmp_path: Path, seed: int) -> None:
    """The same, twenty times in each of many lives."""
    assert await a_life_with_kills(tmp_path, seed, KILLS_A_LIFE) == ""


@pytest.mark.skipif(ONE_LIFE is None, reason="CALLPOST_KILL_LIFE has no seed")
async def test_one_life_with_kills_keeps_the_promise(tmp_path: Path) -> None:
    """The life of this seed."""
    assert await a_life_with_kills(tmp_path, int(ONE_LIFE or 0), KILLS_A_LIFE) == ""
