"""Ten thousand subscriptions, of which three want each event: routing, start, memory, idleness.

The routing is timed in this very process, by its CPU clock; the rest is a daemon's.
"""

import time
from itertools import cycle, islice
from typing import Final

from bench.daemons import Daemon, a_subscription, daemon_running
from bench.findings import CannotMeasure, Findings, Row, Tally
from bench.produce import line
from bench.producers import feed
from bench.saturation import bound_s
from bench.setting import Setting
from callpost.config import Source, parse
from callpost.model.decode import decode
from callpost.model.routing import Router

_WANTING: Final = 3
_ROUTED_EVENTS: Final = 20_000
# Enough to have opened some hundred connections and to have pages in use.
_DELIVERED_EVENTS: Final = 200
_ROUTING_US: Final = 5
_START_S: Final = 3
_RESIDENT_MIB: Final = 200
# "About nothing", in percent of one core.
_IDLE_PERCENT: Final = 1


def measure(setting: Setting) -> Findings:
    """All four, medians of the runs."""
    scale = setting.scale
    configuration = _subscriptions(scale.many_subscriptions, setting.nginx.url)
    tally = Tally()
    setting.say(f"routing among {scale.many_subscriptions:,} subscriptions")
    for _ in range(scale.runs):
        tally.add(routing_us=_routing_us(configuration, scale.many_subscriptions // _WANTING))
    for run in range(1, scale.runs + 1):
        setting.say(f"run {run} of {scale.runs}: start twice, deliver, idle {scale.idle_s:.0f} s")
        folder = setting.place("many")
        with daemon_running(folder, configuration) as daemon:
            tally.add(first_start_s=daemon.start_s)
        with daemon_running(folder, configuration) as daemon:
            tally.add(start_s=daemon.start_s, resident_at_start_mib=daemon.resident_mib())
            _deliver(daemon)
            tally.add(resident_mib=daemon.resident_mib())
            tally.add(idle_percent=_idle_percent(daemon, scale.idle_s))
    return Findings(rows=_rows(tally, scale.many_subscriptions), runs=tally.runs)


def _subscriptions(number: int, url: str) -> str:
    return "".join(
        a_subscription(f"s{place}", url, f'extension = ["x{place // _WANTING}"]', "concurrency = 1")
        for place in range(number)
    )


def _routing_us(configuration: str, extensions: int) -> float:
    config = parse(
        [Source("bench.toml", configuration.encode())],
        secret=lambda _directory, _name: "",
        environment={},
    )
    router = Router(enumerate(config.subscriptions))
    events = [
        decode(line(place, tag="routed", spread=extensions).strip()) for place in range(extensions)
    ]
    if any(len(router.wanted_by(event)) != _WANTING for event in events):
        raise CannotMeasure(f"An event was not wanted by {_WANTING} subscriptions.")
    asked = list(islice(cycle(events), _ROUTED_EVENTS))
    began_s = time.process_time()
    for event in asked:
        router.wanted_by(event)
    return (time.process_time() - began_s) * 1e6 / len(asked)


def _deliver(daemon: Daemon) -> None:
    feed(daemon.door, _DELIVERED_EVENTS, spread=_DELIVERED_EVENTS)
    daemon.wait_until_settled(within_s=bound_s(_DELIVERED_EVENTS * _WANTING))


def _idle_percent(daemon: Daemon, for_s: float) -> float:
    before_s = daemon.cpu_s()
    # Doing nothing is what is measured.
    time.sleep(for_s)
    return (daemon.cpu_s() - before_s) / for_s * 100


def _rows(tally: Tally, subscriptions: int) -> tuple[Row, ...]:
    routing_us = tally.median("routing_us")
    first_s, start_s = tally.median("first_start_s"), tally.median("start_s")
    at_start, resident = tally.median("resident_at_start_mib"), tally.median("resident_mib")
    idle = tally.median("idle_percent")
    among = f"{subscriptions:,} subscriptions"
    return (
        Row(
            what=f"{among}, {_WANTING} want each event: routing",
            goal=f"at most {_ROUTING_US} µs an event",
            measured=f"{routing_us:.1f} µs",
            met=routing_us <= _ROUTING_US,
        ),
        Row(
            what=f"{among}: start",
            goal=f"at most {_START_S} s",
            measured=f"{start_s:.1f} s; the very first {first_s:.1f} s",
            met=max(first_s, start_s) <= _START_S,
        ),
        Row(
            what=f"{among}: resident memory",
            goal=f"at most {_RESIDENT_MIB} MB",
            measured=f"{resident:.0f} MiB; before the first event {at_start:.0f}",
            met=resident <= _RESIDENT_MIB,
        ),
        Row(
            what=f"{among}: CPU when idle",
            goal="about none",
            measured=f"{idle:.2f} % of a core",
            met=idle < _IDLE_PERCENT,
        ),
    )
