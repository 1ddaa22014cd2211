"""One attempt under way, whatever connections it takes."""

from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import trio

from callpost.edge.http1.connection import Answer, ExchangeFailure
from callpost.model.delivery import Report
from callpost.model.http_outcome import http_outcome
from callpost.model.outcome import LocalFault, Outcome, Retry

Result = Answer | ExchangeFailure | Retry | LocalFault

C = TypeVar("C")

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

    async def exchanged(
        self,
        kept: C | None,
        *,
        connect: Callable[[], Awaitable[C | None]],
        exchange: Callable[[C], Awaitable[None]],
    ) -> None:
        """Exchange on a connection that was kept, and on a fresh one where it was gone already."""
        self.reused = kept is not None
        if kept is not None:
            await exchange(kept)
            if not self.died_unanswered:
                return
            # The peer closed it while our request was on its way: that is the connection's
            # end and says nothing of the endpoint, so it is not charged.
            self.reused = False
        fresh = await connect()
        if fresh is not None:
            await exchange(fresh)

    def outcome(self, *, host: str, now: float) -> Outcome:
        """What the result means for the delivery; `now` is wall seconds."""
        match self.result:
            case Answer() as answer:
                return http_outcome(
                    answer.status,
                    retry_after=answer.header(b"retry-after"),
                    location=answer.header(b"location"),
                    host=host,
                    now=now,
                )
            case ExchangeFailure(reason=reason, phase=phase, timed_out=timed_out):
                return Retry(reason=reason, phase=phase, timed_out=timed_out)
            case result:
                return result

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
