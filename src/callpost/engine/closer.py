"""Ends the calls that nobody ends: a switch that crashed leaves its callers ringing for ever.

Nothing is remembered but how far the events have been looked at: what a call's end is missing
is read from the spool, so a restart only looks again.
"""

from collections.abc import Awaitable, Callable
from typing import Final, Protocol

import trio

from callpost.engine.ports import Clock
from callpost.model.delivery import SpoolUnreadable
from callpost.model.silence import Silence, SilentCall

# How often silence is looked for; a tenth of a short patience, so that tests of receivers and
# demonstrations need not wait.
_INTERVAL_S: Final = 30.0
_PART: Final = 10.0


class Silences(Protocol):
    """What finds the calls that nobody has ended."""

    def silent(self, *, after: int, before: float) -> Silence:
        """Look at some events above number `after` that were accepted by `before`.

        Raises SpoolUnreadable.
        """
        ...


class Closer:
    """Looks for calls that have been silent for `end_after_s`, and has `end` end them.

    A patience of 0 ends nothing; it is asked for at each look, because a reload may change it.
    `end` says whether the hangup is on disk.
    """

    def __init__(
        self,
        silences: Silences,
        *,
        end: Callable[[SilentCall], Awaitable[bool]],
        end_after_s: Callable[[], float],
        clock: Clock,
    ) -> None:
        self._silences = silences
        self._end = end
        self._end_after_s = end_after_s
        self._clock = clock
        self._seen = 0

    async def run(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            patience_s = self._end_after_s() or _INTERVAL_S * _PART
            await trio.sleep(min(_INTERVAL_S, patience_s / _PART))
            if end_after_s := self._end_after_s():
                await self._look(self._clock.steady() - end_after_s)

    async def _look(self, before: float) -> None:
        ended = False
        while not ended:
            try:
                silence = self._silences.silent(after=self._seen, before=before)
            except SpoolUnreadable:
                return
            for call in silence.calls:
                if not await self._end(call):
                    # The spool is full, or its disk fails: the next look tries again from here.
                    return
            self._seen, ended = silence.last, silence.ended
            # Others want the loop too.
            await trio.lowlevel.checkpoint()
