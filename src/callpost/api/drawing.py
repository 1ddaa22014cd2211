"""Cards whose items a dialect's `read` understands, drawn: as from a list of these items alone.

Cards that share a subscription are read together.
"""

from collections.abc import Callable, Iterator, Sequence

import msgspec

from callpost.api.translated import Kind, Refused, Table, Translated
from callpost.model.card import Card
from callpost.model.drawn import Drawn

Read = Callable[..., Sequence[Translated | Refused]]


def drawn_from_items(cards: Sequence[Card], read: Read, *, kind: Kind) -> Iterator[Drawn]:
    """What the items become; see `Draw`.

    What `read` refuses is drawn without a single key, so that the rules say what is missing.
    """
    document = msgspec.json.encode([card.said for card in cards])
    found = [one for one in read(document, of=cards[0].scope) if isinstance(one, Translated)]
    for one in found or [Translated(paths=(), table={}, kind=kind)]:
        yield drawn_as(one.table, cards, kind=one.kind)


def drawn_as(table: Table, cards: Sequence[Card], *, kind: Kind) -> Drawn:
    """The table as what these cards stand for."""
    first = cards[0]
    return Drawn(
        kind=kind,
        name=first.subscription,
        origin=first.dialect,
        customer=first.customer,
        trusted=all(card.trusted for card in cards),
        table={key: value for key, value in table.items() if key != "name"},
        cards=tuple(card.id for card in cards),
    )
