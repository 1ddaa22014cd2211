"""End to end at saturation, beside the peers: the figure that everything else hangs on.

Runs take turns, callpost, syslog-ng, plain dispatcher, callpost …, so that what the machine does
meanwhile falls on all of them alike.
"""

from bench.daemons import a_subscription, daemon_running
from bench.findings import Bars, Findings, Row, Tally
from bench.peers import plain_dispatcher_running, syslog_ng_is_installed, syslog_ng_running
from bench.saturation import Cost, saturate, saturate_peer
from bench.setting import Setting

# Retention looks every half minute; a tenfold of that is no wait but a fault.
_RETENTION_S = 300.0
# Delivered events go at the next look, so that what that costs is in the figure.
_TOP = '[spool]\nretain = "0s"\n'


def measure(setting: Setting) -> Findings:
    """CPU per delivery and deliveries a second, of callpost and its peers."""
    tally = Tally()
    for run in range(1, setting.scale.runs + 1):
        of = f"run {run} of {setting.scale.runs}"
        setting.say(f"{of}: callpost, {setting.scale.saturation_events:,} events, then retention")
        cost, retention_us = _callpost(setting)
        tally.add(callpost_cpu_us=cost.cpu_us, callpost_retention_us=retention_us)
        tally.add(callpost_per_s=cost.per_s)
        if syslog_ng_is_installed():
            setting.say(f"{of}: syslog-ng, {setting.scale.saturation_events:,} events")
            cost = _syslog_ng(setting)
            tally.add(syslog_ng_cpu_us=cost.cpu_us, syslog_ng_per_s=cost.per_s)
        setting.say(f"{of}: plain dispatcher, {setting.scale.plain_events:,} events")
        cost = _plain(setting)
        tally.add(plain_cpu_us=cost.cpu_us, plain_per_s=cost.per_s)
    return Findings(
        rows=(_against_syslog_ng(tally), _throughput(tally)), runs=tally.runs, charts=_charts(tally)
    )


def _callpost(setting: Setting) -> tuple[Cost, float]:
    events = setting.scale.saturation_events
    folder = setting.place("callpost")
    subscription = a_subscription("crm", setting.nginx.url, "concurrency = 16")
    with daemon_running(folder, subscription, top=_TOP) as daemon:
        settled_s = 0.0

        def forget() -> None:
            nonlocal settled_s
            settled_s = daemon.cpu_s()
            daemon.wait_until_forgotten(within_s=_RETENTION_S)

        cost = saturate(daemon, events, afterwards=forget)
        return cost, (daemon.cpu_s() - settled_s) * 1e6 / events


def _syslog_ng(setting: Setting) -> Cost:
    with syslog_ng_running(setting.place("syslog-ng"), setting.nginx.url) as peer:
        return saturate_peer(peer, setting.scale.saturation_events, setting.nginx)


def _plain(setting: Setting) -> Cost:
    with plain_dispatcher_running(setting.place("plain"), setting.nginx.url) as peer:
        return saturate_peer(peer, setting.scale.plain_events, setting.nginx)


def _against_syslog_ng(tally: Tally) -> Row:
    ours = tally.median("callpost_cpu_us")
    measured, met = f"{ours:.0f} µs; syslog-ng is not installed", None
    if "syslog_ng_cpu_us" in tally.runs:
        theirs = tally.median("syslog_ng_cpu_us")
        measured = f"{ours:.0f} µs; syslog-ng {theirs:.0f} µs"
        met = ours <= theirs
    return Row(
        what="End to end at saturation: CPU per delivery",
        goal="at most syslog-ng's",
        measured=f"{measured} (of ours, retention is {tally.median('callpost_retention_us'):.0f})",
        met=met,
    )


def _throughput(tally: Tally) -> Row:
    ours, plain = tally.median("callpost_per_s"), tally.median("plain_per_s")
    syslog_ng = ""
    if "syslog_ng_per_s" in tally.runs:
        syslog_ng = f"; syslog-ng {tally.median('syslog_ng_per_s'):,.0f}/s"
    return Row(
        what="The same as throughput",
        goal="at least 10 times a plain dispatcher on httpx",
        measured=f"{ours:,.0f}/s, {ours / plain:.1f} times its {plain:,.0f}/s{syslog_ng}",
        met=ours >= 10 * plain,
    )


def _charts(tally: Tally) -> tuple[Bars, Bars]:
    names = {"callpost": "callpost", "syslog_ng": "syslog-ng", "plain": "httpx.AsyncClient"}
    there = {key: name for key, name in names.items() if f"{key}_cpu_us" in tally.runs}
    return (
        Bars(
            file="cpu-per-delivery",
            title="CPU per delivery, one subscription at saturation",
            unit="µs",
            bars={name: tally.median(f"{key}_cpu_us") for key, name in there.items()},
        ),
        Bars(
            file="throughput",
            title="Deliveries per second, one subscription at saturation",
            unit="deliveries/s",
            bars={name: tally.median(f"{key}_per_s") for key, name in there.items()},
        ),
    )
