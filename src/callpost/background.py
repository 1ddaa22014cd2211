"""What serves and watches the house itself: it is started before the doors open and ends last.

So `status` answers while the couriers drain.
"""

from typing import TYPE_CHECKING

import trio

from callpost.engine.closer import Closer
from callpost.engine.watch import LOOK_INTERVAL_S, Watch
from callpost.engine_room import EngineRoom

if TYPE_CHECKING:
    from callpost.house import House


async def start_background(nursery: trio.Nursery, house: "House", room: EngineRoom) -> None:
    """Start each in `nursery`, which is cancelled after the last commit."""
    nursery.start_soon(house.settings.obey_hang_ups)
    nursery.start_soon(house.expiry.watch)
    interval_s = min(LOOK_INTERVAL_S, house.notifier.watchdog_interval_s or LOOK_INTERVAL_S)
    nursery.start_soon(_keep_telling, house, interval_s)
    watch = Watch(
        room.dispatcher,
        house.spool.counts,
        clock=house.clock,
        all_is_well=house.notifier.watchdog,
        interval_s=interval_s,
        log=house.logs.log,
    )
    nursery.start_soon(watch.run)
    closer = Closer(
        house.spool,
        end=room.intake.end_call,
        end_after_s=lambda: house.settings.config.end_after_s,
        clock=house.clock,
    )
    nursery.start_soon(closer.run)


async def _keep_telling(house: "House", interval_s: float) -> None:
    """Whoever looks at `systemctl status` wants to know what waits now."""
    while True:
        await trio.sleep(interval_s)
        house.tell_state()
