"""SignalWire handlers that were made over the API, drawn: each is one subscription."""

from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from callpost.api.drawing import drawn_from_items
from callpost.api.signalwire import read
from callpost.model.card import Card
from callpost.model.drawn import Drawn


def drawn(cards: Sequence[Card]) -> Iterator[Drawn]:
    """See `Draw`."""
    for one in drawn_from_items(cards, read, kind="subscription"):
        # Names of subscriptions that were made over the API are given; only a note can show this.
        yield replace(one, table={**one.table, "note": str(cards[0].said["name"])})
