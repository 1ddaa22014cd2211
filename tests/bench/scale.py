"""How large and how long each benchmark is: in full for figures to show, quick to try it out.

Quick figures are no figures: short runs are mostly start-up, clock ticks and chance.
"""

from typing import Final

from msgspec import Struct


class Scale(Struct, frozen=True, kw_only=True):
    """Sizes in events, deliveries and subscriptions; durations in seconds."""

    runs: int
    # Long enough that a CPU clock of 10 ms and the gathering of outcomes (20 ms) do not show.
    saturation_events: int
    # The plain dispatcher is some ten times slower: a tenth of the events takes as long.
    plain_events: int
    intake_events: int
    lockstep_events: int
    latency_s: float
    fan_out_subscriptions: int
    fan_out_events: int
    many_subscriptions: int
    idle_s: float
    backlog_events: int
    neighbours: int
    neighbours_events: int
    neighbours_s: float
    # Where the cost is looked at while one spool grows.
    growth_events: tuple[int, ...]
    growth_subscriptions: tuple[int, ...]
    growth_deliveries: int


FULL: Final = Scale(
    runs=3,
    saturation_events=100_000,
    plain_events=10_000,
    intake_events=200_000,
    lockstep_events=5_000,
    latency_s=20.0,
    fan_out_subscriptions=1_000,
    fan_out_events=50,
    many_subscriptions=10_000,
    idle_s=10.0,
    backlog_events=1_000_000,
    neighbours=200,
    neighbours_events=50_000,
    neighbours_s=15.0,
    growth_events=(10_000, 30_000, 100_000, 300_000, 1_000_000),
    growth_subscriptions=(1, 10, 100, 1_000),
    growth_deliveries=50_000,
)

QUICK: Final = Scale(
    runs=1,
    saturation_events=5_000,
    plain_events=1_000,
    intake_events=10_000,
    lockstep_events=500,
    latency_s=2.0,
    fan_out_subscriptions=100,
    fan_out_events=20,
    many_subscriptions=1_000,
    idle_s=2.0,
    backlog_events=20_000,
    neighbours=20,
    neighbours_events=2_000,
    neighbours_s=2.0,
    growth_events=(2_000, 5_000, 10_000),
    growth_subscriptions=(1, 10, 100),
    growth_deliveries=2_000,
)
