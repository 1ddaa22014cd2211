"""Which way a call goes as one of its ends sees it: in for who receives it, out for who makes it.

What is routed by it and what is told of it ask here alone, so that they never differ. The events
of a call that say the same of its way have the same flow, whatever else they say or leave out.
"""

from msgspec import Struct

from callpost.model.event import CallEvent, stored
from callpost.model.subscription import Subscription
from callpost.model.vocabulary import Direction, Flow


class Way(Struct, frozen=True):
    """What a call's events have said of its way; None where none of them did."""

    direction: Direction | None = None
    from_: str | None = None


class Seen(Struct, frozen=True):
    """A call as seen from `own`; None where no extension that is looked from takes part."""

    flow: Flow
    own: str | None


def seen_by(subscription: Subscription, body: bytes) -> Seen | None:
    """How it sees the event that is stored as `body`; None where its vocabulary sees no ends.

    The event is the one that it was matched by, with all that this subscriber is not told.
    """
    if subscription.vocabulary != "voipnow":
        return None
    return seen_from(stored(body), subscription.filter.viewed_from)


def seen_from(event: CallEvent, extensions: tuple[str, ...]) -> Seen:
    """The event as these extensions see it."""
    flow = flow_of(event, extensions)
    end = event.from_ if flow == "out" else event.to
    parties = {end, event.extension, event.answering_number, *(event.user or ())}
    return Seen(flow, next((each for each in extensions if each in parties), None))


def flow_of(event: CallEvent, extensions: tuple[str, ...]) -> Flow:
    """The flow as these extensions see it.

    A call between the house and the world has one end here, from which its direction is its flow.
    Of any other, and of one that has no direction, only `from` says who makes it.
    """
    match event.direction:
        case "in" | "out" as flow:
            return flow
        case _:
            return "out" if event.from_ in extensions else "in"
