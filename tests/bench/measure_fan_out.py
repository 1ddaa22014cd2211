"""One event to a thousand subscriptions, against one event to one."""

from bench.daemons import a_subscription, daemon_running
from bench.findings import Findings, Row, Tally
from bench.saturation import Cost, saturate
from bench.setting import Setting

_WARM_UP_EVENTS = 2


def measure(setting: Setting) -> Findings:
    """CPU per delivery of both, in turns."""
    scale = setting.scale
    tally = Tally()
    for run in range(1, scale.runs + 1):
        setting.say(f"run {run} of {scale.runs}: one subscription")
        tally.add(single_cpu_us=_single(setting).cpu_us)
        setting.say(
            f"run {run} of {scale.runs}: {scale.fan_out_events} events "
            f"to {scale.fan_out_subscriptions:,} subscriptions each"
        )
        cost = _fanned_out(setting)
        tally.add(fan_out_cpu_us=cost.cpu_us, fan_out_per_s=cost.per_s)
    single, many = tally.median("single_cpu_us"), tally.median("fan_out_cpu_us")
    row = Row(
        what=f"One event to {scale.fan_out_subscriptions:,} subscriptions: CPU per delivery",
        goal="at most 1.2 times the single case",
        measured=f"{many / single:.2f} times: {many:.0f} µs, single {single:.0f} µs",
        met=many <= 1.2 * single,
    )
    return Findings(rows=(row,), runs=tally.runs)


def _single(setting: Setting) -> Cost:
    deliveries = setting.scale.fan_out_events * setting.scale.fan_out_subscriptions
    subscription = a_subscription("only", setting.nginx.url, "concurrency = 16")
    with daemon_running(setting.place("single"), subscription) as daemon:
        return saturate(daemon, deliveries)


def _fanned_out(setting: Setting) -> Cost:
    fan_out = setting.scale.fan_out_subscriptions
    # One connection each: a thousand subscribers are a thousand connections already.
    subscriptions = "".join(
        a_subscription(f"s{number}", setting.nginx.url, "concurrency = 1")
        for number in range(fan_out)
    )
    with daemon_running(setting.place("fan-out"), subscriptions) as daemon:
        events = setting.scale.fan_out_events
        return saturate(daemon, events, fan_out=fan_out, warm_up=_WARM_UP_EVENTS)
