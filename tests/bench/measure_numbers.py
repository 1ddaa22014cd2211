"""What it costs to read numbers as a country's: where events are routed, and as they are written.

Timed in this very process, by its CPU clock: events whose numbers were never seen before, and the
same events again.
"""

import time
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from bench.daemons import a_subscription
from bench.findings import CannotMeasure, Findings, Row, Tally
from bench.setting import Setting
from callpost.config import Source, parse
from callpost.model.event import CallEvent, encode
from callpost.model.numbers import Numbers
from callpost.model.routing import Router
from callpost.model.subscription import Subscription
from callpost.model.tailor import tailor_of

# As many callers as are remembered, and fewer: on another day there are others.
_CALLERS: Final = 10_000
# A look-up is the dear part, and it must not be one for each event.
_CACHED_US: Final = 2
_Item = TypeVar("_Item")


def measure(setting: Setting) -> Findings:
    """Routing by masks, and content in another form; medians of the runs."""
    tally = Tally()
    for run in range(1, setting.scale.runs + 1):
        setting.say(f"run {run} of {setting.scale.runs}: {_CALLERS:,} callers")
        tally.add(**_routing())
        tally.add(**_writing())
    return Findings(rows=_rows(tally), runs=tally.runs)


def _routing() -> dict[str, float]:
    """Per event, which a mask on `to` and one on `from` are compared with."""
    one = (1, _subscription('called = ["+4570305050"]', 'caller = ["+45*"]'))
    plain, read = Router([one]), Router([one], compared=Numbers("DK").compared)
    national = _events("", "70305050")
    figures = {
        "routing_plain_us": _each_us(plain.wanted_by, _events("+45", "+4570305050")),
        "routing_new_us": _each_us(read.wanted_by, national),
        "routing_known_us": _each_us(read.wanted_by, national),
    }
    if not all(map(read.wanted_by, national)):
        raise CannotMeasure("A national number was not read as one.")
    return figures


def _writing() -> dict[str, float]:
    """Per delivery, whose two numbers are written as national ones."""
    tailor = tailor_of(_subscription('number_format = "national"'), Numbers("DK"))
    if tailor is None:
        raise CannotMeasure("Nothing was to be done to the numbers.")
    bodies = [encode(event) for event in _events("+45", "+4570305050")]
    return {
        "writing_new_us": _each_us(tailor, bodies),
        "writing_known_us": _each_us(tailor, bodies),
    }


def _events(prefix: str, called: str) -> list[CallEvent]:
    return [
        CallEvent(
            event="newCall",
            call_id=f"c{place}",
            from_=f"{prefix}{26_000_000 + place}",
            to=called,
            direction="in",
        )
        for place in range(_CALLERS)
    ]


def _subscription(*keys: str) -> Subscription:
    text = a_subscription("crm", "http://127.0.0.1:9/", *keys)
    config = parse(
        [Source("bench.toml", text.encode())],
        secret=lambda _directory, _name: "",
        environment={},
    )
    [subscription] = config.subscriptions
    return subscription


def _each_us(work: Callable[[_Item], object], items: Sequence[_Item]) -> float:
    began_s = time.process_time()
    for item in items:
        work(item)
    return (time.process_time() - began_s) * 1e6 / len(items)


def _rows(tally: Tally) -> tuple[Row, ...]:
    plain, known = tally.median("routing_plain_us"), tally.median("routing_known_us")
    written = tally.median("writing_known_us")
    return (
        Row(
            what="Numbers of a country: routing by masks on both ends, per event",
            goal=f"at most {_CACHED_US} µs more where the numbers are known",
            measured=f"{known:.1f} µs known, {tally.median('routing_new_us'):.0f} µs new;"
            f" {plain:.1f} µs without a country",
            met=known - plain <= _CACHED_US,
        ),
        Row(
            what="Numbers in another form: content with both written anew, per delivery",
            goal="-",
            measured=f"{written:.1f} µs known, {tally.median('writing_new_us'):.0f} µs new",
            met=None,
        ),
    )
