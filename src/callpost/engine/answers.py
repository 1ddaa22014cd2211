"""Whether a call was answered, for hangups and cdrs whose producer did not say.

The spool knows of every `answer` that it keeps; what is on its way there is remembered here.
"""

from typing import Final

from callpost.engine.ports import Spool
from callpost.model.event import CallEvent, with_answered

# Answers that may be on their way to the disk together: far more than one commit holds.
_REMEMBERED: Final = 16_384

_Call = tuple[str, str, str]


class Answers:
    """Remembers the latest answers."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._calls: dict[_Call, None] = {}

    def complete(self, event: CallEvent) -> CallEvent:
        """Fill in `answered` on a hangup or cdr without it; learn from an answer."""
        call = (event.customer or "", event.source or "", event.call_id)
        if event.event == "answer":
            self._calls[call] = None
            if len(self._calls) > _REMEMBERED:
                del self._calls[next(iter(self._calls))]
        elif event.event in {"hangup", "cdr"} and event.answered is None:
            return with_answered(event, answered=self._was_answered(event, call))
        return event

    def _was_answered(self, event: CallEvent, call: _Call) -> bool:
        if event.answer_time is not None or call in self._calls:
            return True
        customer, source, call_id = call
        return self._spool.was_answered(customer=customer, source=source, call_id=call_id)
