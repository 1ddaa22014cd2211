"""By which settings two subscriptions differ, in the words of the file; values are not told."""

from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import fields

from callpost.model.endpoint import Endpoint
from callpost.model.subscription import Subscription

# Where the file's word is another than the program's; "" is nothing that the file could set.
_WRITTEN: Final = {
    "place": "",
    "scheme": "url",
    "host": "url",
    "port": "url",
    "target": "url",
    "retried": "url",
    "signing_keys": "secrets",
    "connect_s": "connect_timeout_s",
    "first_byte_s": "first_byte_timeout_s",
    "whole_s": "timeout_s",
    "callback": "status_callback",
    "report": "delivery_report",
    "report_on": "delivery_report",
    "schedule": "retry",
    "cdr_schedule": "retry",
}
# Whose own fields are settings of the subscription.
_OPENED: Final = frozenset({"filter", "timeouts"})


def changed_settings(before: Subscription, after: Subscription) -> tuple[str, ...]:
    """The names of the settings that differ, each once, as they come in the file.

    What a fallback, a callback or a report's endpoint has taken over from the primary is told
    of the primary alone.
    """
    return tuple(dict.fromkeys(_changed(before, after)))


def _changed(before: Subscription, after: Subscription) -> Iterator[str]:
    primary = set(_changed_fields(before.endpoints[0], after.endpoints[0]))
    yield from _changed_fields(before.endpoints[0], after.endpoints[0])
    if _others_differ(before.endpoints[1:], after.endpoints[1:], primary):
        yield "fallback"
    if _others_differ(_all(before.callback), _all(after.callback), primary):
        yield "status_callback"
    if _others_differ(_all(before.report), _all(after.report), primary):
        yield "delivery_report"
    ages = before.schedule.max_age_s, after.schedule.max_age_s
    if ages[0] != ages[1]:
        yield "max_age_s"
    for name in _changed_fields(before, after):
        if name == "retry" and not _pauses_differ(before, after):
            continue
        if name not in {"endpoints", "status_callback", "delivery_report"}:
            yield name
    if before.report_on != after.report_on:
        yield "delivery_report"


def _changed_fields(before: Struct, after: Struct) -> Iterator[str]:
    if type(before) is not type(after):
        yield "url"
        return
    for field in fields(type(before)):
        old, new = getattr(before, field.name), getattr(after, field.name)
        if old == new:
            continue
        if field.name in _OPENED:
            yield from _changed_fields(old, new)
        elif name := _WRITTEN.get(field.name, field.name):
            yield name


def _others_differ(
    before: Sequence[Endpoint], after: Sequence[Endpoint], primary: set[str]
) -> bool:
    if len(before) != len(after):
        return True
    pairs = zip(before, after, strict=True)
    return any(set(_changed_fields(old, new)) - (primary - {"url"}) for old, new in pairs)


def _all(endpoint: Endpoint | None) -> Sequence[Endpoint]:
    return () if endpoint is None else (endpoint,)


def _pauses_differ(before: Subscription, after: Subscription) -> bool:
    """Whether more than the ages of the schedules differ."""
    for old, new in (
        (before.schedule, after.schedule),
        (before.cdr_schedule, after.cdr_schedule),
    ):
        for field in fields(type(old)):
            if field.name != "max_age_s" and getattr(old, field.name) != getattr(new, field.name):
                return True
    return False
