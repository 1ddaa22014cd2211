"""The intake alone: events acknowledged after fsync, with no subscription that wants them.

It includes decoding, routing, the spool's rows, the commit and the reply.
"""

from collections.abc import Callable

from bench.daemons import Daemon, a_subscription, daemon_running
from bench.findings import Findings, Row, Tally, percentile
from bench.machine import fsync_ms
from bench.producers import Fed, feed, feed_one_by_one
from bench.setting import Setting

_WARM_UP_EVENTS = 1_000
# Routing is asked about every event and finds nobody.
_UNCONCERNED = a_subscription("records", "http://127.0.0.1:9/", 'events = ["cdr"]')


def measure(setting: Setting) -> Findings:
    """Events a second in each of the three ways to feed them."""
    scale = setting.scale
    ways: dict[str, Callable[[Daemon], Fed]] = {
        "one_connection": lambda daemon: feed(daemon.door, scale.intake_events),
        "sixteen_connections": lambda daemon: feed(
            daemon.door, scale.intake_events, connections=16
        ),
        "one_by_one": lambda daemon: feed_one_by_one(daemon.door, scale.lockstep_events),
    }
    tally = Tally()
    for run in range(1, scale.runs + 1):
        for way, fed_by in ways.items():
            setting.say(f"run {run} of {scale.runs}: {way.replace('_', ' ')}")
            with daemon_running(setting.place("intake"), _UNCONCERNED) as daemon:
                feed(daemon.door, _WARM_UP_EVENTS, tag="warm")
                disk_ms = fsync_ms(daemon.door.parent)
                fed = fed_by(daemon)
            tally.add(**{f"{way}_per_s": fed.per_s})
            if fed.waits_ms:
                waits_ms = sorted(fed.waits_ms)
                tally.add(disk_ms=disk_ms)
                tally.add(reply_p50_ms=percentile(waits_ms, 50))
                tally.add(reply_p99_ms=percentile(waits_ms, 99))
    return Findings(
        rows=(
            _row(tally, "one_connection", "one connection, pipelined", 60_000),
            _row(tally, "sixteen_connections", "16 connections", 60_000),
            _row(tally, "one_by_one", "one by one, waiting for each reply", 1_500),
        ),
        runs=tally.runs,
    )


def _row(tally: Tally, way: str, words: str, goal_per_s: int) -> Row:
    per_s = tally.median(f"{way}_per_s")
    reply = ""
    if way == "one_by_one":
        p50, p99 = tally.median("reply_p50_ms"), tally.median("reply_p99_ms")
        reply = f"; reply p50 {p50:.2f} ms, p99 {p99:.2f} ms"
        reply += f" (the disk's fsync alone {tally.median('disk_ms'):.2f} ms)"
    return Row(
        what=f"Intake alone, {words}",
        goal=f"{goal_per_s:,} events/s acknowledged after fsync",
        measured=f"{per_s:,.0f}/s{reply}",
        met=per_s >= goal_per_s,
    )
