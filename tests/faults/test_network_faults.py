"""The real daemon behind a link that loses, delays, reorders, damages and is cut; then the oracle.

It lives in one network namespace and its receivers in another; that takes root and TUN, else it
is skipped. `pytest -m slow tests/faults/test_network_faults.py` has the weathers that take long.
"""

from pathlib import Path
from random import Random
from typing import Final

import pytest
import trio

from faults.bad_link import (
    CUT,
    FAIR,
    THERE,
    BadLink,
    Namespaces,
    Weather,
    a_bad_link,
    listening,
    two_namespaces,
)
from faults.real_life import Life, Places

PACE_PER_S: Final = 60.0
# Short, so that what is late is given up, and its answer comes to nobody.
SETTINGS: Final = """[delivery]
connect_timeout_s = 1.0
first_byte_timeout_s = 1.0
timeout_s = 1.5
"""
# Seconds of each weather, one after the other.
Forecast = tuple[tuple[float, Weather], ...]
SHORT: Final[Forecast] = (
    (2.0, Weather(loss=0.1, delay_s=0.005, jitter_s=0.05, corrupt=0.05, twice=0.05)),
    (1.2, CUT),
    (1.0, Weather(loss=0.02, jitter_s=0.02)),
)
LONG: Final[dict[str, Forecast]] = {
    "loss": ((15, Weather(loss=0.2)),),
    "heavy loss": ((10, Weather(loss=0.5)),),
    "delay": ((15, Weather(delay_s=0.2, jitter_s=0.2)),),
    "delay about the time-out": ((15, Weather(delay_s=0.4, jitter_s=0.3)),),
    "corruption": ((15, Weather(corrupt=0.2)),),
    "reordering": ((15, Weather(jitter_s=0.1, twice=0.2)),),
    "cut for long": ((4, FAIR), (8, CUT), (3, FAIR)),
    "cut again and again": ((1.5, FAIR), (0.8, CUT)) * 6,
    "everything": SHORT * 4,
}


@pytest.fixture
def namespaces() -> object:
    """Both of them, for one test."""
    with two_namespaces() as names:
        yield names


async def a_life_behind_a_bad_link(
    directory: Path, names: Namespaces, seed: int, forecast: Forecast, *, kills: int = 0
) -> str:
    """The oracle's verdict."""
    chance = Random(seed)
    async with a_bad_link(Random(seed), names) as link:
        http, tcp = listening(names.there, THERE), listening(names.there, THERE)
        # Port 9 discards: nobody is there.
        places = Places(THERE, http, tcp, 9, within=names.command_here())
        life = Life(
            directory, chance, places, pace_per_s=PACE_PER_S, settings=SETTINGS, link_delays=True
        )
        async with life.lived():
            for _ in range(kills):
                link.weather = chance.choice(forecast)[1]
                await life.until_killed(early_s=None, late_s=chance.uniform(0, 2))
            await life.end_well(lambda: through(link, forecast))
    verdict = await trio.to_thread.run_sync(life.judge)
    fate = f"seed {seed}: {life.summary()}, {link.carried} packets, {link.lost} lost"
    print(fate)  # noqa: T201 - the count, for whoever asks with -s
    return verdict and f"{fate}\n{verdict}"


async def through(link: BadLink, forecast: Forecast) -> None:
    """One weather after the other, and then a fair one."""
    for lasts_s, weather in forecast:
        link.weather = weather
        await trio.sleep(lasts_s)
    link.weather = FAIR


async def test_nothing_is_lost_over_a_bad_link(tmp_path: Path, namespaces: Namespaces) -> None:
    """Some seconds of everything, with a cut in between."""
    assert await a_life_behind_a_bad_link(tmp_path, namespaces, 1, SHORT) == ""


@pytest.mark.slow
@pytest.mark.parametrize("name", LONG)
async def test_nothing_is_lost_in_any_weather(
    tmp_path: Path, namespaces: Namespaces, name: str
) -> None:
    """Each weather for a while."""
    seed = list(LONG).index(name)
    assert await a_life_behind_a_bad_link(tmp_path, namespaces, seed, LONG[name]) == ""


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
async def test_nothing_is_lost_where_it_is_killed_as_well(
    tmp_path: Path, namespaces: Namespaces, seed: int
) -> None:
    """Kills on a bad link: attempts of two lives are under way at a time."""
    verdict = await a_life_behind_a_bad_link(tmp_path, namespaces, seed, SHORT, kills=5)
    assert verdict == ""
