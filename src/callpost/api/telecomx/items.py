"""One callnotify item: what a client sends, what is kept of it, what is answered.

What is sent may be partial; what is kept is always whole, and has been found good.
"""

from collections.abc import Mapping
from typing import Final

from callpost.api.document import Item
from callpost.api.telecomx.lists import item_of, table_of
from callpost.api.telecomx.refusals import Denied
from callpost.model.card import Card

_FIELDS: Final = ("url", "method", "selection")
# Of an item's 24 hexadecimal digits.
ID_BYTES: Final = 12


def said_by(sent: Mapping[str, object], before: Mapping[str, object]) -> dict[str, object]:
    """What is to be kept: what was sent, and what it leaves out as it was `before`.

    Raises the refusal (422) of the first fault. null is as good as absent, and what is no field
    of an item, such as `_id`, is passed over.
    """
    fresh = {key: sent[key] for key in _FIELDS if sent.get(key) is not None}
    item = Item("$", {**before, **fresh})
    said = table_of(item)
    if item.faults:
        fault = item.faults[0]
        raise Denied(422, fault.code, fault.sentence)
    return said


def answer_of(card: Card) -> dict[str, str]:
    """The item as it is answered."""
    return item_of(card.id, card.said)
