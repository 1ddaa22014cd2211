"""Added latency at 500 events a second: from the write to the socket to the receiver's first byte.

Both moments are read from the same clock (CLOCK_MONOTONIC), the first by the producer, which
puts it into the event, the second by the receiver when the kernel wakes it.
"""

from bench.daemons import a_subscription, daemon_running
from bench.findings import Curves, Findings, Row, Tally, percentile
from bench.producers import feed_steadily
from bench.receivers import Receiver, receiver_running
from bench.saturation import bound_s
from bench.setting import Setting

_RATE_PER_S = 500
_WARM_UP_S = 1.0
_SHOWN_PERCENT = (1, 5, 10, 25, 50, 75, 90, 95, 99, 99.5, 99.9)


def measure(setting: Setting) -> Findings:
    """The median and the 99th percentile, and the curve between."""
    tally = Tally()
    every: list[float] = []
    with receiver_running("and_time") as receiver:
        for run in range(1, setting.scale.runs + 1):
            setting.say(
                f"run {run} of {setting.scale.runs}: {_RATE_PER_S} events/s "
                f"for {setting.scale.latency_s:.0f} s"
            )
            ages_ms = sorted(_ages_ms(setting, receiver))
            tally.add(p50_ms=percentile(ages_ms, 50), p99_ms=percentile(ages_ms, 99))
            tally.add(worst_ms=ages_ms[-1])
            every += ages_ms
    p50, p99 = tally.median("p50_ms"), tally.median("p99_ms")
    row = Row(
        what="Added latency at 500 events/s",
        goal="p50 at most 2 ms, p99 at most 8 ms",
        measured=f"p50 {p50:.2f} ms, p99 {p99:.2f} ms",
        met=p50 <= 2 and p99 <= 8,
    )
    return Findings(rows=(row,), runs=tally.runs, charts=(_chart(sorted(every)),))


def _ages_ms(setting: Setting, receiver: Receiver) -> list[float]:
    url = f"http://127.0.0.1:{receiver.ports[0]}/calls"
    subscription = a_subscription("popup", url, "concurrency = 16")
    with daemon_running(setting.place("latency"), subscription) as daemon:
        feed_steadily(daemon.door, rate_per_s=_RATE_PER_S, for_s=_WARM_UP_S, tag="warm")
        daemon.wait_until_settled(within_s=bound_s(_RATE_PER_S))
        receiver.ask()
        feed_steadily(daemon.door, rate_per_s=_RATE_PER_S, for_s=setting.scale.latency_s)
        daemon.wait_until_settled(within_s=bound_s(_RATE_PER_S))
        return receiver.ask()


def _chart(ordered_ms: list[float]) -> Curves:
    return Curves(
        file="latency",
        title=f"From the socket to the receiver at {_RATE_PER_S} events/s, all runs",
        x="percentile",
        y="ms",
        curves={
            "added latency": [
                (percent, percentile(ordered_ms, percent)) for percent in _SHOWN_PERCENT
            ]
        },
    )
