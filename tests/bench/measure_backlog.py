"""A backlog of a million events: memory, the start on top of it, and how fast it drains.

The receiver's port is closed while the events are fed; then the daemon is stopped, the receiver
started, and the daemon started again.
"""

import time
from pathlib import Path
from typing import Final

from msgspec import Struct

from bench.daemons import a_subscription, daemon_running
from bench.findings import Findings, Row, Tally
from bench.nginx import free_port, nginx_running
from bench.producers import feed
from bench.saturation import bound_s, saturate
from bench.setting import Setting

_MORE_MIB: Final = 40
_START_S: Final = 3
# What two runs of the same thing differ by on a quiet machine.
_SAME: Final = 0.95
# What was tried in vain is due again at once, and nothing dies of old age: a tail of late tries
# would be in the drain's time.
_PATIENT: Final = "retry = { pauses_s = [1], max_age_s = 86400 }\nmax_age_s = { newCall = 86400 }"
_TOP: Final = "[spool]\nmax_pending = 10000000\n"


class Memory(Struct, frozen=True):
    """Resident memory in MiB."""

    empty: float
    feeding: float


def measure(setting: Setting) -> Findings:
    """One run: it is long, and what it finds is not a matter of microseconds."""
    events = setting.scale.backlog_events
    folder = setting.place("backlog")
    port = free_port()
    subscription = a_subscription(
        "crm", f"http://127.0.0.1:{port}/calls", "concurrency = 16", _PATIENT
    )
    setting.say("the full rate, for comparison")
    tally = Tally()
    tally.add(full_per_s=_full_per_s(setting))
    setting.say(f"feeding {events:,} events with the receiver off")
    memory = _fill(folder, subscription, events)
    tally.add(empty_mib=memory.empty, feeding_mib=memory.feeding)
    setting.say("starting again with the receiver on, draining")
    with nginx_running(setting.place("nginx"), port=port):
        _drain(folder, subscription, events, tally)
    return Findings(rows=_rows(tally, events), runs=tally.runs)


def _full_per_s(setting: Setting) -> float:
    subscription = a_subscription("crm", setting.nginx.url, "concurrency = 16")
    with daemon_running(setting.place("full"), subscription) as daemon:
        return saturate(daemon, setting.scale.saturation_events).per_s


def _fill(folder: Path, subscription: str, events: int) -> Memory:
    with daemon_running(folder, subscription, top=_TOP) as daemon:
        empty = daemon.resident_mib()
        feed(daemon.door, events)
        return Memory(empty=empty, feeding=daemon.peak_mib())


def _drain(folder: Path, subscription: str, events: int, tally: Tally) -> None:
    with daemon_running(folder, subscription, top=_TOP) as daemon:
        ready_at = time.monotonic()
        tally.add(start_s=daemon.start_s, restarted_mib=daemon.resident_mib())
        settled_at = daemon.wait_until_settled(within_s=bound_s(events))
        tally.add(drain_per_s=events / (settled_at - ready_at), draining_mib=daemon.peak_mib())


def _rows(tally: Tally, events: int) -> tuple[Row, ...]:
    empty, feeding = tally.median("empty_mib"), tally.median("feeding_mib")
    restarted, draining = tally.median("restarted_mib"), tally.median("draining_mib")
    more = max(feeding, restarted, draining) - empty
    start_s = tally.median("start_s")
    drain, full = tally.median("drain_per_s"), tally.median("full_per_s")
    backlog = f"Backlog of {events:,} events"
    return (
        Row(
            what=f"{backlog}: memory",
            goal=f"within {_MORE_MIB} MB of empty",
            measured=f"+{more:.0f} MiB at most (empty {empty:.0f}, feeding {feeding:.0f}, "
            f"restarted {restarted:.0f}, draining {draining:.0f})",
            met=more <= _MORE_MIB,
        ),
        Row(
            what=f"{backlog}: start",
            goal=f"at most {_START_S} s",
            measured=f"{start_s:.1f} s",
            met=start_s <= _START_S,
        ),
        Row(
            what=f"{backlog}: drain",
            goal="at the full rate",
            measured=f"{drain:,.0f}/s; end to end {full:,.0f}/s",
            met=drain >= _SAME * full,
        ),
    )
