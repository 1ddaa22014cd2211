"""What waits for the next commit, and when that commit is due.

An append, a chore and a settlement that someone waits for ask for one at once. A bare `Done`
shares the next, or asks when it has waited for 20 ms or when there are 256 settlements.
"""

import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from itertools import chain
from typing import Final

import trio
from msgspec import Struct

from callpost.model.delivery import Arrival, Died, Done, NotAccepted, Receipt, Settlement

# Of each, appends and settlements: some 10 ms of binding, in which the loop does nothing else.
# Larger batches cost no less for a row.
_BATCH_ROWS: Final = 1_024
# So that a batch of large events does not overshoot `max_bytes` by much.
_BATCH_BYTES: Final = 4 * 1024 * 1024
_RIDE_S: Final = 0.02
_RIDE_COUNT: Final = 256
# So many waiting settlements, some 10 MiB, are more than a disk that works ever lets wait.
_CLOGGED_COUNT: Final = 10_000

Queued = tuple[Settlement, Callable[[bool], None] | None]


class Append(Struct, eq=False):
    """One caller's arrivals; `receipts` are there once it is decided."""

    arrivals: Sequence[Arrival]
    decided: trio.Event
    receipts: Sequence[Receipt] = ()

    def decide(self, receipts: Sequence[Receipt]) -> None:
        """Wake the caller."""
        self.receipts = receipts
        self.decided.set()


class Chore(Struct, eq=False):
    """Work for a transaction of its own; `failure` is one sentence.

    One that is `bare` is done by the thread of the commits, outside of any transaction.
    """

    work: Callable[[sqlite3.Connection], None]
    decided: trio.Event
    bare: bool = False
    failure: str | None = None

    def decide(self, failure: str | None) -> None:
        """Wake the caller."""
        self.failure = failure
        self.decided.set()


class Waiting:
    """Three queues and a bell."""

    def __init__(self) -> None:
        self._appends: deque[Append] = deque()
        self._settlements: deque[Queued] = deque()
        self._chores: deque[Chore] = deque()
        # Settlements taken for a commit, which may bring them back.
        self._out: Sequence[Queued] = ()
        # Settlements in the queue that ask for a commit at once.
        self._urgent = 0
        self._ride_until = 0.0
        self._hurried = False
        self._bell = trio.Event()

    def __bool__(self) -> bool:
        return bool(self._appends or self._settlements or self._chores)

    def add_append(self, append: Append) -> None:
        """Queue it and ask for a commit."""
        self._appends.append(append)
        self._bell.set()

    def add_chore(self, chore: Chore) -> None:
        """Queue it and ask for a commit."""
        self._chores.append(chore)
        self._bell.set()

    def add_settlement(self, queued: Queued) -> None:
        """Queue it; whether that asks for a commit depends on its kind."""
        self._settlements.append(queued)
        if _is_urgent(queued):
            self._urgent += 1
            self._bell.set()
        elif len(self._settlements) == 1:
            self._ride_until = trio.current_time() + _RIDE_S
            # The writer sleeps without a deadline and must learn of this one.
            self._bell.set()
        elif len(self._settlements) == _RIDE_COUNT:
            self._bell.set()

    def put_back(self, settlements: Sequence[Queued]) -> None:
        """Return what a failed commit held to the head of the queue."""
        self._settlements.extendleft(reversed(settlements))
        self._out = ()
        self._urgent += sum(map(_is_urgent, settlements))

    def hurry(self) -> None:
        """From now on every commit is due at once."""
        self._hurried = True
        self._bell.set()

    async def until_due(self) -> None:
        """Return when a commit is due."""
        while not self._is_due():
            if self._settlements:
                with trio.move_on_at(self._ride_until) as riding:
                    await self._bell.wait()
                if riding.cancelled_caught:
                    return
            else:
                await self._bell.wait()
            self._bell = trio.Event()

    def has_appends(self) -> bool:
        """Say whether an append waits."""
        return bool(self._appends)

    def is_clogged(self) -> bool:
        """Say whether settlements pile up, so that no more work should be begun."""
        return len(self._settlements) + len(self._out) >= _CLOGGED_COUNT

    def ending(self, subscription: int) -> frozenset[int]:
        """Name the positions of a subscription that a settlement on its way to the disk ends."""
        return frozenset(
            one.delivery.position
            for one, _ in chain(self._out, self._settlements)
            if isinstance(one, Done | Died) and one.subscription == subscription
        )

    def take_appends(self) -> list[Append]:
        """Take whole appends, the oldest first, up to a batch."""
        taken: list[Append] = []
        rows = size_bytes = 0
        while self._appends and rows < _BATCH_ROWS and size_bytes < _BATCH_BYTES:
            append = self._appends.popleft()
            taken.append(append)
            for arrival in append.arrivals:
                rows += 1 + len(arrival.matches)
                size_bytes += len(arrival.body)
        return taken

    def take_settlements(self) -> list[Queued]:
        """Take the oldest settlements, up to a batch."""
        count = min(len(self._settlements), _BATCH_ROWS)
        taken = [self._settlements.popleft() for _ in range(count)]
        self._out = taken
        if self._urgent:
            self._urgent -= sum(map(_is_urgent, taken))
        return taken

    def settled(self) -> None:
        """What was taken last is on disk."""
        self._out = ()

    def take_chore(self) -> Chore | None:
        """Take the oldest chore, if there is one."""
        return self._chores.popleft() if self._chores else None

    def refuse_appends(self, refusal: NotAccepted) -> None:
        """Answer every append that waits."""
        while self._appends:
            append = self._appends.popleft()
            append.decide([refusal] * len(append.arrivals))

    def refuse_chores(self, refusal: NotAccepted) -> None:
        """Tell everybody whose chore waits that it was not done."""
        while (chore := self.take_chore()) is not None:
            chore.decide(refusal.message)

    def _is_due(self) -> bool:
        return bool(
            self._appends
            or self._urgent
            or self._chores
            or len(self._settlements) >= _RIDE_COUNT
            or self._hurried
        )


def _is_urgent(queued: Queued) -> bool:
    settlement, written = queued
    return written is not None or not isinstance(settlement, Done) or settlement.report is not None
