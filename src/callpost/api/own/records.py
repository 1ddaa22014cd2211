"""What the spool holds: pending deliveries, dead letters, the stories of calls and events.

A caller sees what is of its customers and of subscriptions that it can see; the rest is not there.
"""

from collections.abc import Iterator
from typing import Annotated, Final

from msgspec import Meta, Struct

from callpost.api.own.catalogue import Catalogue
from callpost.api.own.examples import DEAD_PAGE, EVENT_STORY, PENDING_PAGE, STORY
from callpost.api.own.pages import Cursor, Customer, Limit
from callpost.api.ports import Records
from callpost.model.caller import Caller
from callpost.model.replay import Selection
from callpost.model.report import reports_of
from callpost.model.spelling import did_you_mean
from callpost.model.story import CallStory, DeadPage, EventStory, PendingPage
from callpost.model.vocabulary import Kind
from callpost.web.asked import Asked
from callpost.web.fields import Moment, Nothing
from callpost.web.operation import Operation, Shown, operation
from callpost.web.problem import Refusal, ended

Subscription = Annotated[str, Meta(description="A subscription's name; none: all")]
Since = Annotated[Moment, Meta(description="Accepted at or after; RFC 3339 or seconds")]
Until = Annotated[Moment, Meta(description="Accepted before; RFC 3339 or seconds")]

_PENDING_SHOWN: Final = Shown(
    "Deliveries that are still to be made, the oldest first", answer=PENDING_PAGE, problems=(404,)
)
_DEAD_SHOWN: Final = Shown("Deliveries that ended undelivered, newest first", answer=DEAD_PAGE)
_CALL_SHOWN: Final = Shown(
    "The story of a call; its id percent-encoded", answer=STORY, problems=(404,)
)
_EVENT_SHOWN: Final = Shown(
    "The story of an event; its id percent-encoded",
    answer={"events": [EVENT_STORY]},
    problems=(404,),
)


class DeliveriesQuery(Struct, frozen=True):
    """Which pending deliveries."""

    subscription: Subscription = ""
    customer: Customer = ""
    limit: Limit = 100
    cursor: Cursor = ""


class DeadQuery(Struct, frozen=True):
    """Which dead letters."""

    subscription: Subscription = ""
    customer: Customer = ""
    call: Annotated[str, Meta(description="A call's id")] = ""
    event: Annotated[str, Meta(description="An event's id")] = ""
    kind: Annotated[tuple[Kind, ...], Meta(description="May be repeated")] = ()
    since: Since | None = None
    until: Until | None = None
    limit: Limit = 100
    cursor: Cursor = ""


class CallQuery(Struct, frozen=True):
    """Whose call, and how much of it."""

    customer: Customer = ""
    limit: Limit = 100


class EventQuery(Struct, frozen=True):
    """Whose event."""

    customer: Customer = ""


class Events(Struct, frozen=True):
    """The events with one id: one for each customer and source that has it."""

    events: tuple[EventStory, ...]


def listings(catalogue: Catalogue, records: Records) -> Iterator[Operation]:
    """Pages of deliveries."""

    async def pending(asked: Asked[DeliveriesQuery, Nothing]) -> PendingPage:
        query = asked.query
        await _know(query.subscription, catalogue, asked.caller)
        sight = await catalogue.sight_of(asked.caller)
        chosen = Selection(subscription=query.subscription, customer=query.customer, among=sight)
        return await records.pending(chosen, limit=query.limit, cursor=query.cursor)

    yield operation(
        "GET",
        "/v1/deliveries",
        pending,
        query=DeliveriesQuery,
        body=Nothing,
        returns=PendingPage,
        shown=_PENDING_SHOWN,
    )
    yield from _dead_letters(catalogue, records)


def _dead_letters(catalogue: Catalogue, records: Records) -> Iterator[Operation]:
    async def dead(asked: Asked[DeadQuery, Nothing]) -> DeadPage:
        query = asked.query
        selection = Selection(
            subscription=query.subscription,
            customer=query.customer,
            call_id=query.call,
            event_id=query.event,
            kinds=frozenset(query.kind),
            since=query.since,
            until=query.until,
            among=await catalogue.sight_of(asked.caller),
        )
        return await records.dead(selection, limit=query.limit, cursor=query.cursor)

    yield operation(
        "GET",
        "/v1/dead-letters",
        dead,
        query=DeadQuery,
        body=Nothing,
        returns=DeadPage,
        shown=_DEAD_SHOWN,
    )


async def _know(name: str, catalogue: Catalogue, caller: Caller) -> None:
    """Refuse a name that was misspelt: an empty page would be taken for good news."""
    if name:
        names = [one.name for one in await catalogue.seen_by(caller)]
        if name not in {*names, *map(reports_of, names)}:
            hint = did_you_mean(name, names)
            raise Refusal(404, ended(f"There is no subscription named {name!r}{hint}"))


def stories(catalogue: Catalogue, records: Records) -> Iterator[Operation]:
    """What became of a call, or of an event."""

    async def call(asked: Asked[CallQuery, Nothing]) -> CallStory:
        query = asked.query
        story = await records.call(
            asked.path["callId"],
            customer=query.customer,
            limit=query.limit,
            among=await catalogue.sight_of(asked.caller),
        )
        if story is None:
            raise Refusal(404, "Nothing of this call is kept.")
        return story

    yield operation(
        "GET",
        "/v1/calls/{callId:path}",
        call,
        query=CallQuery,
        body=Nothing,
        returns=CallStory,
        shown=_CALL_SHOWN,
    )
    yield _events(catalogue, records)


def _events(catalogue: Catalogue, records: Records) -> Operation:
    async def events(asked: Asked[EventQuery, Nothing]) -> Events:
        found = await records.events(
            asked.path["id"],
            customer=asked.query.customer,
            among=await catalogue.sight_of(asked.caller),
        )
        if not found:
            raise Refusal(404, "No event with this id is kept.")
        return Events(found)

    return operation(
        "GET",
        "/v1/events/{id:path}",
        events,
        query=EventQuery,
        body=Nothing,
        returns=Events,
        shown=_EVENT_SHOWN,
    )
