"""A daemon reduced to its spool, to be killed: appends and settles, and says what was confirmed.

Each line on standard output was written after its confirmation: `stored NUMBER`, `done NUMBER`.
"""

import os
import sys
from functools import partial
from itertools import count
from pathlib import Path

import trio

from callpost.edge.logs import collecting_log
from callpost.edge.spool import SqliteSpool, open_spool
from callpost.model.delivery import Accepted
from callpost.model.limits import SpoolLimits
from spool_nouns import arrival, done


async def main(directory: Path) -> None:
    """Run until killed."""
    spool = open_spool(directory, limits=SpoolLimits(), log=collecting_log(lambda _: None))
    async with trio.open_nursery() as nursery:
        await nursery.start(spool.run)
        for name in "abcdefgh":
            nursery.start_soon(_produce, spool, name)
        nursery.start_soon(_deliver, spool)


async def _produce(spool: SqliteSpool, name: str) -> None:
    for n in count():
        events = [arrival(f"{name}-{n}-{m}", 1, call=name) for m in range(5)]
        for receipt in await spool.append(events):
            if isinstance(receipt, Accepted):
                _say("stored", receipt.number)


async def _deliver(spool: SqliteSpool) -> None:
    after = 0
    while True:
        page = spool.page(1, after=after, limit=10, order="call")
        for delivery, _, _ in page.rows:
            spool.settle(done(1, delivery), partial(_say_done, delivery.number))
        after = page.last
        await trio.sleep(0.005)


def _say_done(number: int, _: bool) -> None:  # noqa: FBT001 - the port's signature
    _say("done", number)


def _say(word: str, number: int) -> None:
    # One write, which the kernel has when it returns: killing loses nothing of it.
    os.write(1, f"{word} {number}\n".encode())


if __name__ == "__main__":
    trio.run(main, Path(sys.argv[1]))
