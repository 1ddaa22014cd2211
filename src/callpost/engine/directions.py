"""Which way a call goes, for those of its events whose producer did not say it again.

Many a switch tells the direction, and who calls, at the beginning only. The spool knows of every
event that it keeps; what is on its way there is remembered here. What a producer says is never
overwritten.
"""

from typing import Final, Generic, TypeVar

from callpost.engine.ports import Spool
from callpost.model.event import CallEvent, with_direction, with_from
from callpost.model.vocabulary import Direction

# Calls of a generation, the younger of two: see `answers`. All live calls of most switches, so
# that the disk is asked once for a call and not once for an event.
_GENERATION: Final = 8_192

_Call = tuple[str, str, str]
_Value = TypeVar("_Value")


class Directions:
    """Remembers the latest calls; None of a call that has not said it."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._directions = _Memory[Direction]()
        self._callers = _Memory[str]()

    def complete(self, event: CallEvent) -> CallEvent:
        """Fill in what the call's earlier events say of its way; raises SpoolUnreadable.

        It is what the call's latest newCall says; if that is silent, what the first says that is
        not. A newCall begins a call, so that for it nothing is looked up. Who calls is filled in
        where the direction does not say from which end the call is made.
        """
        call = (event.customer or "", event.source or "", event.call_id)
        direction = self._told(self._directions, call, event.direction, event)
        if direction is not event.direction and direction is not None:
            event = with_direction(event, direction=direction)
        if direction in {"in", "out"}:
            return event
        from_ = self._told(self._callers, call, event.from_, event)
        return event if event.from_ or from_ is None else with_from(event, from_=from_)

    def _told(
        self, memory: "_Memory[_Value]", call: _Call, said: _Value | None, event: CallEvent
    ) -> _Value | None:
        """What the event has said of its call, or else others; learn from it."""
        is_new = event.event == "newCall"
        if said is not None:
            if is_new or memory.of(call) is None:
                memory.remember(call, said)
            return said
        if is_new:
            return None
        if not memory.recall(call):
            self._ask(call)
        return memory.of(call)

    def _ask(self, call: _Call) -> None:
        """Remember what the disk knows, and that it knows no more."""
        customer, source, call_id = call
        way = self._spool.way_of(customer=customer, source=source, call_id=call_id)
        if not self._directions.recall(call):
            self._directions.remember(call, way.direction)
        if not self._callers.recall(call):
            self._callers.remember(call, way.from_)


class _Memory(Generic[_Value]):
    """One thing about the latest calls, in two generations."""

    def __init__(self) -> None:
        self._younger: dict[_Call, _Value | None] = {}
        self._older: dict[_Call, _Value | None] = {}

    def of(self, call: _Call) -> _Value | None:
        """What is remembered; None also where nothing is."""
        return self._younger.get(call) or self._older.get(call)

    def recall(self, call: _Call) -> bool:
        """Whether anything is remembered; then it is so for as long as of a new call."""
        if call in self._younger:
            return True
        if call in self._older:
            self.remember(call, self._older[call])
            return True
        return False

    def remember(self, call: _Call, value: _Value | None) -> None:
        """Of this call; of another, that is long ago, no more."""
        if len(self._younger) >= _GENERATION:
            self._older, self._younger = self._younger, {}
        self._younger[call] = value
