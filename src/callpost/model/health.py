"""The health of one endpoint: a breaker with one probe, a slow start, and Retry-After.

Closed, it admits everything. Five failures in a row open it; then one ordinary delivery at a
time probes it, after 1 s, doubling to 60 s. A success closes it, and what may be in flight
grows again 1, 2, 4, … up to the subscription's concurrency. Time is always an argument.
"""

from typing import Final, Literal, assert_never

from callpost.model.condition import EndpointCondition
from callpost.model.outcome import (
    Delivered,
    Gone,
    LocalFault,
    Outcome,
    Refused,
    Rejected,
    Retry,
)

# One failure is an accident; five in a row are a state (Vector's figure).
OPENS_AFTER_FAILURES: Final = 5
PROBE_FIRST_S: Final = 1.0
PROBE_LAST_S: Final = 60.0
# Who was paused after half a day of failure is not in a hurry.
PROBE_PAUSED_S: Final = 300.0
# A fault of this machine is looked at again every second.
LOCAL_FAULT_PAUSE_S: Final = 1.0

_NEVER: Final = float("inf")

Change = Literal["opened", "closed", "held", "gone"]


class Health:
    """What is known of one endpoint; only `gone` outlives a restart."""

    def __init__(self, *, concurrency: int, gone: bool = False) -> None:
        self._concurrency = concurrency
        self._failures = 0
        self._open = False
        self._gone = gone
        self._probe_at = 0.0
        self._probe_pause_s = PROBE_FIRST_S
        self._held_until = 0.0
        self._out = 0
        self._probe_is_out = False
        self._most_out = concurrency
        self._wished_until = 0.0
        self._since: dict[EndpointCondition, float] = {}
        self._reason = ""

    def resize(self, concurrency: int) -> None:
        """So many may be out from now on, where nothing speaks against it."""
        is_growing = self._most_out < self._concurrency
        self._concurrency = concurrency
        self._most_out = min(self._most_out, concurrency) if is_growing else concurrency

    @property
    def failures(self) -> int:
        """How many there were in a row, up to now."""
        return self._failures

    @property
    def reason(self) -> str:
        """The last failure's, however long ago."""
        return self._reason

    @property
    def in_flight(self) -> int:
        """How many attempts are out."""
        return self._out

    def condition(self, now: float) -> EndpointCondition:
        """How an operator is told that it is."""
        if self._gone:
            return "gone"
        if self._open:
            return "down"
        if self._wished_until > now:
            return "held"
        return "failing" if self._failures else "ok"

    def since(self, now: float) -> float | None:
        """When that began; None where it is well, or has been so since before the start."""
        return self._since.get(self.condition(now))

    def next_try_at(self, now: float) -> float | None:
        """When it may be tried that may not be now; None where nobody can tell."""
        opens_at = self.opens_at(now)
        return opens_at if now < opens_at < _NEVER else None

    @property
    def is_open(self) -> bool:
        """The breaker is open: only probes go."""
        return self._open

    @property
    def is_gone(self) -> bool:
        """The endpoint said that it is no more."""
        return self._gone

    @property
    def is_busy(self) -> bool:
        """An attempt is out."""
        return self._out > 0

    def opens_at(self, now: float) -> float:
        """When it may be tried; `inf` where that takes the end of a probe, or a resume."""
        if self._gone or self._probe_is_out:
            return _NEVER
        if not self._open and self._held_until <= now:
            return now
        return max(self._held_until, self._probe_at if self._open else now, now)

    def has_room(self) -> bool:
        """Another attempt may be out beside those that are."""
        return not self._probe_is_out if self._open else self._out < self._most_out

    def begin(self) -> bool:
        """An attempt begins; says whether it is a probe."""
        self._out += 1
        is_probe = self._open and not self._probe_is_out
        self._probe_is_out = self._probe_is_out or is_probe
        return is_probe

    def abandon(self, *, is_probe: bool) -> None:
        """The attempt ended without an outcome: it was cancelled."""
        self._out -= 1
        self._probe_is_out = self._probe_is_out and not is_probe

    def end(
        self, outcome: Outcome, now: float, *, is_probe: bool, hold_s: float = 0.0
    ) -> tuple[Change, ...]:
        """The attempt ended; `hold_s` is the subscriber's Retry-After, within bounds."""
        self.abandon(is_probe=is_probe)
        match outcome:
            case Delivered() | Refused() | Rejected():
                return self._succeed()
            case LocalFault():
                # It says nothing of the endpoint, and passes or is mended.
                self._held_until = max(self._held_until, now + LOCAL_FAULT_PAUSE_S)
                return ()
            case Gone():
                self._reason = outcome.reason
                if self._gone:
                    return ()
                self._gone = True
                self._since["gone"] = now
                return ("gone",)
            case Retry(retry_after_s=None):
                self._reason = outcome.reason
                return self._fail(now, is_probe=is_probe)
            case Retry():
                # It answers, so it lives; it only wants to be left alone for a while.
                was_held = self._held_until > now
                self._held_until = max(self._held_until, now + hold_s)
                self._reason = outcome.reason
                if self._wished_until <= now:
                    self._since["held"] = now
                self._wished_until = self._held_until
                return self._succeed() + (() if was_held else ("held",))
            case _ as unreachable:
                assert_never(unreachable)

    def reset(self) -> None:
        """An operator says that it is well again."""
        self._failures = 0
        self._open = self._gone = False
        self._held_until = self._wished_until = 0.0
        self._most_out = self._concurrency

    def break_open(self, now: float) -> tuple[Change, ...]:
        """Open without waiting for a row of failures; who is open already stays so."""
        return () if self._open else self._break_open(now)

    def slow_down(self, now: float, *, since: float | None) -> None:
        """The subscription was paused, failing `since` then: probe at the slow pace from now on."""
        self._probe_pause_s = PROBE_PAUSED_S
        if not self._open and since is not None:
            self._since["down"] = since
        self._open = True
        self._probe_at = now + PROBE_PAUSED_S

    def _fail(self, now: float, *, is_probe: bool) -> tuple[Change, ...]:
        self._failures += 1
        if self._failures == 1:
            self._since["failing"] = now
        if self._open and not is_probe:
            # It was out when the breaker opened, and tells nothing new.
            return ()
        if self._open:
            self._probe_at = now + self._probe_pause_s
            if self._probe_pause_s < PROBE_LAST_S:
                self._probe_pause_s = min(PROBE_LAST_S, 2 * self._probe_pause_s)
            return ()
        return () if self._failures < OPENS_AFTER_FAILURES else self._break_open(now)

    def _break_open(self, now: float) -> tuple[Change, ...]:
        self._open = True
        self._since["down"] = now
        self._probe_pause_s = 2 * PROBE_FIRST_S
        self._probe_at = now + PROBE_FIRST_S
        return ("opened",)

    def _succeed(self) -> tuple[Change, ...]:
        self._failures = 0
        if self._open:
            self._open = False
            self._most_out = 1
            return ("closed",)
        if self._most_out < self._concurrency:
            self._most_out = min(self._concurrency, 2 * self._most_out)
        return ()
