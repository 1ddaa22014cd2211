"""The simulated spool keeps the same promises as the one on disk."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random

import pytest
import trio
import trio.testing

from contracts import SpoolContract
from faults.simulated_disk import Disk
from faults.simulated_spool import SimulatedSpool
from spool_nouns import OpenSpool


class TestSimulatedSpool(SpoolContract):
    """The contract, in virtual time."""

    @pytest.fixture
    def open_spool(
        self,
        autojump_clock: trio.testing.MockClock,  # noqa: ARG002 - only has to be there
    ) -> OpenSpool:
        """Return the factory of spools with a disk of their own."""

        @asynccontextmanager
        async def opened() -> AsyncIterator[SimulatedSpool]:
            spool = SimulatedSpool(Disk(), Random(1))
            async with trio.open_nursery() as nursery:
                nursery.start_soon(spool.run)
                yield spool
                nursery.cancel_scope.cancel()

        return opened
