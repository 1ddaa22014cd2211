"""PortSIP action URLs that were made over the API, drawn: each is one subscription.

Other than in a saved list, their secrets are known.
"""

from collections.abc import Iterator, Sequence

from callpost.api.drawing import drawn_as
from callpost.api.portsip.cards import draft_of, is_usable
from callpost.model.card import Card
from callpost.model.drawn import Drawn


def drawn(cards: Sequence[Card]) -> Iterator[Drawn]:
    """See `Draw`.

    What can no longer be had is drawn without a single key: half of it could tell too much.
    """
    for card in cards:
        draft = draft_of(card.said, card.scope)
        yield drawn_as(draft.table if is_usable(draft) else {}, [card], kind="subscription")
