"""callpost's own API: the whole table of its operations, for clients and for the operator."""

from collections.abc import Iterator

from callpost.api.own.catalogue import Catalogue
from callpost.api.own.events import events
from callpost.api.own.forwards import forwards
from callpost.api.own.records import listings, stories
from callpost.api.own.replay import replay
from callpost.api.own.subscriptions import subscriptions
from callpost.api.own.verbs import verbs
from callpost.api.own.writing import writing
from callpost.api.ports import CardIndex, Operating, Producers, Records, Roster, Shares
from callpost.web.operation import Operation


def own(
    index: CardIndex,
    roster: Roster,
    producers: Producers,
    shares: Shares,
    operating: Operating,
    records: Records,
) -> Iterator[Operation]:
    """Everything under /v1 that is not the operator's alone."""
    catalogue = Catalogue(roster, operating)
    yield from subscriptions(catalogue, operating)
    yield from writing(catalogue, index)
    yield from verbs(catalogue, operating)
    yield from events(producers, shares)
    yield from listings(catalogue, records)
    yield from stories(catalogue, records)
    yield from replay(catalogue, operating)
    yield from forwards(index, roster)
