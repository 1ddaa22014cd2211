"""One table of keys to one Subscription: what goes together, then the finished noun."""

from typing import Final

from msgspec.structs import replace

from callpost.config.endpoints import Shared, endpoint
from callpost.config.faults import Spot
from callpost.config.filters import check_filter
from callpost.config.retries import schedules
from callpost.config.rules import quoted
from callpost.config.senseless import Found, senseless_at_primary, senseless_together
from callpost.config.written import Settings, Written
from callpost.model.endpoint import Endpoint, Timeouts
from callpost.model.schedule import Schedule, shortened
from callpost.model.subscription import Ended, Subscription
from callpost.model.vocabulary import KINDS_OF

# Python has no single empty set of this kind; each takes 200 bytes.
_NEVER: Final[frozenset[Ended]] = frozenset()


def compose(name: str, written: Written, spot: Spot, *, strict: bool = False) -> Subscription:
    """The subscription; where faults are reported it is not to be used.

    `strict` makes its endpoints those of a stranger.
    """
    written = _sensible(written, senseless_at_primary(written), spot)
    written = _sensible(written, senseless_together(written), spot)
    settings, wanted = written.settings(), written.filter()
    schedule, cdr_schedule = _schedules(written, settings)
    endpoints = _endpoints(written, settings, strict=strict)
    callback, report = endpoints.pop("callback", None), endpoints.pop("report", None)
    return Subscription(
        name=name,
        endpoints=tuple(endpoints.values()),
        callback=callback,
        # Whatever its method, a report has all its fields, as an event has at level 2.
        report=report and replace(report, level=2),
        report_on=settings.delivery_report.on if settings.delivery_report else _NEVER,
        vocabulary=settings.vocabulary,
        filter=replace(wanted, events=wanted.events or KINDS_OF[settings.vocabulary]),
        enabled=settings.enabled,
        note=settings.note,
        schedule=schedule,
        cdr_schedule=cdr_schedule,
        responses=settings.responses,
        stale=settings.stale,
        after_gap=settings.after_gap,
        order=settings.order,
        rate_per_s=settings.rate_per_s,
        omit=settings.omit,
        number_format=settings.number_format,
        concurrency=settings.concurrency,
    )


def check_wanted(written: Written, spot: Spot) -> None:
    """Report what contradicts itself in the filter, wherever the events would go."""
    check_filter(written.filter(), written.settings().vocabulary, spot)


def _sensible(written: Written, found: Found, spot: Spot) -> Written:
    """Report what makes no sense, but drop in silence what a built-in preset brought along."""
    values = dict(written.values)
    for path, sentence in found:
        key = path[0]
        if key not in written.from_preset:
            spot.at(path).report("senseless", sentence)
        elif not written.preset_is_built_in:
            source = f"it comes from preset {quoted(written.preset)}"
            spot.at(path).report("senseless", f"{sentence}; {source}")
        values.pop(str(key), None)
    return replace(written, values=values)


def _schedules(written: Written, settings: Settings) -> tuple[Schedule, Schedule]:
    live, cdr = schedules(settings.retry, settings.max_age_s)
    retries = written.primary().url.overrides.retries
    if retries is None:
        return live, cdr
    return shortened(live, retries), shortened(cdr, retries)


def _endpoints(written: Written, settings: Settings, *, strict: bool) -> dict[str, Endpoint]:
    """All endpoints by their places, in the order in which they are tried."""
    shared = Shared(
        timeouts=Timeouts(
            connect_s=settings.connect_timeout_s,
            first_byte_s=settings.first_byte_timeout_s,
            whole_s=settings.timeout_s,
        ),
        signing_keys=settings.secrets,
        body_signature=settings.body_signature,
        strict=strict,
    )
    return {place: endpoint(door, place, shared) for place, door in written.doors()}
