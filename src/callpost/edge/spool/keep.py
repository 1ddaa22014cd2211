"""Retention: what has been kept long enough goes, in transactions short enough for the loop.

Delivered events stay for `retain_s`, dead letters and their events for `retain_dead_s`, calls
and the counters behind `seq` for a week after their last event. Nothing pending goes by age.
What goes is overwritten, also where it has left copies of itself.
"""

import sqlite3
from collections.abc import Callable
from functools import partial
from typing import Final, TypeVar

import trio
from msgspec import Struct
from structlog.typing import FilteringBoundLogger

from callpost.edge.spool import sweep
from callpost.edge.spool.relieve import Relief
from callpost.edge.spool.room import Room
from callpost.edge.spool.scrubbing import Scrubbing
from callpost.edge.spool.sparing import sparing
from callpost.edge.spool.write import NotWritten, Writer
from callpost.model.limits import CALL_KEPT_S, SpoolLimits

# A pass stops after so many turns in a row that freed nothing (100,000 events that wait or are
# dead, or as many calls that are young), and the next one goes on from there.
_BARREN_TURNS: Final = 10
# Free pages are used again; only what is far more than half a minute brings is given back.
_FREE_MAX_BYTES: Final = 16 * 1024 * 1024
_FREE_SHARE: Final = 16
_VACUUM_TURNS: Final = 64
_Taken = TypeVar("_Taken")


class Trimmed(Struct, frozen=True, kw_only=True):
    """What one pass has taken; `tight` if that was not enough.

    `paused` counts pending deliveries of paused subscriptions that had to go.
    """

    events: int
    dead: int
    calls: int
    paused: int
    tight: bool


class Keeper:
    """Goes round the spool every half minute, or at once when it is nearly full."""

    def __init__(
        self,
        writer: Writer,
        *,
        room: Room,
        relief: Relief,
        limits: SpoolLimits,
        scrubbing: Scrubbing,
        forget_calls: Callable[[], None],
        log: FilteringBoundLogger,
    ) -> None:
        self._writer = writer
        self._room = room
        self._relief = relief
        self._limits = limits
        self._wal = scrubbing.wal
        self._scrubbing = scrubbing
        self._forget_calls = forget_calls
        self._log = log
        # Where the next pass goes on: an event's number, a call's.
        self._event = 0
        self._call = 0
        # What was taken from the tables, by this process or the one before, is in the log.
        self._log_is_stale = True
        # Pages that were freed while there was no room to overwrite them, by the one before too.
        self._free_is_stale = True
        # Whether a tight spool is news: not after a pass that could not help it.
        self._hears = True
        self._finishing = False
        self._bell = trio.Event()

    def press(self) -> None:
        """Ask for a pass now: the spool is tight."""
        if self._hears:
            self._bell.set()

    def obey(self, limits: SpoolLimits) -> None:
        """Keep to these limits from the next pass on; where they are others, that is at once."""
        if limits != self._limits:
            self._limits = limits
            self._bell.set()

    def finish(self) -> None:
        """Let `run` return."""
        self._finishing = True
        self._bell.set()

    async def run(self, now: Callable[[], float], *, interval_s: float) -> None:
        """Make a pass after each interval, until `finish`."""
        while not self._finishing:
            with trio.move_on_after(interval_s):
                await self._bell.wait()
            if self._finishing:
                return
            self._bell = trio.Event()
            # A failure has been told as `spool.degraded`; what was not taken now is next time.
            self._hears = False
            try:
                self._hears = not (await self.trim(now())).tight
            except NotWritten:
                continue

    async def trim(self, now: float) -> Trimmed:
        """Make one pass; raises `NotWritten`."""
        paused = 0
        dead = await self._take_dead(now - self._limits.retain_dead_s)
        unended_after = now - self._limits.unended_s
        events = await self._take_events(now - self._limits.retain_s, unended_after)
        calls = await self._take_calls(now - CALL_KEPT_S)
        if events or dead or calls:
            self._log.debug("spool.trimmed", events=events, dead=dead, calls=calls)
            self._log_is_stale = True
            self._scrubbing.soil()
        if self._is_tight():
            eased = await self._relief.ease()
            events, dead, paused = events + eased.events, dead + eased.dead, eased.paused
            self._log_is_stale = self._free_is_stale = True
            self._scrubbing.soil()
        await self._shrink()
        if not self._is_tight():
            await self._scrubbing.go_on(is_over=lambda: self._finishing)
        return Trimmed(events=events, dead=dead, calls=calls, paused=paused, tight=self._is_tight())

    async def _take_dead(self, before: float) -> int:
        taken = 0
        while numbers := await self._taken(partial(sweep.take_dead, before=before)):
            taken += len(numbers)
        return taken

    async def _take_events(self, before: float, unended_after: float) -> int:
        taken = barren = 0
        while barren < _BARREN_TURNS:
            take = partial(
                sweep.take_events,
                after=self._event,
                before=before,
                unended_after=unended_after,
            )
            turn = await self._taken(take)
            self._event = 0 if turn.ended else turn.last
            taken += turn.taken
            if turn.ended:
                break
            barren = 0 if turn.taken else barren + 1
        return taken

    async def _take_calls(self, before: float) -> int:
        taken = barren = 0
        while barren < _BARREN_TURNS:
            turn = await self._taken(partial(self._take_some_calls, before))
            self._call = turn.last
            taken += turn.taken
            if turn.ended:
                break
            barren = 0 if turn.taken else barren + 1
        return taken

    def _take_some_calls(self, before: float, connection: sqlite3.Connection) -> sweep.Turn:
        # The writer remembers numbers of calls: an event must not be given one that has gone.
        self._forget_calls()
        return sweep.take_calls(connection, after=self._call, before=before)

    async def _shrink(self) -> None:
        scrubs = self._free_is_stale and not self._is_tight()
        kept_bytes = min(_FREE_MAX_BYTES, self._limits.max_bytes // _FREE_SHARE)
        kept_bytes = 0 if scrubs else kept_bytes
        for _ in range(_VACUUM_TURNS):
            if self._room.free_bytes() <= kept_bytes:
                break
            await self._writer.chore(sweep.vacuum)
        if scrubs and not self._room.free_bytes():
            self._free_is_stale = False
            self._log_is_stale = True
        if self._log_is_stale:
            self._log_is_stale = not await self._wal.empty()
        else:
            await self._wal.copy()

    async def _taken(self, take: Callable[[sqlite3.Connection], _Taken]) -> _Taken:
        if self._is_tight():
            self._free_is_stale = True
            take = sparing(take)
        return await self._writer.chore(take)

    def _is_tight(self) -> bool:
        return self._room.fill() != "ample"
