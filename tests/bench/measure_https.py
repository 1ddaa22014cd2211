"""HTTPS with keep-alive against HTTP: the same deliveries, in turns."""

from bench.daemons import a_subscription, daemon_running
from bench.findings import Findings, Row, Tally
from bench.saturation import Cost, saturate
from bench.setting import Setting


def measure(setting: Setting) -> Findings:
    """CPU per delivery over both."""
    tally = Tally()
    for run in range(1, setting.scale.runs + 1):
        setting.say(f"run {run} of {setting.scale.runs}: HTTP, then HTTPS")
        tally.add(http_cpu_us=_saturated(setting, setting.nginx.url).cpu_us)
        tls = f'tls = {{ ca_file = "{setting.nginx.ca_file}" }}'
        tally.add(https_cpu_us=_saturated(setting, setting.nginx.tls_url, tls).cpu_us)
    plain, tls_us = tally.median("http_cpu_us"), tally.median("https_cpu_us")
    row = Row(
        what="HTTPS keep-alive: CPU per delivery",
        goal="at most 1.4 times HTTP's",
        measured=f"{tls_us / plain:.2f} times: {tls_us:.0f} µs, HTTP {plain:.0f} µs",
        met=tls_us <= 1.4 * plain,
    )
    return Findings(rows=(row,), runs=tally.runs)


def _saturated(setting: Setting, url: str, *more: str) -> Cost:
    subscription = a_subscription("crm", url, "concurrency = 16", *more)
    with daemon_running(setting.place("tls"), subscription) as daemon:
        return saturate(daemon, setting.scale.saturation_events)
