"""Looks at a simulated engine as the watchdog does.

With senders that come back nobody ever stands still.
"""

from collections.abc import Callable
from typing import Final

import trio

from callpost.engine.dispatcher import Dispatcher
from callpost.engine.watch import LOOK_INTERVAL_S

# A life may last for days: the first minutes are watched closely, then less and less.
_CLOSE_LOOKS: Final = 20
_GROWTH: Final = 1.2


async def watch_over(dispatcher: Dispatcher, tell: Callable[[str], None]) -> None:
    """Look again and again, until cancelled; `tell` who stands still, and why."""
    looks = 0
    interval_s = LOOK_INTERVAL_S
    while True:
        await trio.sleep(interval_s)
        looks += 1
        if looks > _CLOSE_LOOKS:
            interval_s *= _GROWTH
        for name, stall in dispatcher.stalled(trio.current_time()).items():
            tell(f"{name} at {trio.current_time():.3f}: {stall.reason}")
