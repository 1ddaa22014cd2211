"""Whether a call was answered, for hangups and cdrs whose producer did not say.

The spool knows of every `answer` that it keeps; what is on its way there is remembered here.
"""

from typing import Final

from callpost.engine.ports import Spool
from callpost.model.event import CallEvent, with_answered

# Answers that may be on their way to the disk together: far more than one commit holds. The
# older generation is forgotten whole when the younger has so many; to forget the oldest one by
# one took 4 us an answer, for a dict does not close the gap that they leave at its head.
_GENERATION: Final = 8_192

_Call = tuple[str, str, str]


class Answers:
    """Remembers the latest answers, in two generations."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._younger: set[_Call] = set()
        self._older: set[_Call] = set()

    def complete(self, event: CallEvent) -> CallEvent:
        """Fill in `answered` on a hangup or cdr without it; learn from an answer."""
        match event.event:
            case "answer":
                self._remember(_call_of(event))
            case "hangup" | "cdr" if event.answered is None:
                return with_answered(event, answered=self._was_answered(event))
        return event

    def _remember(self, call: _Call) -> None:
        if len(self._younger) >= _GENERATION:
            self._older, self._younger = self._younger, set()
        self._younger.add(call)

    def _was_answered(self, event: CallEvent) -> bool:
        call = _call_of(event)
        if event.answer_time is not None or call in self._younger or call in self._older:
            return True
        customer, source, call_id = call
        return self._spool.was_answered(customer=customer, source=source, call_id=call_id)


def _call_of(event: CallEvent) -> _Call:
    return event.customer or "", event.source or "", event.call_id
