"""Subscribers on TCP and UDP: a line, or a datagram, for each event."""

from bench.daemons import a_subscription, daemon_running
from bench.findings import Findings, Row, Tally
from bench.receivers import Receiver, receiver_running
from bench.saturation import saturate
from bench.setting import Setting

_GOAL_US = 40


def measure(setting: Setting) -> Findings:
    """CPU per delivery over either."""
    tally = Tally()
    with receiver_running("lines") as receiver:
        for run in range(1, setting.scale.runs + 1):
            setting.say(f"run {run} of {setting.scale.runs}: TCP, then UDP")
            _measure("tcp", receiver, setting, tally)
            _measure("udp", receiver, setting, tally)
    return Findings(rows=(_row("tcp", tally), _row("udp", tally)), runs=tally.runs)


def _measure(scheme: str, receiver: Receiver, setting: Setting, tally: Tally) -> None:
    place = ("tcp", "udp").index(scheme)
    url = f"{scheme}://127.0.0.1:{receiver.ports[place]}"
    subscription = a_subscription("board", url, "concurrency = 16")
    events = setting.scale.saturation_events
    with daemon_running(setting.place(scheme), subscription) as daemon:
        cost = saturate(daemon, events)
    # The warm-up is in the count: of UDP it shows how much was lost, and never too little.
    arrived = receiver.ask()[place]
    tally.add(**{f"{scheme}_cpu_us": cost.cpu_us, f"{scheme}_per_s": cost.per_s})
    tally.add(**{f"{scheme}_arrived": arrived})


def _row(scheme: str, tally: Tally) -> Row:
    cpu_us = tally.median(f"{scheme}_cpu_us")
    return Row(
        what=f"A {scheme.upper()} subscriber: CPU per delivery",
        goal=f"at most {_GOAL_US} µs",
        measured=f"{cpu_us:.0f} µs, {tally.median(f'{scheme}_per_s'):,.0f}/s",
        met=cpu_us <= _GOAL_US,
    )
