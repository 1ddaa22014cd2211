"""Feeds events to a Unix socket, through `produce.py` in a process of its own."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from bench.children import environment_of_children
from bench.findings import CannotMeasure

_PROGRAM: Final = Path(__file__).with_name("produce.py")
# Ten times slower than anything that is worth a benchmark.
_EVENTS_PER_S_MIN: Final = 200
_START_S: Final = 30


class Fed(Struct, frozen=True):
    """What came of it; moments are CLOCK_MONOTONIC in seconds."""

    began_at: float
    ended_at: float
    accepted: int
    refused: int
    waits_ms: list[float]

    @property
    def per_s(self) -> float:
        """Events acknowledged in a second."""
        return self.accepted / (self.ended_at - self.began_at)


def feed(
    door: Path,
    events: int,
    *,
    tag: str = "call",
    connections: int = 1,
    replies: bool = True,
    spread: int = 0,
) -> Fed:
    """Send as fast as it is taken; `replies` waits for one to each event."""
    return _fed(
        "pipelined",
        events,
        door=str(door),
        tag=tag,
        connections=connections,
        replies=replies,
        spread=spread,
        within_s=_START_S + events / _EVENTS_PER_S_MIN,
    )


def feed_one_by_one(door: Path, events: int, *, tag: str = "call") -> Fed:
    """Send each event when the one before it is acknowledged."""
    within_s = _START_S + events / _EVENTS_PER_S_MIN
    return _fed("one by one", events, door=str(door), tag=tag, within_s=within_s)


def feed_steadily(
    door: Path, *, rate_per_s: float, for_s: float, tag: str = "call", spread: int = 0
) -> Fed:
    """Send so many events a second; `data.sent` of each is when it was written."""
    events = max(1, round(rate_per_s * for_s))
    return _fed(
        "paced",
        events,
        door=str(door),
        tag=tag,
        rate_per_s=rate_per_s,
        spread=spread,
        within_s=_START_S + 2 * for_s,
    )


def _fed(pace: str, events: int, *, within_s: float, **order: object) -> Fed:
    text = json.dumps([pace, {"events": events, "within_s": within_s, **order}])
    try:
        done = subprocess.run(
            [sys.executable, str(_PROGRAM), text],
            env=environment_of_children(),
            capture_output=True,
            timeout=within_s + _START_S,
            check=True,
            start_new_session=True,
        )
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode(errors="replace").strip().splitlines()
        raise CannotMeasure(f"The producer gave up: {said[-1] if said else 'no reason'}.") from None
    except subprocess.TimeoutExpired:
        raise CannotMeasure(f"The producer did not end within {within_s:.0f} s.") from None
    fed = msgspec.json.decode(done.stdout, type=Fed)
    if fed.refused:
        raise CannotMeasure(f"{fed.refused:,} events were refused.")
    return fed
