"""What goes before its time when the spool is nearly full, what is missed the least first.

Delivered events, then dead letters from the oldest, then pending deliveries of paused
subscriptions, each until there is room again. Only when nothing is left are events refused.
"""

import sqlite3
from collections import Counter
from functools import partial
from typing import Final

from msgspec import Struct
from structlog.typing import FilteringBoundLogger

from callpost.edge.spool import enroll, sweep
from callpost.edge.spool.room import Room
from callpost.edge.spool.sparing import sparing
from callpost.edge.spool.tally import Tally
from callpost.edge.spool.write import Writer

_ANY_AGE: Final = float("inf")
_ALL: Final = (0, 1 << 62)


class Eased(Struct, frozen=True):
    """How much went."""

    events: int
    dead: int
    paused: int


class Relief:
    """Frees more than is needed at once, so that it is seldom and each step is told once."""

    def __init__(
        self, writer: Writer, *, room: Room, tally: Tally, log: FilteringBoundLogger
    ) -> None:
        self._writer = writer
        self._room = room
        self._tally = tally
        self._log = log

    async def ease(self) -> Eased:
        """Go through the steps; raises `NotWritten`."""
        events = await self._take_events(_ALL)
        if events:
            self._log.info("spool.relieved", step="delivered", events=events)
        dead, with_dead = await self._take_dead()
        paused, with_paused = await self._take_paused()
        return Eased(events=events + with_dead + with_paused, dead=dead, paused=paused)

    async def _take_events(self, among: tuple[int, int]) -> int:
        """Take events whose numbers lie in the range, but for those that are still needed."""
        after, last = among[0] - 1, among[1]
        taken = 0
        while after < last and not self._room.is_eased():
            take = partial(sweep.take_events, after=after, before=_ANY_AGE)
            turn = await self._writer.chore(sparing(take))
            taken += turn.taken
            if turn.ended:
                break
            after = turn.last
        return taken

    async def _take_dead(self) -> tuple[int, int]:
        dead = events = 0
        while not self._room.is_eased():
            numbers = await self._writer.chore(sparing(partial(sweep.take_dead, before=_ANY_AGE)))
            if not numbers:
                break
            dead += len(numbers)
            events += await self._take_events((min(numbers), max(numbers)))
        if dead:
            self._log.warning("spool.relieved", step="dead", dead=dead, events=events)
        return dead, events

    async def _take_paused(self) -> tuple[int, int]:
        lost: Counter[str] = Counter()
        events = 0
        while not self._room.is_eased():
            freed = await self._writer.chore(sparing(self._free_paused))
            if not freed:
                break
            lost.update(name for name, _ in freed)
            numbers = [number for _, number in freed]
            events += await self._take_events((min(numbers), max(numbers)))
        for name, deliveries in lost.items():
            self._log.warning(
                "spool.relieved", step="paused", subscription=name, deliveries=deliveries
            )
        return lost.total(), events

    def _free_paused(self, connection: sqlite3.Connection) -> list[tuple[str, int]]:
        """Return the name of the subscription and the event's number of each that went."""
        names = {number: name for number, name, _ in enroll.paused(connection)}
        freed = sweep.take_pending(connection, names)
        for owner, _ in freed:
            self._tally.add(owner, -1)
        return [(names[owner], number) for owner, number in freed]
