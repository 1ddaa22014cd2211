"""A daemon that is killed while it replays: says so when it is in the middle, and then hangs.

Everything that it appended was stored and died before that.
"""

import os
import signal
import sys
from itertools import count
from pathlib import Path

import trio

from callpost.edge.logs import collecting_log
from callpost.edge.spool import open_spool
from callpost.model.limits import SpoolLimits
from callpost.model.replay import Selection
from spool_nouns import arrival, died, pending, settled

DEAD_LETTERS = 6_000
# Within the fourth chunk of a thousand.
MIDDLE = 3_500


async def main(directory: Path) -> None:
    """Run until killed."""
    spool = open_spool(directory, limits=SpoolLimits(), log=collecting_log(lambda _: None))
    rows = count(1)

    def age_s(_: int, __: str) -> float:
        if next(rows) == MIDDLE:
            os.write(1, b"in the middle\n")
            signal.pause()
        return 60.0

    async with trio.open_nursery() as nursery:
        await nursery.start(spool.run)
        owner = (await spool.enroll(["crm"], now=1.0))["crm"].number
        for start in range(0, DEAD_LETTERS, 1_000):
            names = range(start, start + 1_000)
            await spool.append([arrival(str(n), owner, call=str(n % 100)) for n in names])
            deliveries = pending(spool, owner)
            for delivery in deliveries:
                spool.settle(died(owner, delivery))
            await settled(spool, died(owner, deliveries[-1]))
        await spool.replay(Selection(), now=2_000.0, max_age_s=age_s)


if __name__ == "__main__":
    trio.run(main, Path(sys.argv[1]))
