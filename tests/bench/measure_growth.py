"""How the cost of a delivery grows: with what the spool holds, and with the subscriptions.

One daemon is fed to ten thousand events, to thirty thousand, to a million, with retention as it
is unless set (24 h), so that nothing leaves the spool; each stretch is costed by itself. Then
the same number of events is spread over more and more subscriptions, each for one of them.
"""

from itertools import pairwise
from typing import Final

from bench.daemons import a_subscription, daemon_running
from bench.findings import Curves, Findings, Row, Tally
from bench.saturation import saturate
from bench.setting import Setting

_FLAT: Final = 0.2

Curve = list[tuple[float, float]]


def measure(setting: Setting) -> Findings:
    """Both curves; one run each, for a curve has its neighbours to be compared with."""
    tally = Tally()
    by_events = _by_events(setting, tally)
    by_subscriptions = _by_subscriptions(setting, tally)
    return Findings(
        rows=(_row(by_events, "events in the spool"), _row(by_subscriptions, "subscriptions")),
        runs=tally.runs,
        charts=(
            _chart("growth-events", "events in the spool", by_events),
            _chart("growth-subscriptions", "subscriptions", by_subscriptions),
        ),
    )


def _by_events(setting: Setting, tally: Tally) -> Curve:
    curve: Curve = []
    subscription = a_subscription("crm", setting.nginx.url, "concurrency = 16")
    with daemon_running(setting.place("events"), subscription) as daemon:
        for before, after in pairwise((0, *setting.scale.growth_events)):
            setting.say(f"from {before:,} to {after:,} events in the spool")
            cost = saturate(
                daemon,
                after - before,
                warm_up=0 if before else min(2_000, after),
                tag=f"to-{after}",
            )
            tally.add(**{f"to_{after}_events_cpu_us": cost.cpu_us})
            curve.append((after, cost.cpu_us))
    return curve


def _by_subscriptions(setting: Setting, tally: Tally) -> Curve:
    curve: Curve = []
    for number in setting.scale.growth_subscriptions:
        setting.say(f"{setting.scale.growth_deliveries:,} events over {number:,} subscriptions")
        # As many connections as there are subscriptions, and sixteen at the least: else the
        # figure would be that of opening thousands of them.
        concurrency = f"concurrency = {max(1, 16 // number)}"
        subscriptions = "".join(
            a_subscription(f"s{place}", setting.nginx.url, f'extension = ["x{place}"]', concurrency)
            for place in range(number)
        )
        with daemon_running(setting.place("subscriptions"), subscriptions) as daemon:
            cost = saturate(daemon, setting.scale.growth_deliveries, spread=number)
        tally.add(**{f"over_{number}_subscriptions_cpu_us": cost.cpu_us})
        curve.append((number, cost.cpu_us))
    return curve


def _row(curve: Curve, over: str) -> Row:
    (first_x, first), (last_x, _) = curve[0], curve[-1]
    worst = max((cost for _, cost in curve), key=lambda cost: abs(cost - first))
    shown = ", ".join(f"{cost:.0f}" for _, cost in curve)
    return Row(
        what=f"CPU per delivery from {first_x:,} to {last_x:,} {over}",
        goal="flat, within 20 %",
        measured=f"{worst / first - 1:+.0%} at the most ({shown} µs)",
        met=abs(worst / first - 1) <= _FLAT,
    )


def _chart(file: str, x: str, curve: Curve) -> Curves:
    return Curves(
        file=file,
        title=f"CPU per delivery by {x}",
        x=x,
        y="µs",
        curves={"callpost": curve},
    )
