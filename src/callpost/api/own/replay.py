"""Replay: what has ended is delivered again, as far as it is selected."""

from collections.abc import Iterator
from typing import Annotated

from msgspec import Meta, Struct

from callpost.api.own.catalogue import Catalogue
from callpost.api.own.examples import REPLAYED
from callpost.api.own.pages import Cursor, Customer
from callpost.api.own.records import Since, Subscription, Until
from callpost.api.ports import Operating
from callpost.model.replay import Replayed, Selection
from callpost.model.unknown import UnknownSubscription
from callpost.model.vocabulary import Kind
from callpost.web.asked import Asked
from callpost.web.fields import Nothing
from callpost.web.operation import Operation, Shown, operation


class ReplayOrder(Struct, frozen=True, rename="camel"):
    """What to deliver again; criteria that are not given do not restrict."""

    subscription: Subscription = ""
    customer: Customer = ""
    call_id: Annotated[str, Meta(description="A call's id")] = ""
    event_id: Annotated[str, Meta(description="An event's id")] = ""
    kinds: Annotated[tuple[Kind, ...], Meta(description="Kinds of events")] = ()
    since: Since | None = None
    until: Until | None = None
    delivered: Annotated[bool, Meta(description="Also what was delivered and is kept")] = False
    limit: Annotated[int, Meta(ge=0, le=1_000_000, description="At most so many; 0: all")] = 0
    cursor: Cursor = ""
    dry_run: Annotated[bool, Meta(description="Only say how many there are")] = False


def replay(catalogue: Catalogue, operating: Operating) -> Iterator[Operation]:
    """The one verb on what has ended."""

    async def replayed(asked: Asked[Nothing, ReplayOrder]) -> Replayed:
        order = asked.body
        among = await catalogue.sight_of(asked.caller)
        if among is not None and order.subscription not in {"", *among.subscriptions}:
            # As one that nobody has.
            raise UnknownSubscription(order.subscription)
        selection = Selection(
            subscription=order.subscription,
            customer=order.customer,
            call_id=order.call_id,
            event_id=order.event_id,
            kinds=frozenset(order.kinds),
            since=order.since,
            until=order.until,
            delivered=order.delivered,
            among=among,
        )
        return await operating.replay(
            selection, limit=order.limit, cursor=order.cursor, dry_run=order.dry_run
        )

    yield operation(
        "POST",
        "/v1/replay",
        replayed,
        query=Nothing,
        body=ReplayOrder,
        returns=Replayed,
        shown=Shown(
            "Deliver again what has ended",
            example={"subscription": "crm", "since": "2026-11-20T08:00:00Z", "dryRun": True},
            answer=REPLAYED,
            problems=(404,),
        ),
    )
