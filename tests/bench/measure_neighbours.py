"""Half of the subscriptions are dead, slow or hostile: what is left to the healthy half.

Each event is for one healthy and one bad subscription. The rate is the healthy half's at
saturation, the p99 its added latency under a steady load; each is compared, in turns, with a
run of the same events in which only the healthy half exists.
"""

from contextlib import ExitStack
from itertools import cycle, islice
from typing import Final

from bench.children import until
from bench.daemons import Daemon, a_subscription, daemon_running
from bench.findings import Bars, Findings, Row, Tally, percentile
from bench.producers import feed, feed_steadily
from bench.receivers import Receiver, receiver_running
from bench.saturation import Cost, bound_s
from bench.setting import Setting

_KEPT: Final = 0.95
_STEADY_PER_S: Final = 500
# Some for each subscription, so that what fails at once has failed.
_WARM_UP_EVENTS: Final = 2_000
_WARM_UP_S: Final = 2.0


def measure(setting: Setting) -> Findings:
    """Rate and p99, with and without the bad half."""
    scale = setting.scale
    half = scale.neighbours // 2
    tally = Tally()
    for run in range(1, scale.runs + 1):
        setting.say(f"run {run} of {scale.runs}: {half} healthy subscriptions alone")
        cost = _saturated(setting, "")
        tally.add(alone_per_s=cost.per_s, alone_cpu_us=cost.cpu_us)
        tally.add(alone_p99_ms=_p99_ms(setting, ""))
        setting.say(f"run {run} of {scale.runs}: {half} healthy subscriptions beside {half} bad")
        with receiver_running("badly") as receiver:
            bad = _bad(receiver, half)
            cost = _saturated(setting, bad)
            tally.add(beside_per_s=cost.per_s, beside_cpu_us=cost.cpu_us)
            tally.add(beside_p99_ms=_p99_ms(setting, bad))
    return Findings(rows=_rows(tally, scale.neighbours), runs=tally.runs, charts=_charts(tally))


def _healthy(url: str, number: int) -> str:
    return "".join(_one("healthy", place, url) for place in range(number))


def _bad(receiver: Receiver, number: int) -> str:
    """As many of each kind, by turns."""
    return "".join(
        _one("bad", place, f"http://127.0.0.1:{port}/calls")
        for place, port in enumerate(islice(cycle(receiver.ports), number))
    )


def _one(name: str, place: int, url: str) -> str:
    return a_subscription(f"{name}{place}", url, f'extension = ["x{place}"]')


def _saturated(setting: Setting, bad: str) -> Cost:
    """By deliveries to the healthy half, whatever else the daemon does meanwhile."""
    half, events, nginx = (
        setting.scale.neighbours // 2,
        setting.scale.neighbours_events,
        setting.nginx,
    )
    expected = nginx.requests()
    with daemon_running(setting.place("rate"), _healthy(nginx.url, half) + bad) as daemon:
        feed(daemon.door, _WARM_UP_EVENTS, tag="warm", spread=half)
        expected += _WARM_UP_EVENTS
        nginx.wait_for(expected, sender=daemon, within_s=bound_s(_WARM_UP_EVENTS))
        before_s = daemon.cpu_s()
        fed = feed(daemon.door, events, spread=half)
        expected += events
        arrived_at = nginx.wait_for(expected, sender=daemon, within_s=bound_s(events))
        return Cost(
            cpu_us=(daemon.cpu_s() - before_s) * 1e6 / events,
            per_s=events / (arrived_at - fed.began_at),
        )


def _p99_ms(setting: Setting, bad: str) -> float:
    half = setting.scale.neighbours // 2
    with ExitStack() as held:
        receiver = held.enter_context(receiver_running("and_time"))
        subscriptions = _healthy(f"http://127.0.0.1:{receiver.ports[0]}/calls", half) + bad
        daemon = held.enter_context(daemon_running(setting.place("p99"), subscriptions))
        _steady_ages_ms(daemon, receiver, half=half, for_s=_WARM_UP_S, tag="warm")
        ages_ms = _steady_ages_ms(daemon, receiver, half=half, for_s=setting.scale.neighbours_s)
    return percentile(sorted(ages_ms), 99)


def _steady_ages_ms(
    daemon: Daemon, receiver: Receiver, *, half: int, for_s: float, tag: str = "call"
) -> list[float]:
    """Feed steadily, and wait for all of it to arrive at the healthy half."""
    fed = feed_steadily(daemon.door, rate_per_s=_STEADY_PER_S, for_s=for_s, tag=tag, spread=half)
    ages_ms: list[float] = []

    def all_arrived() -> bool:
        ages_ms.extend(receiver.ask())
        return len(ages_ms) >= fed.accepted

    until(all_arrived, within_s=bound_s(fed.accepted), what="The arrival of all deliveries")
    return ages_ms


def _rows(tally: Tally, neighbours: int) -> tuple[Row, ...]:
    alone, beside = tally.median("alone_per_s"), tally.median("beside_per_s")
    alone_ms, beside_ms = tally.median("alone_p99_ms"), tally.median("beside_p99_ms")
    half = f"Half of {neighbours} subscriptions dead, slow or hostile"
    return (
        Row(
            what=f"{half}: the healthy half's rate",
            goal="at least 95 % of what it is alone",
            measured=f"{beside / alone:.0%}: {beside:,.0f}/s, alone {alone:,.0f}/s "
            f"(CPU {tally.median('beside_cpu_us'):.0f} and {tally.median('alone_cpu_us'):.0f} µs)",
            met=beside >= _KEPT * alone,
        ),
        Row(
            what=f"{half}: the healthy half's p99 at {_STEADY_PER_S} events/s",
            goal="at most 1/0.95 of what it is alone",
            measured=f"{beside_ms:.1f} ms, alone {alone_ms:.1f} ms",
            met=alone_ms >= _KEPT * beside_ms,
        ),
    )


def _charts(tally: Tally) -> tuple[Bars, ...]:
    words = {"alone": "healthy half alone", "beside": "beside the bad half"}
    return (
        Bars(
            file="neighbours",
            title="Deliveries per second of the healthy half at saturation",
            unit="deliveries/s",
            bars={word: tally.median(f"{key}_per_s") for key, word in words.items()},
        ),
    )
