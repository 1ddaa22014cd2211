"""Who is served: the names and numbers of now, and the books of those that are gone.

What comes for one that is gone is a dead letter at once; what was pending for it becomes one
when its courier has ended, a chunk at a time.
"""

import sqlite3
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Final, Protocol, TypeVar

import trio

from callpost.edge.spool import enroll
from callpost.edge.spool.files import SpoolUnusable
from callpost.edge.spool.ledger import Ledger
from callpost.edge.spool.tally import Tally
from callpost.edge.spool.write import NotWritten
from callpost.model.delivery import Enrolled

# Between two tries to close the books on a disk that takes nothing.
_RETRY_S: Final = 1.0
_Result = TypeVar("_Result")


class Chores(Protocol):
    """Runs work in a transaction of its own; raises NotWritten."""

    def __call__(self, work: Callable[[sqlite3.Connection], _Result], /) -> Awaitable[_Result]:
        """Return what the work returned, once on disk."""
        ...


class Roll:
    """See SqliteSpool; `names` has what is served, by number."""

    def __init__(self, chore: Chores, *, ledger: Ledger, tally: Tally) -> None:
        self.names: Mapping[int, str] = {}
        self._known: frozenset[int] = frozenset()
        self._chore = chore
        self._ledger = ledger
        self._tally = tally

    async def enroll(self, names: Sequence[str], *, now: float) -> dict[str, Enrolled]:
        """Admit these, serve no others, and close the books on all that are gone."""
        try:
            known = await self._chore(partial(enroll.register, names=names))
            self._known = frozenset(one.number for one in known.values())
            enrolled = {name: known[name] for name in names}
            self.serve({one.number: name for name, one in enrolled.items()})
            bury = partial(enroll.bury, gone=self._ledger.removed, now=now, tally=self._tally)
            while await self._chore(bury):
                pass
        except NotWritten as fault:
            raise SpoolUnusable(str(fault)) from fault
        return enrolled

    async def admit(self, names: Sequence[str]) -> dict[str, Enrolled]:
        """Give each its number, the one that it has ever had; raises NotWritten."""
        enrolled = await self._chore(partial(enroll.admit, names=names))
        self._known |= {one.number for one in enrolled.values()}
        return enrolled

    def serve(self, names: Mapping[int, str]) -> None:
        """See ports.Spool."""
        self.names = names
        self._ledger.removed = self._known - names.keys()

    async def bury(self, subscription: int, *, now: float) -> int:
        """See ports.Spool; where the disk takes nothing it tries again."""

        def work(connection: sqlite3.Connection) -> int:
            if subscription in self.names:
                return 0
            enroll.end_standing(connection, subscription)
            gone = frozenset({subscription})
            return enroll.bury(connection, gone, now=now, tally=self._tally)

        while subscription not in self.names:
            try:
                return await self._chore(work)
            except NotWritten:
                await trio.sleep(_RETRY_S)
        return 0
