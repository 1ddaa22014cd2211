"""Which subscriptions want an event, found through an index, not by asking every one.

A subscription is filed once, under its most selective exact criterion and its customer; what
the index finds is then asked for all that the index cannot answer.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Final, Literal, NamedTuple

from callpost.model.event import CallEvent
from callpost.model.flow import flow_of
from callpost.model.mask import (
    dtmf_matcher,
    exact_extension,
    exact_number,
    extension_matcher,
    number_matcher,
    without_plus,
)
from callpost.model.subscription import Filter, Subscription
from callpost.model.vocabulary import DIRECTIONS, DIRECTIONS_OF, KINDS_OF, Kind

_Criterion = Literal["extension", "called", "caller"]
_Check = Callable[[CallEvent], bool]
_Texts = tuple[str, ...]

# An end of a call has a cause; a filter on causes leaves the other kinds alone.
_ENDS: Final[frozenset[Kind]] = frozenset({"hangup", "cdr"})
# Masks are held against so many users of an event: a producer may name thousands of them.
_USERS_MASKED: Final = 100


class _Entry(NamedTuple):
    """A subscription in the index; `checks` are what is left to be asked about an event."""

    number: int
    subscription: Subscription
    kinds: frozenset[Kind]
    checks: tuple[_Check, ...]


class _Filed(NamedTuple):
    """An entry, and where it lies: under these values of a criterion."""

    entry: _Entry
    criterion: _Criterion | None
    values: frozenset[str]


# What lies in one drawer, by customer; under "" are those that want the events of any.
_Drawer = dict[str, list[_Entry]]


class Router:
    """The index over all subscriptions, each with its number; it is never changed, only replaced.

    `compared` gives the form in which numbers are compared: without `+`, or as Numbers has it.
    What is as it was in the index `before` is taken over: to compile the masks of five thousand
    subscriptions takes most of a second. A mask or pattern with a fault is a `ValueError`: the
    configuration was to refuse it.
    """

    def __init__(
        self,
        subscriptions: Iterable[tuple[int, Subscription]],
        *,
        compared: Callable[[str], str] = without_plus,
        before: "Router | None" = None,
    ) -> None:
        self._compared = compared
        self._filed: dict[int, _Filed] = {}
        # The drawers by the value that a criterion names. Those who name none lie together by
        # the kinds that they want, of which there are few different sets.
        self._by_extension: dict[str, _Drawer] = {}
        self._by_called: dict[str, _Drawer] = {}
        self._by_caller: dict[str, _Drawer] = {}
        self._by_kinds: dict[frozenset[Kind], _Drawer] = {}
        for number, subscription in subscriptions:
            if subscription.enabled:
                known = before.filed(number, subscription, compared) if before else None
                self._file(known or self._entered(number, subscription))

    def filed(
        self, number: int, subscription: Subscription, compared: Callable[[str], str]
    ) -> _Filed | None:
        """What this index has of a subscription that is still as it was."""
        known = self._filed.get(number)
        is_same = known is not None and known.entry.subscription == subscription
        return known if is_same and compared == self._compared else None

    def wanted_by(self, event: CallEvent) -> tuple[tuple[int, Subscription], ...]:
        """Every subscription that wants the event, with its number, in the order of numbers."""
        kind = event.event
        customers = ("", event.customer) if event.customer else ("",)
        found = {
            number: subscription
            for drawer in self._pointed_at(event)
            for customer in customers
            for number, subscription, kinds, checks in drawer.get(customer, ())
            if kind in kinds and (not checks or all(check(event) for check in checks))
        }
        return tuple(sorted(found.items()) if len(found) > 1 else found.items())

    def _pointed_at(self, event: CallEvent) -> list[_Drawer]:
        """Every drawer in which a subscription that wants the event may lie.

        A criterion that nobody is filed under costs an event nothing.
        """
        kind, caller = event.event, event.from_
        pointed_at = [drawer for kinds, drawer in self._by_kinds.items() if kind in kinds]
        if self._by_extension:
            pointed_at += _present(self._by_extension, _extensions(event))
        if self._by_called:
            pointed_at += _present(self._by_called, map(self._compared, _called_numbers(event)))
        if self._by_caller and caller is not None:
            pointed_at += _present(self._by_caller, (self._compared(caller),))
        return pointed_at

    def _entered(self, number: int, subscription: Subscription) -> _Filed:
        """What an index has of a subscription."""
        wanted = subscription.filter
        criterion, values = _most_selective(wanted)
        if criterion in {"called", "caller"}:
            values = frozenset(map(self._compared, values))
        checks = tuple(_checks(subscription, criterion, self._compared))
        entry = _Entry(number, subscription, _kinds(subscription), checks)
        return _Filed(entry, criterion, values)

    def _file(self, filed: _Filed) -> None:
        entry = filed.entry
        self._filed[entry.number] = filed
        wanted = entry.subscription.filter
        customer = "" if wanted.customer == "*" else wanted.customer
        for drawer in self._drawers(filed.criterion, filed.values, entry.kinds):
            drawer.setdefault(customer, []).append(entry)

    def _drawers(
        self, criterion: _Criterion | None, values: frozenset[str], kinds: frozenset[Kind]
    ) -> list[_Drawer]:
        """The drawers for one subscription, made where they are missing."""
        match criterion:
            case "extension":
                return [self._by_extension.setdefault(value, {}) for value in values]
            case "called":
                return [self._by_called.setdefault(value, {}) for value in values]
            case "caller":
                return [self._by_caller.setdefault(value, {}) for value in values]
            case None:
                return [self._by_kinds.setdefault(kinds, {})]


def _present(drawers: dict[str, _Drawer], values: Iterable[str]) -> list[_Drawer]:
    return [drawers[value] for value in values if value in drawers]


def _kinds(subscription: Subscription) -> frozenset[Kind]:
    kinds = KINDS_OF[subscription.vocabulary]
    wanted = subscription.filter.events
    if wanted and not kinds <= wanted:
        # One of these sets takes 700 bytes: no copy where it would be the same.
        kinds = wanted if wanted <= kinds else kinds & wanted
    if subscription.filter.dtmf:
        kinds &= {"dtmf"}
    return kinds


def _most_selective(wanted: Filter) -> tuple[_Criterion | None, frozenset[str]]:
    """The first criterion that names its values; with a mask among them it names none."""
    choices: tuple[tuple[_Criterion, tuple[str, ...], Callable[[str], str | None]], ...] = (
        ("extension", wanted.extension, exact_extension),
        ("called", wanted.called, exact_number),
        ("caller", wanted.caller, exact_number),
    )
    for criterion, texts, exact in choices:
        values = frozenset(value for text in texts if (value := exact(text)) is not None)
        if not all(map(without_plus, values)):
            raise ValueError(f"An entry of `{criterion}` is empty.")
        if texts and all(exact(text) is not None for text in texts):
            return criterion, values
    return None, frozenset()


def _extensions(event: CallEvent) -> list[str]:
    """All that may be an extension of ours: on the outer side of a call stands none."""
    return [*_called_extensions(event), *_other_extensions(event), *(event.user or ())]


def _called_extensions(event: CallEvent) -> list[str]:
    """Those that a forward rule has in another way."""
    ends = (event.extension, None if event.direction == "out" else event.to)
    return [each for each in ends if each is not None]


def _other_extensions(event: CallEvent) -> list[str]:
    ends = (event.answering_number, None if event.direction == "in" else event.from_)
    return [each for each in ends if each is not None]


def _called_numbers(event: CallEvent) -> list[str]:
    return [*(() if event.to is None else (event.to,)), *_other_numbers(event)]


def _other_numbers(event: CallEvent) -> tuple[str, ...]:
    return tuple(each for each in (event.did, event.diversion) if each is not None)


def _checks(
    subscription: Subscription, answered: _Criterion | None, compared: Callable[[str], str]
) -> Iterator[_Check]:
    """One question for each criterion that restricts.

    Customer, kind and the criterion that the subscription is filed under are answered by then.
    """
    wanted = subscription.filter
    sayable = DIRECTIONS_OF[subscription.vocabulary]
    if len(sayable) < len(DIRECTIONS):
        # Digits are told without a direction there; all else is refused for the lack of it.
        yield (
            lambda event: (
                event.direction in sayable or (event.direction is None and event.event == "dtmf")
            )
        )
    if wanted.direction:
        yield lambda event: event.direction in wanted.direction
    if wanted.flow:
        viewed_from = wanted.viewed_from
        yield lambda event: flow_of(event, viewed_from) in wanted.flow
    if wanted.selection != "ALL":
        yield lambda event: event.network == wanted.selection
    if wanted.extension_type:
        yield lambda event: event.extension_type in wanted.extension_type
    if wanted.cause:
        yield lambda event: event.event not in _ENDS or event.cause in wanted.cause
    yield from _mask_checks(wanted, answered, compared)


def _remembered(answer: Callable[[_Texts], bool]) -> Callable[[_Texts], bool]:
    """The same answer without asking again: what a forward rule adds to an event has the rest."""
    last: tuple[_Texts, bool] | None = None

    def remembered(texts: _Texts) -> bool:
        nonlocal last
        if last is None or last[0] != texts:
            last = texts, answer(texts)
        return last[1]

    return remembered


def _mask_checks(
    wanted: Filter, answered: _Criterion | None, compared: Callable[[str], str]
) -> Iterator[_Check]:
    if wanted.extension and answered != "extension":
        is_extension = extension_matcher(wanted.extension)
        is_other = _remembered(lambda texts: any(map(is_extension, texts)))
        yield (
            lambda event: (
                any(map(is_extension, _called_extensions(event)))
                or is_other((*_other_extensions(event), *(event.user or ())[:_USERS_MASKED]))
            )
        )
    if wanted.called and answered != "called":
        is_called = number_matcher(wanted.called, compared)
        was_called = _remembered(lambda texts: any(map(is_called, texts)))
        yield (
            lambda event: (
                (event.to is not None and is_called(event.to)) or was_called(_other_numbers(event))
            )
        )
    if wanted.caller and answered != "caller":
        is_caller = number_matcher(wanted.caller, compared)
        yield lambda event: event.from_ is not None and is_caller(event.from_)
    if wanted.dtmf:
        are_digits = dtmf_matcher(wanted.dtmf)
        yield lambda event: event.dtmf is not None and are_digits(event.dtmf)
