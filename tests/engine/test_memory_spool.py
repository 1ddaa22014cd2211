"""The double of the spool keeps the same promises as the one on disk."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio
import trio.testing

from contracts import SpoolContract
from doubles import MemorySpool
from spool_nouns import OpenSpool


class TestMemorySpool(SpoolContract):
    """The contract, in memory and in virtual time."""

    @pytest.fixture
    def open_spool(
        self,
        autojump_clock: trio.testing.MockClock,  # noqa: ARG002 - only has to be there
    ) -> OpenSpool:
        """Return the factory of spools that forget."""

        @asynccontextmanager
        async def opened() -> AsyncIterator[MemorySpool]:
            spool = MemorySpool()
            async with trio.open_nursery() as nursery:
                nursery.start_soon(spool.run)
                yield spool
                nursery.cancel_scope.cancel()

        return opened
