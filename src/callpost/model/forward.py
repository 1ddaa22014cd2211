"""Forward rules: whose calls also concern somebody else, and what their events say of it.

A rule counts within its own customer only: one without a customer for the events that name
none, one of `*` for all. Loops are harmless, and what a rule reaches has an end.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from callpost.model.event import CallEvent
from callpost.model.mask import without_plus

# A rule whose target has a rule of its own leads on, so often at most.
DEPTH_MAX: Final = 8
# A group that rings; more is a mistake.
TARGETS_MAX: Final = 100
# What one event may be matched as, over all rules that it meets: each costs a look at the index.
REACH_MAX: Final = 500
# What they have together is held against the masks of everybody who listens.
REACH_MAX_CHARS: Final = 16_384
# An integer of JSON that every reader keeps exact.
LINK_ID_MAX: Final = 2**53 - 1
# The customer of a rule that is anybody's on purpose.
_ANYBODY: Final = "*"

Compared = Callable[[str], str]


class Forward(Struct, frozen=True, kw_only=True):
    """Calls to `number` are calls to each target in `to` as well."""

    number: str
    to: tuple[str, ...]
    customer: str = ""
    link_id: int | None = None


class Forwarded(Struct, frozen=True):
    """An event with what a rule makes it say, and as what it is to be matched besides."""

    event: CallEvent
    also: tuple[CallEvent, ...]


class Forwards:
    """Looks up the rules for events; it is never changed, only replaced.

    `compared` gives the form in which numbers are compared, as for the Router.
    """

    def __init__(self, rules: Iterable[Forward], *, compared: Compared = without_plus) -> None:
        self._compared = compared
        self._rules = {(rule.customer, compared(rule.number)): rule for rule in rules}

    def forwarded(self, event: CallEvent) -> Forwarded | None:
        """The event as rules have it; None where none is about it."""
        customer = event.customer or ""
        called = [each for each in (event.to, event.did, event.extension) if each is not None]
        met = [rule for each in called for rule in self._of(customer, each)]
        if not met:
            return None
        event = _carrying(event, met[0])
        also = tuple(
            replace(event, to=target, extension=target)
            for target in self._reached(customer, met, besides=called)
        )
        return Forwarded(event, also)

    def _of(self, customer: str, number: str) -> Iterator[Forward]:
        key = self._compared(number)
        for owner in (customer, _ANYBODY):
            if (rule := self._rules.get((owner, key))) is not None:
                yield rule

    def _reached(
        self, customer: str, met: Sequence[Forward], *, besides: Iterable[str]
    ) -> list[str]:
        """The targets of these rules, of their targets' rules, and so on, each once, near first."""
        seen = set(map(self._compared, besides))
        reached: list[str] = []
        rules = list(met)
        for _ in range(DEPTH_MAX):
            fresh: list[str] = []
            for target in (target for rule in rules for target in rule.to):
                if (key := self._compared(target)) not in seen:
                    seen.add(key)
                    fresh.append(target)
            reached += fresh
            rules = [rule for target in fresh for rule in self._of(customer, target)]
            if not rules or len(reached) >= REACH_MAX:
                break
        sizes = accumulate(map(len, reached[:REACH_MAX]))
        return [
            target for target, size in zip(reached, sizes, strict=False) if size <= REACH_MAX_CHARS
        ]


def _carrying(event: CallEvent, rule: Forward) -> CallEvent:
    """The event with the rule's `linkId` and the number it was for, unless it says its own."""
    link_id = rule.link_id if event.link_id is None else event.link_id
    return replace(event, link_id=link_id, diversion=event.diversion or rule.number)
