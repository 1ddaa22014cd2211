"""One seed is one life: engines that start, work, crash and start again on what the disk has kept.

Everything is drawn from one `Random(seed)`, and time is virtual; so a life that broke a law is
lived again, step by step, by its seed alone.
"""

import traceback
from random import Random
from typing import Final

import hypothesis  # noqa: F401 - makes trio deterministic, see below
import trio
from trio.testing import MockClock

from faults.oracle import Breach, breaches_of
from faults.simulated_ground import Ground
from faults.simulated_settings import disk_mood
from faults.simulated_shift import Shift
from faults.story import told

# Importing Hypothesis is trio's own way to a deterministic scheduler: it loads the plugin that
# trio registers under the entry point `hypothesis`. What is left is to seed the `Random` that
# shuffles the tasks of a turn; Hypothesis does so for its examples, we for our lives.
_SCHEDULER: Final[Random] = trio._core._run._r

_COMMAND: Final = "pytest tests/faults/test_simulation.py"


def live(seed: int) -> Ground:
    """Live a life to its end, or to a bug's; returns what is left of it."""
    chance = Random(seed)
    _SCHEDULER.seed(chance.random())
    ground = Ground(chance)
    try:
        clock = MockClock(autojump_threshold=0)
        trio.run(_all_shifts, ground, clock=clock, instruments=[ground.steps])
    except Exception:  # noqa: BLE001 - whatever an engine dies of is told with its life
        ground.breaches.append(Breach("no_engine_dies_of_a_bug", traceback.format_exc()))
    ground.history.settles_within_s = ground.settles_within_s()
    return ground


def judge(ground: Ground) -> list[Breach]:
    """Every law that was broken."""
    return ground.breaches + breaches_of(ground.history)


def verdict_on(seed: int) -> str:
    """Nothing where the life broke no law; else the command that repeats it, and its story."""
    ground = live(seed)
    breaches = judge(ground)
    if not breaches:
        return ""
    settings = "\n".join(map(repr, ground.subscriptions))
    story = told(ground.history, ground.deeds, breaches)
    return f"Live it again: CALLPOST_LIFE={seed} {_COMMAND}\n\n{settings}\n{story}"


async def _all_shifts(ground: Ground) -> None:
    with ground.steps.life:
        for _ in range(ground.chance.choice((0, 1, 1, 2, 3, 4))):
            await Shift(ground, disk_mood(ground.chance)).work()
        has_ended = False
        while not has_ended:
            last = Shift(ground, disk_mood(ground.chance))
            await last.finish()
            has_ended = last.has_ended
    if ground.steps.life.cancelled_caught:
        ground.breaches.append(Breach("no_engine_runs_in_circles", "it was busy for ever"))
