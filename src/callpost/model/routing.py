"""Which subscriptions want an event, found through an index, not by asking every one.

A subscription is filed once for each of its kinds of events under its most selective exact
criterion; what the index finds is then asked in full.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Final, Literal, NamedTuple

from callpost.model.event import CallEvent
from callpost.model.mask import (
    dtmf_matcher,
    exact_extension,
    exact_number,
    extension_matcher,
    number_matcher,
    without_plus,
)
from callpost.model.subscription import Filter, Subscription
from callpost.model.vocabulary import DIRECTIONS_OF, KINDS_OF, Kind

Criterion = Literal["extension", "called", "caller", "customer"]
_Check = Callable[[CallEvent], bool]

# An end of a call has a cause; a filter on causes leaves the other kinds alone.
_ENDS: Final[frozenset[Kind]] = frozenset({"hangup", "cdr"})


# A drawer of the index, by what an event must show to find it: its kind, its customer ("" is for
# any), a criterion and the value there. A plain tuple, for an event makes a dozen of them.
_Key = tuple[Kind, str, Criterion, str]


class _Entry(NamedTuple):
    number: int
    subscription: Subscription
    checks: tuple[_Check, ...]


class Router:
    """The index over all subscriptions, each with its number; it is never changed, only replaced.

    A mask or pattern with a fault is a `ValueError`: the configuration was to refuse it.
    """

    def __init__(self, subscriptions: Iterable[tuple[int, Subscription]]) -> None:
        self._drawers: dict[_Key, list[_Entry]] = {}
        for number, subscription in subscriptions:
            entry = _Entry(number, subscription, tuple(_checks(subscription)))
            for key in _filed_under(subscription):
                self._drawers.setdefault(key, []).append(entry)

    def wanted_by(self, event: CallEvent) -> tuple[tuple[int, Subscription], ...]:
        """Every subscription that wants the event, with its number, in the order of numbers."""
        found: dict[int, Subscription] = {}
        for key in _asked_for(event):
            for number, subscription, checks in self._drawers.get(key, ()):
                if number not in found and all(check(event) for check in checks):
                    found[number] = subscription
        return tuple((number, found[number]) for number in sorted(found))


def _filed_under(subscription: Subscription) -> Iterator[_Key]:
    wanted = subscription.filter
    criterion, values = _most_selective(wanted)
    customer = "" if wanted.customer == "*" else wanted.customer
    for kind in _kinds(subscription):
        for value in values:
            yield kind, customer, criterion, value


def _kinds(subscription: Subscription) -> frozenset[Kind]:
    if not subscription.enabled:
        return frozenset()
    kinds = KINDS_OF[subscription.vocabulary]
    if subscription.filter.events:
        kinds &= subscription.filter.events
    if subscription.filter.dtmf:
        kinds &= {"dtmf"}
    return kinds


def _most_selective(wanted: Filter) -> tuple[Criterion, frozenset[str]]:
    """The first criterion that names its values; with a mask among them it names none."""
    choices: tuple[tuple[Criterion, tuple[str, ...], Callable[[str], str | None]], ...] = (
        ("extension", wanted.extension, exact_extension),
        ("called", wanted.called, exact_number),
        ("caller", wanted.caller, exact_number),
    )
    for criterion, texts, exact in choices:
        values = frozenset(value for text in texts if (value := exact(text)) is not None)
        if texts and all(exact(text) is not None for text in texts):
            return criterion, values
    return "customer", frozenset({""})


def _asked_for(event: CallEvent) -> Iterator[_Key]:
    """Every drawer in which a subscription that wants the event may lie."""
    values: set[tuple[Criterion, str]] = {("customer", "")}
    values.update(("extension", each) for each in _extensions(event))
    values.update(("called", without_plus(each)) for each in _called_numbers(event))
    if event.from_ is not None:
        values.add(("caller", without_plus(event.from_)))
    for customer in {"", event.customer or ""}:
        for criterion, value in values:
            yield event.event, customer, criterion, value


def _extensions(event: CallEvent) -> tuple[str, ...]:
    """All that may be an extension of ours: on the outer side of a call stands none."""
    outer = event.direction
    ends = (
        event.extension,
        event.answering_number,
        None if outer == "in" else event.from_,
        None if outer == "out" else event.to,
        *(event.user or ()),
    )
    return tuple(each for each in ends if each is not None)


def _called_numbers(event: CallEvent) -> tuple[str, ...]:
    called = (event.to, event.did, event.diversion)
    return tuple(each for each in called if each is not None)


def _checks(subscription: Subscription) -> Iterator[_Check]:
    """One question for each criterion that restricts; the kind is answered by the index."""
    wanted = subscription.filter
    customer = wanted.customer
    if customer not in {"", "*"}:
        yield lambda event: event.customer == customer
    sayable = DIRECTIONS_OF[subscription.vocabulary]
    yield lambda event: event.direction is None or event.direction in sayable
    if wanted.direction:
        yield lambda event: event.direction in wanted.direction
    if wanted.selection != "ALL":
        yield lambda event: event.network == wanted.selection
    if wanted.extension_type:
        yield lambda event: event.extension_type in wanted.extension_type
    if wanted.cause:
        yield lambda event: event.event not in _ENDS or event.cause in wanted.cause
    yield from _mask_checks(wanted)


def _mask_checks(wanted: Filter) -> Iterator[_Check]:
    if wanted.extension:
        is_extension = extension_matcher(wanted.extension)
        yield lambda event: any(map(is_extension, _extensions(event)))
    if wanted.called:
        is_called = number_matcher(wanted.called)
        yield lambda event: any(map(is_called, _called_numbers(event)))
    if wanted.caller:
        is_caller = number_matcher(wanted.caller)
        yield lambda event: event.from_ is not None and is_caller(event.from_)
    if wanted.dtmf:
        are_digits = dtmf_matcher(wanted.dtmf)
        yield lambda event: event.dtmf is not None and are_digits(event.dtmf)
