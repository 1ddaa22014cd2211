"""Finds the events, and the calls without events, that criteria of a purge mean.

Slice by slice, each a few milliseconds over a connection that cannot write; nothing is kept in
memory but the slice. What comes in after the beginning is not meant, but for calls meant whole.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Final

from callpost.edge.spool.choice import OF_CALL
from callpost.model.letter import letter_or_spoilt
from callpost.model.party import Party
from callpost.model.purge import Criteria
from callpost.model.report import StoredReport

_SLICE: Final = 1_000

BOUNDS: Final = """select coalesce((select max(number) from events), 0),
    coalesce((select max(call) from calls), 0)"""
SCOPES: Final = "select scope from scopes where customer = ?"
NEXT: Final = """select number, scope, call, accepted_at, id from events
    where number > ? and number <= ? order by number limit ?"""
BODY: Final = "select body from events where number = ?"
EVENTS_OF: Final = """select number, scope, call, accepted_at, id from events
    where call = ? order by number"""
REPORTS_OF: Final = """select number, body from events
    where call = ? and substr(body, 1, 8) <> cast('{"event"' as blob)"""
NEXT_CALLS: Final = """select c.call, c.scope, c.last_at,
      exists (select 1 from events e where e.call = c.call)
    from calls c where c.call > ? and c.call <= ? order by c.call limit ?"""
CALLS_OF_ID: Final = """select c.call, c.scope, c.last_at,
      exists (select 1 from events e where e.call = c.call)
    from calls c where c.call_id = ?"""

# Number, scope, call, time of acceptance, id.
_Row = tuple[int, int, int, float, str]


class Search:
    """One search on its way; each method takes a connection of its own thread."""

    def __init__(self, criteria: Criteria, party: Party | None) -> None:
        self.last = 0
        self.scopes: frozenset[int] | None = None
        self._criteria = criteria
        self._party = party
        self._last_call = 0
        self._event = 0
        self._call = 0
        self._is_over = False
        self._calls_are_over = False

    def begin(self, connection: sqlite3.Connection) -> None:
        """Take note of how far the events reach, and who is meant."""
        [(self.last, self._last_call)] = connection.execute(BOUNDS).fetchall()
        if customer := self._criteria.customer:
            found = connection.execute(SCOPES, (customer,))
            self.scopes = frozenset(scope for (scope,) in found)

    def events(self, connection: sqlite3.Connection) -> Sequence[int] | None:
        """The numbers of the next events that are meant, perhaps none; None at the end."""
        if self._is_over:
            return None
        if self._criteria.call_id:
            self._is_over = True
            found = connection.execute(OF_CALL, (self._criteria.call_id,)).fetchall()
            rows = [row for (number,) in found for row in self._row(connection, number)]
        else:
            rows = connection.execute(NEXT, (self._event, self.last, _SLICE)).fetchall()
            self._is_over = len(rows) < _SLICE
            self._event = rows[-1][0] if rows else self.last
        return self._meant(connection, rows)

    def calls(self, connection: sqlite3.Connection) -> Sequence[int] | None:
        """The next calls that have no events any more and are meant; None at the end."""
        if self._calls_are_over or self._party is not None:
            # A call that has no events left has no numbers.
            return None
        if self._criteria.call_id:
            self._calls_are_over = True
            rows = connection.execute(CALLS_OF_ID, (self._criteria.call_id,)).fetchall()
        else:
            span = (self._call, self._last_call, _SLICE)
            rows = connection.execute(NEXT_CALLS, span).fetchall()
            self._calls_are_over = len(rows) < _SLICE
            self._call = rows[-1][0] if rows else self._last_call
        return [
            call
            for call, scope, last_at, has_events in rows
            if scope and not has_events and self._is_whose(scope) and self._is_early(last_at)
        ]

    def _row(self, connection: sqlite3.Connection, number: int) -> list[_Row]:
        return connection.execute(NEXT, (number - 1, number, 1)).fetchall()

    def _meant(self, connection: sqlite3.Connection, rows: Iterable[_Row]) -> Sequence[int]:
        rows = [row for row in rows if self._is_whose(row[1])]
        if self._party is not None:
            calls = dict.fromkeys(
                call for number, _, call, *_ in rows if self._bears_number(connection, number)
            )
            rows = [row for call in calls for row in connection.execute(EVENTS_OF, (call,))]
        rows = [row for row in rows if self._is_early(row[3])]
        meant = dict.fromkeys(row[0] for row in rows)
        if self._criteria.before is not None:
            # Who was told of an event is told of it in a report, and that comes later.
            meant |= dict.fromkeys(_reports_about(connection, rows))
        return list(meant)

    def _bears_number(self, connection: sqlite3.Connection, number: int) -> bool:
        found = connection.execute(BODY, (number,)).fetchall()
        return any(self._party is not None and self._party.takes_part_in(body) for (body,) in found)

    def _is_whose(self, scope: int) -> bool:
        return self.scopes is None or scope in self.scopes

    def _is_early(self, accepted_at: float) -> bool:
        return self._criteria.before is None or accepted_at < self._criteria.before


def _reports_about(connection: sqlite3.Connection, rows: Sequence[_Row]) -> Iterable[int]:
    ids: dict[int, set[str]] = {}
    for _, _, call, _, event_id in rows:
        ids.setdefault(call, set()).add(event_id)
    for call, of_call in ids.items():
        for number, body in connection.execute(REPORTS_OF, (call,)).fetchall():
            letter = letter_or_spoilt(body)
            if isinstance(letter, StoredReport) and letter.report.event_id in of_call:
                yield number
