"""An event as one subscriber is to have it: without some fields, its numbers in one form.

Done before the event is put into a vocabulary, so every vocabulary and format says the same.
"""

from collections.abc import Callable
from typing import Final

from msgspec.structs import replace

from callpost.model.event import FIELDS, CallEvent, encode, stored
from callpost.model.numbers import NumberFormat, Numbers
from callpost.model.subscription import Subscription

Tailor = Callable[[bytes], bytes]

_NUMBERS: Final = ("from_", "to", "answering_number", "diversion", "did")
# Without these an event is none.
NEVER_OMITTED: Final = frozenset({"event", "callId", "id"})
# The names on the wire of what a subscriber may do without, and of the attributes behind them.
OMITTABLE: Final = {each.name: each.attribute for each in FIELDS if each.name not in NEVER_OMITTED}


def tailored(
    event: CallEvent, *, omit: frozenset[str], form: NumberFormat, numbers: Numbers
) -> CallEvent:
    """The event without the fields whose wire names are in `omit`, its numbers in `form`."""
    changes: dict[str, str | None] = {}
    if form != "received":
        for attribute in _NUMBERS:
            number: str | None = getattr(event, attribute)
            if number is not None:
                changes[attribute] = numbers.written(number, form)
    changes |= dict.fromkeys((OMITTABLE[name] for name in omit), None)
    return replace(event, **changes) if changes else event


def tailor_of(subscription: Subscription, numbers: Numbers) -> Tailor | None:
    """What is done to this subscriber's stored events; None where they go out as they are."""
    omit, form = subscription.omit, subscription.number_format
    if not omit and form == "received":
        return None
    return lambda body: encode(tailored(stored(body), omit=omit, form=form, numbers=numbers))
