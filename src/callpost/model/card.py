"""What clients write down over the API: a card for each thing that one of them has made.

A card keeps the words of its dialect; which subscription or rule it stands for is drawn from it
each time, by the same rules as from a file.
"""

from collections.abc import Iterator, Mapping
from typing import Final, Literal, get_args

from msgspec import Struct

Dialect = Literal["api", "telecomx", "voipnow", "portsip", "signalwire", "basip"]
# How the names of subscriptions that were made over the API begin, and no others.
NAME_PREFIXES: Final = tuple(f"{dialect}." for dialect in get_args(Dialect))


class Card(Struct, frozen=True, kw_only=True):
    """One item of one dialect, as its client has made it.

    `id` is the one that the client knows, unique within the dialect. `scope` is what the path
    names beside the customer: an extension, a menu. `subscription` is the name under which its
    deliveries queue; several cards may share one, and a forward rule has "". `trusted`: its
    endpoints may lie in networks that are closed to strangers. `said` is the item in the words of
    the dialect, secrets included. Times are wall seconds; `revision` counts the changes from 1.
    """

    dialect: Dialect
    id: str
    customer: str
    scope: str = ""
    subscription: str = ""
    trusted: bool = False
    said: dict[str, object]
    created_at: float
    modified_at: float
    revision: int = 1


def is_trusted_after(card: Card, said: Mapping[str, object], *, by_trusted: bool) -> bool:
    """Whether a card is trusted once somebody has made it say this.

    Nobody is trusted for what somebody else has made: whoever changes the note of a stranger's
    card has not looked where its URLs lead.
    """
    return by_trusted and (card.trusted or _urls(said).isdisjoint(_urls(card.said)))


def _urls(said: object) -> frozenset[str]:
    return frozenset(text for text in _texts(said) if "://" in text)


def _texts(value: object) -> Iterator[str]:
    match value:
        case str():
            yield value
        case Mapping():
            for inner in value.values():
                yield from _texts(inner)
        case list() | tuple():
            for inner in value:
                yield from _texts(inner)
        case _:
            pass


class CardsChanged(Struct, frozen=True, kw_only=True):
    """What is to be written down at once, all of it or nothing: cards put in, cards taken out."""

    put: tuple[Card, ...] = ()
    taken: tuple[Card, ...] = ()
