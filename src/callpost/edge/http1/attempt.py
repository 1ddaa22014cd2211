"""One attempt under way, whatever connections it takes."""

from typing import Final

import trio

from callpost.edge.http1.connection import Answer, ExchangeFailure
from callpost.model.delivery import Report
from callpost.model.outcome import LocalFault, Outcome, Retry

Result = Answer | ExchangeFailure | Retry | LocalFault

_NOTHING_YET: Final = Retry(reason="not_sent")


class Attempt:
    """Times are trio's; the attempt begins when this is made.

    `ended` is when its latest step ended, which is when the next one begins: asking for the
    time costs more than one would think.
    """

    __slots__ = ("connect_ms", "deadline", "ended", "result", "reused", "started")

    def __init__(self, whole_s: float) -> None:
        self.started = trio.current_time()
        self.ended = self.started
        self.deadline = self.started + whole_s
        self.connect_ms: float | None = None
        self.reused = False
        self.result: Result = _NOTHING_YET

    @property
    def total_s(self) -> float:
        """How long it took."""
        return self.ended - self.started

    @property
    def died_unanswered(self) -> bool:
        """Whether the connection ended, by itself, before any byte of the answer came."""
        result = self.result
        return isinstance(result, ExchangeFailure) and not (result.received or result.timed_out)

    def report(self, outcome: Outcome) -> Report:
        """What is said of it once it is over."""
        result = self.result
        return Report(
            outcome=outcome,
            connect_ms=self.connect_ms,
            total_ms=self.total_s * 1000,
            reused=self.reused,
            answer=result.body if isinstance(result, Answer) else b"",
        )
