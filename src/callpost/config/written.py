"""One subscription as written: its values, and what they are to the program.

The keys fall into three groups: the primary's door, the filter, and all the others, which are
the settings.
"""

from collections.abc import Container, Iterator, Mapping

from msgspec import Struct, convert
from msgspec.structs import replace

from callpost.config.doors import DOOR, Door, following
from callpost.config.filters import FILTER
from callpost.config.reports import ReportDoor, following_report
from callpost.config.retries import Retry
from callpost.model.endpoint import BodySignature
from callpost.model.numbers import NumberFormat
from callpost.model.subscription import AfterGap, Filter, Order, ResponseAction, Stale
from callpost.model.vocabulary import Kind, Vocabulary

# The keys and the numbers of items on the way to a value, as in fallback[1].level.
KeyPath = tuple[str | int, ...]


class Settings(Struct, frozen=True, kw_only=True):
    """The keys that are neither the primary's nor the filter's."""

    vocabulary: Vocabulary = "callpost"
    enabled: bool = True
    note: str = ""
    secrets: tuple[bytes, ...] = ()
    body_signature: BodySignature | None = None
    fallback: tuple[Door, ...] = ()
    status_callback: Door | None = None
    delivery_report: ReportDoor | None = None
    retry: Retry = "live"
    max_age_s: dict[Kind, float] = {}
    stale: Stale = "deliver"
    after_gap: AfterGap = "continue"
    responses: dict[str, ResponseAction] = {}
    order: Order = "call"
    rate_per_s: float = 0.0
    omit: frozenset[str] = frozenset()
    number_format: NumberFormat = "received"
    concurrency: int
    connect_timeout_s: float
    first_byte_timeout_s: float
    timeout_s: float


class Written(Struct, frozen=True, kw_only=True):
    """The values of one subscription, its preset's among them."""

    values: dict[str, object]
    preset: str = ""
    from_preset: frozenset[str] = frozenset()
    preset_is_built_in: bool = False

    def primary(self) -> Door:
        """The primary's door; without a method of its own it speaks POSTJSON."""
        door = convert(_some(self.values, DOOR), Door)
        return replace(door, method=door.method or "POSTJSON")

    def settings(self) -> Settings:
        """The settings, defaults among them."""
        return convert(_some(self.values, Settings.__struct_fields__), Settings)

    def filter(self) -> Filter:
        """What is wanted; without `events` it names no kind."""
        return convert(_some(self.values, FILTER), Filter)

    def others(self) -> Iterator[tuple[KeyPath, str, Door]]:
        """The fallbacks and the callback as written, each with its path and its place."""
        settings = self.settings()
        for number, door in enumerate(settings.fallback, start=1):
            yield ("fallback", number), f"fallback-{number}", door
        if settings.status_callback is not None:
            yield ("status_callback",), "callback", settings.status_callback

    def doors(self) -> Iterator[tuple[str, Door]]:
        """All doors by their places, with what they take over from the primary."""
        primary = self.primary()
        yield "primary", primary
        yield from ((place, following(door, primary)) for _, place, door in self.others())
        report = self.settings().delivery_report
        if report is not None:
            yield "report", following_report(report, primary)


def _some(values: Mapping[str, object], keys: Container[str]) -> dict[str, object]:
    return {key: value for key, value in values.items() if key in keys}
