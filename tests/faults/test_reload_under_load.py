"""The real daemon under load while its configuration changes; then the oracle judges it.

`CALLPOST_RELOAD_S=600 pytest -m slow -s tests/faults/test_reload_under_load.py` does it for ten
minutes; -s counts.
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

PACE_PER_S: Final = 400.0
LASTS_S: Final = float(os.environ.get("CALLPOST_RELOAD_S", "60"))


async def a_life_with_reloads(directory: Path, seed: int, lasts_s: float) -> str:
    """The oracle's verdict on a daemon that nobody kills, but whose subscriptions change."""
    http, tcp = await bind_http("127.0.0.1", 0), await bind_http("127.0.0.1", 0)
    places = Places("127.0.0.1", http, tcp, a_free_port())
    life = Life(directory, Random(seed), places, pace_per_s=PACE_PER_S, reloads=True)

    async def reloads() -> None:
        with trio.move_on_after(lasts_s):
            await life.reload_now_and_then()

    async with life.lived():
        await life.end_well(reloads)
    verdict = await trio.to_thread.run_sync(life.judge)
    print(f"seed {seed}: {life.summary()}")  # noqa: T201 - the count, for whoever asks with -s
    return verdict and f"{life.summary()}\n{verdict}"


async def test_nothing_is_lost_over_a_few_reloads(tmp_path: Path) -> None:
    """Subscriptions come, go and change: each event arrives once, in order, or is dead."""
    assert await a_life_with_reloads(tmp_path, seed=1, lasts_s=4) == ""


@pytest.mark.slow
async def test_nothing_is_lost_over_many_reloads(tmp_path: Path) -> None:
    """The same for as long as it is asked for."""
    assert await a_life_with_reloads(tmp_path, seed=2, lasts_s=LASTS_S) == ""
