"""VoipNow events that were made over the API, drawn: calls received, and calls made.

Each way is a subscription with a queue of its own, whatever else is wanted. So the events of one
call stay in one queue, in their order and with their `seq`, when items come and go: no item
moves the events of a call to another queue.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from callpost.api.document import Item
from callpost.api.drawing import drawn_as
from callpost.api.voipnow.items import (
    KINDS_IN,
    KINDS_OUT,
    Event,
    kinds_of,
    read_event,
    table_of,
)
from callpost.model.card import Card
from callpost.model.drawn import Drawn
from callpost.model.vocabulary import Flow, Kind


class _Way(Struct, frozen=True):
    """`behind` stands behind the name of the subscription that is for calls of this way."""

    told: Mapping[int, Kind]
    flow: Flow
    behind: str


_WAYS: Final = (_Way(KINDS_IN, "in", ""), _Way(KINDS_OUT, "out", "-out"))


def drawn(cards: Sequence[Card]) -> Iterator[Drawn]:
    """What the cards of one subscription's name stand for; see `Draw`."""
    for way in _WAYS:
        some = [card for card in cards if event_of(card).type in way.told]
        if some:
            events = [event_of(card) for card in some]
            kinds = kinds_of([event.type for event in events], way.told)
            table = table_of(some[0].scope, events, kinds, way.flow)
            one = drawn_as(table, some, kind="subscription")
            yield replace(one, name=f"{one.name}{way.behind}")


def event_of(card: Card) -> Event:
    """The event that a card keeps; what cannot be read of it is as good as absent."""
    return read_event(Item("$", card.said), type_code="pce_type_invalid")
