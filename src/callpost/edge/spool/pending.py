"""Pending deliveries as an operator reads them, the oldest first, of one queue or of all.

The queues are merged as they are read: a page costs what it shows and a hop for each queue, not
what is pending. Needs no loop.
"""

import heapq
import json
import sqlite3
from collections.abc import Iterator
from typing import Any, Final

from msgspec import Struct

from callpost.edge.spool.choice import Choice, kind_of
from callpost.edge.spool.sweep import FIRST_PENDING
from callpost.model.cursor import Number, cursor_of, place_of
from callpost.model.instant import utc_text_within
from callpost.model.replay import Selection
from callpost.model.story import PendingDelivery, PendingPage

NEXT: Final = "select min(position) from deliveries where subscription = ? and position > ?"
COUNT: Final = "select count(*) from deliveries"
COUNT_OF: Final = "select count(*) from deliveries where subscription = ?"
# The same, of events of certain customers only.
_OF_CUSTOMERS: Final = """from deliveries d cross join events e on e.number = d.number
    where d.subscription = ? and d.position > ?
        and e.scope in (select value from json_each(?))"""
NEXT_OF_CUSTOMERS: Final = f"select d.position {_OF_CUSTOMERS} order by d.position limit 1"
COUNT_OF_CUSTOMERS: Final = f"select count(*) {_OF_CUSTOMERS}"
ONE: Final = """select coalesce(n.name, ''), e.id, c.call_id, s.customer, e.body, d.seq,
        d.position <> d.number, d.rounds, d.attempts, e.accepted_at, x.due_at, d.expires_at
    from deliveries d cross join events e on e.number = d.number
    cross join calls c on c.call = e.call
    cross join scopes s on s.scope = e.scope
    left join subscriptions n on n.id = d.subscription
    left join deferred x on x.subscription = d.subscription and x.position = d.position
    where d.subscription = ? and d.position = ?"""


class _Place(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag="pending"):
    """A delivery's place among all, and how many the listing has."""

    position: Number
    owner: Number
    total: Number


def read_pending(
    connection: sqlite3.Connection, selection: Selection, *, limit: int, cursor: str
) -> PendingPage:
    """Read up to `limit` on from `cursor` ("": from the oldest).

    Of the selection the subscription, the customer and `among` count. The total is that of the
    first page. Raises BadCursor.
    """
    after = place_of(cursor, _Place) if cursor else None
    queues = _Queues(connection, Choice.of(connection, selection))
    total = queues.total() if after is None else after.total
    found: list[tuple[int, int, list[tuple[Any, ...]]]] = []
    for position, one in queues.places(after):
        # It may have ended since its place was read.
        if row := connection.execute(ONE, (one, position)).fetchall():
            found.append((position, one, row))
            if len(found) > limit:
                break
    follows = ""
    if len(found) > limit:
        position, one, _ = found[limit - 1]
        follows = cursor_of(_Place(position, one, total))
    rows = [row for *_, [row] in found[:limit]]
    return PendingPage(deliveries=tuple(map(_told, rows)), total=total, next=follows)


class _Queues:
    """The queues of the subscriptions that are meant, without what is not."""

    def __init__(self, connection: sqlite3.Connection, choice: Choice) -> None:
        self._connection = connection
        self._owners = choice.subscriptions
        self._scopes = None if choice.scopes is None else json.dumps(list(choice.scopes))

    def total(self) -> int:
        """How many deliveries they have."""
        if self._owners is None and self._scopes is None:
            [(count,)] = self._connection.execute(COUNT).fetchall()
            return int(count)
        return sum(map(self._count, self._every()))

    def places(self, after: _Place | None) -> Iterator[tuple[int, int]]:
        """Position and subscription of each, in order; of one event the subscriptions in order."""
        heap: list[tuple[int, int]] = []
        for one in self._every():
            # Of the event at the cursor those subscriptions are left that come after its own.
            above = 0 if after is None else after.position - (one > after.owner)
            self._push_next(heap, one, above)
        while heap:
            position, one = heapq.heappop(heap)
            yield position, one
            self._push_next(heap, one, position)

    def _every(self) -> list[int]:
        if self._owners is not None:
            return sorted(self._owners)
        return [one for one, _ in self._connection.execute(FIRST_PENDING).fetchall()]

    def _count(self, owner: int) -> int:
        if self._scopes is None:
            rows = self._connection.execute(COUNT_OF, (owner,))
        else:
            rows = self._connection.execute(COUNT_OF_CUSTOMERS, (owner, 0, self._scopes))
        [(count,)] = rows.fetchall()
        return int(count)

    def _push_next(self, heap: list[tuple[int, int]], owner: int, above: int) -> None:
        if self._scopes is None:
            rows = self._connection.execute(NEXT, (owner, above))
        else:
            rows = self._connection.execute(NEXT_OF_CUSTOMERS, (owner, above, self._scopes))
        for (position,) in rows.fetchall():
            if position is not None:
                heapq.heappush(heap, (position, owner))


def _told(row: tuple[Any, ...]) -> PendingDelivery:
    name, event_id, call_id, customer, body, seq, replay, rounds, attempts, at, due_at, end = row
    return PendingDelivery(
        subscription=name,
        event_id=event_id,
        call_id=call_id,
        customer=customer,
        kind=kind_of(body),
        seq=seq,
        replay=replay == 1,
        rounds=rounds,
        attempts=attempts,
        accepted_at=utc_text_within(at),
        due_at=None if due_at is None else utc_text_within(due_at),
        expires_at=utc_text_within(end),
    )
