"""Queues ended deliveries again, chunk by chunk, each at the tail of its subscription's queue.

What is pending already is passed over, so a replay that was cut off, even in the middle, is
finished by asking for it again. A dead letter stays until its replay has been delivered.
One that is asked for bit by bit ends where the events ended when it began.
"""

import sqlite3
from collections import Counter, deque
from collections.abc import Callable, Mapping
from itertools import takewhile
from typing import Final

from msgspec import Struct

from callpost.edge.spool.choice import Choice, kind_of
from callpost.edge.spool.ledger import Ledger
from callpost.edge.spool.tally import Tally
from callpost.model.cursor import Number, cursor_of, place_of
from callpost.model.replay import Replayed, Selection

# Deliveries that a turn looks at, of each kind: dead ones and made ones.
_CHUNK: Final = 1_000
_LAST: Final = (1 << 62) - 1

LAST_EVENT: Final = "select coalesce(max(number), 0) from events"

DEAD: Final = """select number, subscription, seq, previous_id, attempts from dead
    where (number, subscription) > (?, ?) and number <= ?
    order by number, subscription limit ?"""
DEAD_OF: Final = """select number, subscription, seq, previous_id, attempts from dead
    where subscription = ? and number > ? and number <= ? order by number limit ?"""
# Only the last attempt of a delivery that was made bears a seq.
TRIED: Final = """select number, subscription, seq, previous_id, attempt from attempts
    where (number, subscription) > (?, ?) and number <= ?
    order by number, subscription, attempt limit ?"""
EVENT: Final = """select e.call, e.scope, e.accepted_at, e.body,
        (select max(attempt) from attempts a where a.number = e.number and a.subscription = :owner)
    from events e
    where e.number = :number
      and not exists (select 1 from deliveries d
                      where d.subscription = :owner and d.position = e.number)
      and not exists (select 1 from deliveries d indexed by deliveries_replayed_of
                      where d.position <> d.number and d.number = e.number
                        and d.subscription = :owner)"""
_INSERT: Final = "insert into deliveries values (?, ?, ?, ?, ?, ?, 0, ?, ?, ?)"

# An event's number and a subscription's.
_Place = tuple[int, int]
# Subscription, event, seq, previous id, attempts, when it is given up, call.
_Row = tuple[int, int, int, str, int, float, int]


class _Mark(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag="replay"):
    """The last delivery that was queued, and the last event that is looked at."""

    number: Number
    owner: Number
    last: Number


class _Ended(Struct, frozen=True):
    """A delivery that died or was made."""

    seq: int
    previous_id: str
    attempts: int


class Replay:
    """One request on its way: where it has come to, and what it has queued so far.

    `limit` bounds what it queues, 0 does not; it goes on from `cursor`, "" is the beginning.
    Raises BadCursor.
    """

    def __init__(
        self,
        selection: Selection,
        *,
        now: float,
        max_age_s: Callable[[int, str], float],
        ledger: Ledger,
        tally: Tally,
        limit: int = 0,
        cursor: str = "",
    ) -> None:
        self._selection = selection
        self._begin = place_of(cursor, _Mark) if cursor else None
        self._limit = limit
        self._next = ""
        self._last = 0
        self._now = now
        self._max_age_s = max_age_s
        self._ledger = ledger
        self._tally = tally
        self._queued: Counter[int] = Counter()
        self._choice: Choice | None = None
        # Ranges of event numbers that are still to be gone through, and the place before the
        # next delivery in the first of them.
        self._ranges: deque[tuple[int, int]] = deque()
        self._after: _Place | None = None

    def turn(
        self, connection: sqlite3.Connection, *, enrolled: Mapping[int, str], dry_run: bool
    ) -> bool:
        """Queue the next chunk in the open transaction; say whether there may be more."""
        if self._choice is None:
            self._choice = self._started(connection)
        looked = 0
        while self._ranges and looked < _CHUNK:
            ended = self._next_ended(connection, self._choice)
            wanted = {place: one for place, one in ended.items() if place[1] in enrolled}
            rows = self._within_limit(self._rows(connection, self._choice, wanted))
            self._queued.update(owner for owner, *_ in rows)
            if not dry_run:
                self._queue(connection, rows)
            looked += 1 + len(ended)
        return bool(self._ranges)

    def replayed(self, names: Mapping[int, str]) -> Replayed:
        """Return the count so far."""
        return Replayed(
            deliveries=self._queued.total(),
            by_subscription={names.get(owner, ""): n for owner, n in self._queued.items()},
            next=self._next,
        )

    def _started(self, connection: sqlite3.Connection) -> Choice:
        choice = Choice.of(connection, self._selection)
        if self._begin is None:
            [(self._last,)] = connection.execute(LAST_EVENT).fetchall()
            self._ranges.extend(_ranges_of(choice, 1, self._last))
        else:
            # An event that has come since then, or been delivered since, is not meant.
            self._last = self._begin.last
            self._ranges.extend(_ranges_of(choice, self._begin.number, self._last))
            if self._ranges and self._ranges[0][0] == self._begin.number:
                self._after = (self._begin.number, self._begin.owner)
        return choice

    def _within_limit(self, rows: list[_Row]) -> list[_Row]:
        """As many of these as are still wanted; with the last one of all the replay ends."""
        left = self._limit - self._queued.total()
        if not self._limit or len(rows) < left:
            return rows
        if len(rows) > left or self._ranges:
            owner, number, *_ = rows[left - 1]
            self._next = cursor_of(_Mark(number, owner, self._last))
        self._ranges.clear()
        return rows[:left]

    def _next_ended(self, connection: sqlite3.Connection, choice: Choice) -> dict[_Place, _Ended]:
        """The next ended deliveries in the order of their events, whatever their subscription."""
        first, last = self._ranges[0]
        after = self._after or (first - 1, _LAST)
        found: dict[_Place, _Ended] = {}
        # Beyond the last row of a full chunk the other table may have more than was read.
        known_to: _Place | None = None
        if self._selection.delivered:
            found, known_to = _made(connection, after, last)
        dead = _dead(connection, choice, after, last)
        if len(dead) == _CHUNK:
            known_to = min(known_to or max(dead), max(dead))
        # A replay of a made delivery that died has a dead letter, which knows it better.
        found |= dead
        self._after = known_to
        if known_to is None:
            self._ranges.popleft()
        return {
            place: found[place]
            for place in takewhile(lambda one: known_to is None or one <= known_to, sorted(found))
            if choice.has_subscription(place[1])
        }

    def _rows(
        self, connection: sqlite3.Connection, choice: Choice, ended: Mapping[_Place, _Ended]
    ) -> list[_Row]:
        rows = []
        for (number, owner), one in ended.items():
            names = {"number": number, "owner": owner}
            for call, scope, accepted_at, body, tried in connection.execute(EVENT, names):
                kind = kind_of(body)
                if choice.has_event(scope=scope, accepted_at=accepted_at, kind=kind):
                    # Attempts go on counting, so that no two have one number.
                    attempts = max(one.attempts, tried or 0)
                    expires_at = self._now + self._max_age_s(owner, kind)
                    rows.append(
                        (owner, number, one.seq, one.previous_id, attempts, expires_at, call)
                    )
        return rows

    def _queue(
        self,
        connection: sqlite3.Connection,
        rows: list[_Row],
    ) -> None:
        if not rows:
            return
        first = self._ledger.take_numbers(len(rows))
        connection.executemany(
            _INSERT,
            [
                (owner, position, number, call, seq, previous_id, attempts, expires_at, self._now)
                for position, (
                    owner,
                    number,
                    seq,
                    previous_id,
                    attempts,
                    expires_at,
                    call,
                ) in enumerate(rows, first)
            ],
        )
        for owner, *_ in rows:
            self._tally.add(owner, 1)


def _ranges_of(choice: Choice, first: int, last: int) -> list[tuple[int, int]]:
    if choice.is_empty or first > last:
        return []
    if choice.numbers is None:
        return [(first, last)]
    return [(one, one) for one in choice.numbers if first <= one <= last]


def _dead(
    connection: sqlite3.Connection, choice: Choice, after: _Place, last: int
) -> dict[_Place, _Ended]:
    match sorted(choice.subscriptions or ()):
        case [owner]:
            # `after` may lie within the event's deliveries, before this subscription's.
            above = after[0] - (after[1] < owner)
            rows = connection.execute(DEAD_OF, (owner, above, last, _CHUNK)).fetchall()
        case _:
            # Of several the others are passed over: else each would have an end of its own.
            rows = connection.execute(DEAD, (*after, last, _CHUNK)).fetchall()
    return {(number, owner): _Ended(*one) for number, owner, *one in rows}


def _made(
    connection: sqlite3.Connection, after: _Place, last: int
) -> tuple[dict[_Place, _Ended], _Place | None]:
    """The made deliveries, and the place up to which they are known if that is not the end."""
    rows = connection.execute(TRIED, (*after, last, _CHUNK)).fetchall()
    known_to: _Place | None = None
    if len(rows) == _CHUNK:
        # The last delivery's attempts may go on beyond the chunk, but for one that fills it.
        places = list(dict.fromkeys((number, owner) for number, owner, *_ in rows))
        known_to = places[-2] if len(places) > 1 else places[-1]
    made = {
        (number, owner): _Ended(seq, previous_id, attempt)
        for number, owner, seq, previous_id, attempt in rows
        if seq is not None and (known_to is None or (number, owner) <= known_to)
    }
    return made, known_to
