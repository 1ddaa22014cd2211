"""Which ended deliveries an operator wants to have delivered again."""

from msgspec import Struct

from callpost.model.vocabulary import Kind


class Selection(Struct, frozen=True, kw_only=True):
    """Criteria that all must hold; an empty one does not restrict.

    `since` and `until` are seconds since 1970 of the event's acceptance. Without `delivered`
    only dead letters are selected; with it also what was delivered and is still retained.
    """

    subscription: str = ""
    customer: str = ""
    call_id: str = ""
    event_id: str = ""
    kinds: frozenset[Kind] = frozenset()
    since: float | None = None
    until: float | None = None
    delivered: bool = False


class Replayed(Struct, frozen=True, kw_only=True, rename="camel"):
    """How many deliveries were queued again, and how many of them for which subscription.

    `next` is the cursor to go on from where a limit ended it, else "".
    """

    deliveries: int
    by_subscription: dict[str, int]
    next: str = ""
