"""A dialler needs somebody who holds its links to their deadlines."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio

from callpost.edge.dial import Dialer


@asynccontextmanager
async def tending(dialer: Dialer) -> AsyncIterator[Dialer]:
    """The dialler with its `tend` running, as the daemon has it."""
    async with trio.open_nursery() as nursery:
        await nursery.start(dialer.tend)
        yield dialer
        nursery.cancel_scope.cancel()
