"""Keys of a subscription that cannot mean anything beside its others, each with the reason.

A key that would be passed over in silence is a mistake of its writer, so it is a fault.
"""

from collections.abc import Iterator
from typing import Final

from callpost.config.doors import GET_METHODS, Door, senseless, senseless_with
from callpost.config.filters import matching_kinds
from callpost.config.written import KeyPath, Written
from callpost.model.vocabulary import Kind

Found = Iterator[tuple[KeyPath, str]]

_ENDS: Final[frozenset[Kind]] = frozenset({"hangup", "cdr"})


def senseless_at_primary(written: Written) -> Found:
    """What the primary's own transport and method cannot use."""
    for key, sentence in senseless(written.values, written.primary()):
        yield (key,), sentence


def senseless_together(written: Written) -> Found:
    """What no single door shows."""
    yield from _senseless_with_inherited_method(written)
    yield from _used_by_no_door(written)
    yield from _signature_hidden(written)
    yield from _without_effect(written)


def _senseless_with_inherited_method(written: Written) -> Found:
    """A fallback's keys beside the method that it takes over."""
    method = written.primary().method
    for path, _, door in written.others():
        if method and not door.method:
            for key, sentence in senseless_with(method, door):
                yield (*path, key), sentence


def _used_by_no_door(written: Written) -> Found:
    settings = written.settings()
    doors = dict(written.doors())
    if settings.secrets and not any(door.is_http or door.envelope for door in doors.values()):
        yield ("secrets",), "sign HTTP requests and envelopes, and there are none here"
    if settings.body_signature and not any(map(_has_body, doors.values())):
        yield ("body_signature",), "signs the bodies of HTTP requests, and there are none here"
    of_events = (door for place, door in doors.items() if place != "report")
    if settings.responses and not any(door.is_http for door in of_events):
        yield ("responses",), "are of HTTP, and no endpoint here speaks it"


def _signature_hidden(written: Written) -> Found:
    """One header cannot hold two things."""
    signature = written.settings().body_signature
    name = signature.header.lower() if signature else ""
    for place, door in written.doors() if name else ():
        if not _has_body(door):
            continue
        if name in {other.lower() for other, _ in door.headers or ()}:
            yield ("body_signature",), f"its header stands in the headers of {place} too"
        elif name == "authorization" and (door.auth or door.url.auth):
            yield ("body_signature",), f"its header is where {place} has its auth"


def _has_body(door: Door) -> bool:
    return door.is_http and door.method not in GET_METHODS


def _without_effect(written: Written) -> Found:
    """What the order or the choice of events leaves nothing to do."""
    settings = written.settings()
    kinds = matching_kinds(written.filter(), settings.vocabulary)
    if settings.after_gap == "skip_call" and settings.order == "none":
        sentence = 'skip_call makes no sense with order = "none": there is no rest of the call'
        yield ("after_gap",), sentence
    if settings.stale == "skip" and ("hangup" not in kinds or kinds <= _ENDS):
        yield ("stale",), "skip needs hangup among the events, and one that comes before it"
    if settings.status_callback and "newCall" not in kinds:
        yield ("status_callback",), "leaves newCall to the url, and newCall is not wanted here"
    elif settings.status_callback and kinds == {"newCall"}:
        yield ("status_callback",), "gets what follows newCall, and nothing of that is wanted here"
