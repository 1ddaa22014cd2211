"""Under which name an event queues: those that are called for together share one.

Events of one customer, extension, URL, method and status are one lane, so that dial-in, answer
and hangup of a call keep their order. A write gives a name to the event that is written, and
never to another one.
"""

from collections.abc import Callable, Iterable

from msgspec.structs import replace

from callpost.model.card import Card


def placed(card: Card, others: Iterable[Card], new_name: Callable[[], str]) -> Card:
    """The card in its lane; `others` are those of its customer, itself as it was among them or not.

    It joins the lane that is there for it. Where there is none it keeps its name, and so its
    queue, unless others would stay behind under that name; then it gets a new one.
    """
    rest = [other for other in others if other.id != card.id]
    lane = _lane(card)
    for other in rest:
        if _lane(other) == lane:
            return replace(card, subscription=other.subscription)
    if card.subscription and all(other.subscription != card.subscription for other in rest):
        return card
    return replace(card, subscription=new_name())


def _lane(card: Card) -> tuple[object, ...]:
    """What the events of one lane have in common.

    Trust is part of it: an event of a strict client must neither have the reach of one that an
    operator trusts nor take it away.
    """
    said = card.said
    return card.customer, card.scope, card.trusted, said["url"], said["method"], said["status"]
