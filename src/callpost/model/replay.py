"""Which ended deliveries are meant, to be looked at or delivered again, and who may mean them."""

from msgspec import Struct

from callpost.model.vocabulary import Kind


class Sight(Struct, frozen=True, kw_only=True):
    """What somebody may see: deliveries of these subscriptions, of events of these customers."""

    subscriptions: frozenset[str]
    customers: frozenset[str]


class Selection(Struct, frozen=True, kw_only=True):
    """Criteria that all must hold; an empty one does not restrict.

    `since` and `until` are seconds since 1970 of the event's acceptance. Without `delivered`
    only dead letters are selected; with it also what was delivered and is still retained. What
    is not `among` what the one who asks may see is not there; None sees everything.
    """

    subscription: str = ""
    customer: str = ""
    call_id: str = ""
    event_id: str = ""
    kinds: frozenset[Kind] = frozenset()
    since: float | None = None
    until: float | None = None
    delivered: bool = False
    among: Sight | None = None


class Replayed(Struct, frozen=True, kw_only=True, rename="camel"):
    """How many deliveries were queued again, and how many of them for which subscription.

    `next` is the cursor to go on from where a limit ended it, else "".
    """

    deliveries: int
    by_subscription: dict[str, int]
    next: str = ""
