"""Cards of all dialects, drawn: what the configuration's rules make subscriptions and rules of.

Pure, and quick where little has changed: what was drawn before of the same cards is used again.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final

from callpost.api.basip.drawn import drawn as drawn_of_basip
from callpost.api.own.drawn import drawn as drawn_of_own
from callpost.api.portsip.drawn import drawn as drawn_of_portsip
from callpost.api.signalwire.drawn import drawn as drawn_of_signalwire
from callpost.api.telecomx.drawn import drawn as drawn_of_telecomx
from callpost.api.voipnow.drawn import drawn as drawn_of_voipnow
from callpost.model.card import Card, Dialect
from callpost.model.drawn import Drawn

# The cards of one subscription, or the card of one rule, to what they stand for.
Draw = Callable[[Sequence[Card]], Iterator[Drawn]]

_DRAW: Final[Mapping[Dialect, Draw]] = {
    "api": drawn_of_own,
    "telecomx": drawn_of_telecomx,
    "voipnow": drawn_of_voipnow,
    "portsip": drawn_of_portsip,
    "signalwire": drawn_of_signalwire,
    "basip": drawn_of_basip,
}


class Drawing:
    """Remembers what it drew last, so that one card that changes costs one card."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, ...], tuple[list[Card], tuple[Drawn, ...]]] = {}

    def drawn(self, cards: Iterable[Card]) -> tuple[Drawn, ...]:
        """What all of them stand for, in the order of the first card of each."""
        groups: dict[tuple[str, ...], list[Card]] = {}
        for card in cards:
            groups.setdefault(_group(card), []).append(card)
        before, self._known = self._known, {}
        for key, group in groups.items():
            known = before.get(key)
            if known is None or known[0] != group:
                known = group, tuple(_DRAW[group[0].dialect](group))
            self._known[key] = known
        return tuple(one for _, found in self._known.values() for one in found)


def drawn(cards: Iterable[Card]) -> tuple[Drawn, ...]:
    """What the cards stand for, drawn from the beginning."""
    return Drawing().drawn(cards)


def _group(card: Card) -> tuple[str, ...]:
    """What is drawn together: the cards of one subscription, and each rule by itself."""
    if card.subscription:
        return card.dialect, card.customer, card.subscription
    return card.dialect, card.id
