"""One table of keys to one Subscription: what goes together, then the finished noun."""

from collections.abc import Iterator, Mapping
from itertools import chain

from msgspec import Struct, convert
from msgspec.structs import replace

from callpost.config.doors import DOOR, Door, following, senseless
from callpost.config.endpoints import Shared, endpoint
from callpost.config.faults import Spot
from callpost.config.filters import FILTER, check_filter
from callpost.config.retries import Retry, schedules
from callpost.config.rules import quoted
from callpost.model.endpoint import BodySignature, Endpoint, Timeouts
from callpost.model.schedule import Schedule, shortened
from callpost.model.subscription import Filter, Order, ResponseAction, Subscription
from callpost.model.vocabulary import KINDS_OF, Kind, Vocabulary


class Written(Struct, frozen=True, kw_only=True):
    """The values of one subscription, its preset's among them."""

    values: dict[str, object]
    preset: str = ""
    from_preset: frozenset[str] = frozenset()
    preset_is_built_in: bool = False


class Settings(Struct, frozen=True, kw_only=True):
    """The keys that are neither the primary's nor the filter's."""

    vocabulary: Vocabulary = "callpost"
    enabled: bool = True
    note: str = ""
    secrets: tuple[bytes, ...] = ()
    body_signature: BodySignature | None = None
    fallback: tuple[Door, ...] = ()
    status_callback: Door | None = None
    retry: Retry = "live"
    max_age_s: dict[Kind, float] = {}
    responses: dict[str, ResponseAction] = {}
    order: Order = "call"
    concurrency: int
    connect_timeout_s: float
    first_byte_timeout_s: float
    timeout_s: float


def compose(name: str, written: Written, spot: Spot) -> Subscription:
    """The subscription; where faults are reported it is not to be used."""
    written = _sensible(written, _senseless_at_primary(written), spot)
    written = _sensible(written, _senseless_at_all(written), spot)
    door, settings = _door(written), _settings(written)
    wanted = _wanted(written)
    schedule, cdr_schedule = _schedules(door, settings)
    endpoints, callback = _endpoints(door, settings)
    return Subscription(
        name=name,
        endpoints=endpoints,
        callback=callback,
        vocabulary=settings.vocabulary,
        filter=replace(wanted, events=wanted.events or KINDS_OF[settings.vocabulary]),
        enabled=settings.enabled,
        note=settings.note,
        schedule=schedule,
        cdr_schedule=cdr_schedule,
        responses=settings.responses,
        order=settings.order,
        concurrency=settings.concurrency,
    )


def check_wanted(written: Written, spot: Spot) -> None:
    """Report what contradicts itself in the filter, wherever the events would go."""
    check_filter(_wanted(written), _settings(written).vocabulary, spot)


def _sensible(written: Written, found: Iterator[tuple[str, str]], spot: Spot) -> Written:
    """Report what makes no sense, but drop in silence what a built-in preset brought along."""
    values = dict(written.values)
    for key, sentence in found:
        if key not in written.from_preset:
            spot.key(key).report("senseless", sentence)
        elif not written.preset_is_built_in:
            source = f"it comes from preset {quoted(written.preset)}"
            spot.key(key).report("senseless", f"{sentence}; {source}")
        values.pop(key, None)
    return replace(written, values=values)


def _senseless_at_primary(written: Written) -> Iterator[tuple[str, str]]:
    door = _door(written)
    yield from senseless(written.values, replace(door, method=door.method or "POSTJSON"))
    signature = _settings(written).body_signature
    taken = {name.lower() for name, _ in door.headers or ()}
    if signature and signature.header.lower() in taken:
        yield "body_signature", "its header stands in headers too"


def _senseless_at_all(written: Written) -> Iterator[tuple[str, str]]:
    settings = _settings(written)
    callback = (settings.status_callback,) if settings.status_callback else ()
    doors = tuple(chain((_door(written),), settings.fallback, callback))
    on_http = any(door.url.scheme in {"http", "https"} for door in doors)
    if settings.secrets and not on_http and not any(door.envelope for door in doors):
        yield "secrets", "sign HTTP requests and envelopes, and there are none here"
    if settings.responses and not on_http:
        yield "responses", "are of HTTP, and no endpoint here speaks it"


def _door(written: Written) -> Door:
    return convert(_some(written.values, DOOR), Door)


def _settings(written: Written) -> Settings:
    return convert(_some(written.values, Settings.__struct_fields__), Settings)


def _wanted(written: Written) -> Filter:
    return convert(_some(written.values, FILTER), Filter)


def _some(
    values: Mapping[str, object], keys: Mapping[str, object] | tuple[str, ...]
) -> dict[str, object]:
    return {key: value for key, value in values.items() if key in keys}


def _schedules(door: Door, settings: Settings) -> tuple[Schedule, Schedule]:
    live, cdr = schedules(settings.retry, settings.max_age_s)
    retries = door.url.overrides.retries
    if retries is None:
        return live, cdr
    return shortened(live, retries), shortened(cdr, retries)


def _endpoints(door: Door, settings: Settings) -> tuple[tuple[Endpoint, ...], Endpoint | None]:
    """The primary with its fallbacks, and the callback."""
    shared = Shared(
        timeouts=Timeouts(
            connect_s=settings.connect_timeout_s,
            first_byte_s=settings.first_byte_timeout_s,
            whole_s=settings.timeout_s,
        ),
        signing_keys=settings.secrets,
        body_signature=settings.body_signature,
    )
    primary = replace(door, method=door.method or "POSTJSON")
    fallbacks = (
        endpoint(following(other, primary), f"fallback-{number}", shared)
        for number, other in enumerate(settings.fallback, start=1)
    )
    callback = None
    if settings.status_callback is not None:
        callback = endpoint(following(settings.status_callback, primary), "callback", shared)
    return (endpoint(primary, "primary", shared), *fallbacks), callback
