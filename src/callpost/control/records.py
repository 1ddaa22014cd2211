"""What the spool holds: pending deliveries, dead letters, the stories of calls and events."""

from collections.abc import Iterator
from typing import Annotated

from msgspec import Meta, Struct

from callpost.control.asked import Asked
from callpost.control.fields import Moment, Nothing
from callpost.control.operation import Operation, Shown, operation
from callpost.control.ports import Records
from callpost.control.problem import Refusal
from callpost.model.replay import Selection
from callpost.model.story import CallStory, DeadPage, EventStory, PendingPage
from callpost.model.vocabulary import Kind

# A page is answered from the spool in one read: some 10 ms at the most.
Limit = Annotated[int, Meta(ge=1, le=1_000, description="At most so many")]
Subscription = Annotated[str, Meta(description="A subscription's name; none: all")]
Customer = Annotated[str, Meta(description="A customer; none: all")]
Cursor = Annotated[str, Meta(description="Go on from here: `next` of the page before")]
Since = Annotated[Moment, Meta(description="Accepted at or after; RFC 3339 or seconds")]
Until = Annotated[Moment, Meta(description="Accepted before; RFC 3339 or seconds")]


class PendingQuery(Struct, frozen=True):
    """Which pending deliveries."""

    subscription: Subscription = ""
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


def listings(records: Records) -> Iterator[Operation]:
    """Pages of deliveries."""

    async def pending(asked: Asked[PendingQuery, Nothing]) -> PendingPage:
        query = asked.query
        return await records.pending(
            subscription=query.subscription, limit=query.limit, cursor=query.cursor
        )

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
        )
        return await records.dead(selection, limit=query.limit, cursor=query.cursor)

    yield operation(
        "GET",
        "/v1/pending",
        pending,
        query=PendingQuery,
        body=Nothing,
        returns=PendingPage,
        shown=Shown("Deliveries that are still to be made, the oldest first"),
    )
    yield operation(
        "GET",
        "/v1/dead-letters",
        dead,
        query=DeadQuery,
        body=Nothing,
        returns=DeadPage,
        shown=Shown("Deliveries that ended undelivered, newest first"),
    )


def stories(records: Records) -> Iterator[Operation]:
    """What became of a call, or of an event."""

    async def call(asked: Asked[CallQuery, Nothing]) -> CallStory:
        query = asked.query
        story = await records.call(asked.path["callId"], customer=query.customer, limit=query.limit)
        if story is None:
            raise Refusal(404, "Nothing of this call is kept.")
        return story

    async def events(asked: Asked[EventQuery, Nothing]) -> Events:
        found = await records.events(asked.path["id"], customer=asked.query.customer)
        if not found:
            raise Refusal(404, "No event with this id is kept.")
        return Events(found)

    yield operation(
        "GET",
        "/v1/calls/{callId:path}",
        call,
        query=CallQuery,
        body=Nothing,
        returns=CallStory,
        shown=Shown("The story of a call; its id percent-encoded", problems=(404,)),
    )
    yield operation(
        "GET",
        "/v1/events/{id:path}",
        events,
        query=EventQuery,
        body=Nothing,
        returns=Events,
        shown=Shown("The story of an event; its id percent-encoded", problems=(404,)),
    )
