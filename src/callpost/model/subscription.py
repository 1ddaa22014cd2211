"""A subscription: what it wants, where it goes, how it is treated.

It is complete: presets, defaults, credentials and overrides are already in it.
"""

from typing import Literal

from msgspec import Struct

from callpost.model.card import Dialect
from callpost.model.endpoint import Endpoint
from callpost.model.mask import exact_extension
from callpost.model.numbers import NumberFormat
from callpost.model.schedule import Schedule
from callpost.model.vocabulary import (
    Cause,
    Direction,
    ExtensionType,
    Flow,
    Kind,
    Selection,
    Vocabulary,
)

Order = Literal["call", "subscription", "none"]
Stale = Literal["deliver", "skip"]
AfterGap = Literal["continue", "skip_call"]
Ended = Literal["delivered", "dead"]
ResponseAction = Literal["deliver", "retry", "refuse", "reject", "gone"]


class Filter(Struct, frozen=True, kw_only=True):
    """Which events are wanted; an empty tuple or set does not restrict.

    `customer` "" and "*" mean any. `extension` entries are exact unless they begin with `mask:`.
    `flow` is seen from the exact ones. With `dtmf` patterns only `dtmf` events match. `cause`
    restricts hangup and cdr only.
    """

    selection: Selection = "ALL"
    events: frozenset[Kind] = frozenset()
    direction: frozenset[Direction] = frozenset()
    flow: frozenset[Flow] = frozenset()
    customer: str = ""
    caller: tuple[str, ...] = ()
    called: tuple[str, ...] = ()
    extension: tuple[str, ...] = ()
    extension_type: frozenset[ExtensionType] = frozenset()
    dtmf: tuple[str, ...] = ()
    cause: frozenset[Cause] = frozenset()

    @property
    def viewed_from(self) -> tuple[str, ...]:
        """The exact extensions, for those who see a call from one of its ends."""
        return tuple(one for one in self.extension if exact_extension(one) is not None)


class Subscription(Struct, frozen=True, kw_only=True):
    """`endpoints` are the primary and its fallbacks in order; `responses` maps "409" or "4xx".

    `rate_per_s` 0 is no limit. `report` is where delivery reports go, about what is in
    `report_on`. `omit` has the wire names of fields that this subscriber never gets. `origin` is
    "file", or the dialect in which it was made over the API.
    """

    name: str
    origin: Literal["file"] | Dialect = "file"
    endpoints: tuple[Endpoint, ...]
    callback: Endpoint | None = None
    vocabulary: Vocabulary = "callpost"
    filter: Filter = Filter()
    enabled: bool = True
    note: str = ""
    schedule: Schedule
    cdr_schedule: Schedule
    responses: dict[str, ResponseAction] = {}
    order: Order = "call"
    concurrency: int = 8
    rate_per_s: float = 0.0
    stale: Stale = "deliver"
    after_gap: AfterGap = "continue"
    omit: frozenset[str] = frozenset()
    number_format: NumberFormat = "received"
    report: Endpoint | None = None
    report_on: frozenset[Ended] = frozenset()

    @property
    def tenant(self) -> str:
        """Whose share it takes of what all have together: its customer's, without one its own."""
        customer = self.filter.customer
        is_nobodys = customer in {"", "*"}
        return f"subscription {self.name}" if is_nobodys else f"customer {customer}"

    @property
    def routes(self) -> tuple[tuple[Endpoint, ...], ...]:
        """What a delivery tries in turn: new calls one way, the later states perhaps another."""
        return (self.endpoints,) if self.callback is None else (self.endpoints, (self.callback,))

    def schedule_of(self, kind: Kind) -> Schedule:
        """The schedule for one kind of event: a `cdr` has its own, far more patient one."""
        return self.cdr_schedule if kind == "cdr" else self.schedule

    def endpoints_for(self, kind: Kind) -> tuple[Endpoint, ...]:
        """The doors to try in order: with a status callback only `newCall` goes to the primary."""
        return self.endpoints if kind == "newCall" else self.routes[-1]
