"""Pending deliveries as an operator reads them, the oldest first, of one queue or of all.

The queues are merged as they are read: a page costs what it shows and a hop for each queue, not
what is pending. Needs no loop.
"""

import heapq
import sqlite3
from collections.abc import Iterator
from typing import Any, Final

from msgspec import Struct

from callpost.edge.spool.choice import kind_of
from callpost.edge.spool.sweep import FIRST_PENDING
from callpost.model.cursor import Number, cursor_of, place_of
from callpost.model.instant import utc_text_within
from callpost.model.story import PendingDelivery, PendingPage

OWNER: Final = "select id from subscriptions where name = ?"
NEXT: Final = "select min(position) from deliveries where subscription = ? and position > ?"
COUNT: Final = "select count(*) from deliveries"
COUNT_OF: Final = "select count(*) from deliveries where subscription = ?"
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
    connection: sqlite3.Connection, *, subscription: str, limit: int, cursor: str
) -> PendingPage:
    """Read up to `limit` on from `cursor` ("": from the oldest); "" as name means all.

    The total is that of the first page. Raises BadCursor.
    """
    after = place_of(cursor, _Place) if cursor else None
    owner: int | None = None
    if subscription:
        known = connection.execute(OWNER, (subscription,)).fetchall()
        if not known:
            return PendingPage(deliveries=(), total=0, next="")
        [(owner,)] = known
    total = _total(connection, owner) if after is None else after.total
    places = _places(connection, owner, after)
    found: list[tuple[int, int, list[tuple[Any, ...]]]] = []
    for position, one in places:
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


def _total(connection: sqlite3.Connection, owner: int | None) -> int:
    if owner is None:
        [(count,)] = connection.execute(COUNT).fetchall()
    else:
        [(count,)] = connection.execute(COUNT_OF, (owner,)).fetchall()
    return int(count)


def _places(
    connection: sqlite3.Connection, owner: int | None, after: _Place | None
) -> Iterator[tuple[int, int]]:
    """Position and subscription of each, in order; of one event the subscriptions in order."""
    if owner is not None:
        owners = [owner]
    else:
        owners = [one for one, _ in connection.execute(FIRST_PENDING).fetchall()]
    heap: list[tuple[int, int]] = []
    for one in owners:
        # Of the event at the cursor those subscriptions are left that come after its own.
        above = 0 if after is None else after.position - (one > after.owner)
        _push_next(connection, heap, one, above)
    while heap:
        position, one = heapq.heappop(heap)
        yield position, one
        _push_next(connection, heap, one, position)


def _push_next(
    connection: sqlite3.Connection, heap: list[tuple[int, int]], owner: int, above: int
) -> None:
    [(position,)] = connection.execute(NEXT, (owner, above)).fetchall()
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
