"""Several readers of what happens, as the one witness that the engine has.

Whoever wants attempts only (the log, those who watch live) joins; everything is told to the one
who counts. Where nobody but that one listens, an attempt costs a single call.
"""

from collections.abc import Callable

from callpost.engine.ports import Witness
from callpost.model.delivery import Attempted

HearAttempt = Callable[[Attempted], None]


class Witnesses:
    """See ports.Witness; `counting` hears everything, before the others."""

    attempted: HearAttempt

    def __init__(self, counting: Witness, *hearers: HearAttempt) -> None:
        self.delivered = counting.delivered
        self.accepted = counting.accepted
        self.refused = counting.refused
        self.died = counting.died
        self.removed = counting.removed
        self._hearers: tuple[HearAttempt, ...] = (counting.attempted,)
        self.attempted = counting.attempted
        for hearer in hearers:
            self.join(hearer)

    def join(self, hearer: HearAttempt) -> None:
        """Tell of each attempt from now on."""
        self._listen_to((*self._hearers, hearer))

    def leave(self, hearer: HearAttempt) -> None:
        """Tell no more of attempts."""
        self._listen_to(tuple(one for one in self._hearers if one != hearer))

    def _listen_to(self, hearers: tuple[HearAttempt, ...]) -> None:
        self._hearers = hearers
        self.attempted = hearers[0] if len(hearers) == 1 else self._tell_all

    def _tell_all(self, attempt: Attempted) -> None:
        for hear in self._hearers:
            hear(attempt)
