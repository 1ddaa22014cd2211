"""What cards stand for: the tables of subscriptions and rules, as a file would have them."""

from typing import Literal

from msgspec import Struct

from callpost.model.card import Dialect

DrawnKind = Literal["subscription", "forward"]


class Drawn(Struct, frozen=True, kw_only=True):
    """One `[[subscription]]` or `[[forward]]` table, without its name and its customer.

    `name` is the subscription's, "" for a rule; `cards` are the ids, within the dialect `origin`,
    of what it was drawn from.
    """

    kind: DrawnKind
    name: str
    origin: Dialect
    customer: str
    trusted: bool
    table: dict[str, object]
    cards: tuple[str, ...]
