"""Writes arrivals into the open transaction: events, deliveries, and the counters behind `seq`.

It remembers live calls and counters, so that an event of a known call costs no look-up. What it
remembers is true only as long as every transaction succeeds: after one that did not, `forget`.
"""

from collections import Counter
from collections.abc import Sequence
from itertools import islice
from typing import Final, TypeVar

from callpost.edge.spool import purged_calls
from callpost.edge.spool.connections import Connections
from callpost.edge.spool.tally import Tally
from callpost.model.delivery import Accepted, Arrival

# Entries of each kind kept in memory between commits, some 6 MiB in all: more calls than are
# alive on most switches. One that was dropped is read again from its table, which takes 2 us.
_REMEMBERED: Final = 16_384

_NEXT_NUMBER: Final = "select value from meta where key = 'next_number'"
_NEXT_CALL: Final = "select coalesce(max(call), 0) + 1 from calls"
_SAVE_NUMBER: Final = "update meta set value = ? where key = 'next_number'"
# Only a repeated id is passed over; any other clash is a bug and must be heard.
_INSERT_EVENT: Final = (
    "insert into events values (?, ?, ?, ?, ?, ?, ?) on conflict (id, scope) do nothing"
)
_INSERT_CALL: Final = (
    "insert into calls values (?, ?, ?, ?) on conflict (call_id, scope) do nothing"
)
_INSERT_DELIVERY: Final = "insert into deliveries values (?, ?, ?, ?, ?, ?, 0, 0, ?, null)"
_INSERT_REMOVED: Final = (
    "insert into dead values (?, ?, ?, ?, ?, 'subscription_removed', 0, 0, ?, '')"
)
_SAVE_COUNTER: Final = """insert into counters values (?, ?, ?, ?)
    on conflict (call, subscription) do update set seq = excluded.seq, last_id = excluded.last_id"""
FIRST_OF: Final = "select number, matched from events where id = ? and scope = ?"
CALL_OF: Final = "select call from calls where call_id = ? and scope = ?"
COUNTER_OF: Final = "select seq, last_id from counters where call = ? and subscription = ?"

_EventRow = tuple[int, str, int, int, int, float, bytes]
_CallRow = tuple[int, int, str, float]
# What a subscription was told last about a call: the seq, and the event that bore it.
_Counter = tuple[int, int]
_Told = tuple[int, str]
_UNTOLD: Final[_Told] = (0, "")
_DeliveryRow = tuple[int, int, int, int, int, str, float]
_RemovedRow = tuple[int, int, int, int, str, float]
_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


class Ledger:
    """The state of the writer that outlives a transaction.

    `removed` holds the subscriptions that have gone since the start: an event that was routed
    before that and is written after it becomes their dead letter at once.
    """

    def __init__(self, connections: Connections, *, tally: Tally) -> None:
        self.removed: frozenset[int] = frozenset()
        # Since the start events have been purged, which somebody may still have in hand.
        self.has_purged = False
        # Of purged calls it is kept how far they had come.
        self.remembers_purged = purged_calls.are_there(connections.writing)
        self._connections = connections
        self._tally = tally
        self._next_number: int = connections.writing.execute(_NEXT_NUMBER).fetchone()[0]
        self._next_call: int = connections.writing.execute(_NEXT_CALL).fetchone()[0]
        self._scopes: dict[tuple[str, str], int] = {}
        self._calls: dict[tuple[int, str], int] = {}
        self._counters: dict[_Counter, _Told] = {}

    def write(self, arrivals: Sequence[Arrival]) -> list[Accepted]:
        """Write what is new and return a receipt each, good once the transaction is."""
        if not arrivals:
            return []
        first_new_call = self._next_call
        events = self._event_rows(arrivals)
        inserted = self._connections.writing.executemany(_INSERT_EVENT, events).rowcount
        if inserted == len(events):
            receipts = [Accepted(number=event[0], matched=event[4]) for event in events]
        else:
            receipts = [self._receipt(event) for event in events]
        self._write_deliveries(arrivals, events, receipts, first_new_call)
        return receipts

    def take_numbers(self, count: int) -> int:
        """Return the first of `count` numbers in a row, for events or positions.

        A number is spent even where the transaction fails: it is never given twice.
        """
        first = self._next_number
        self._next_number = first + count
        self._connections.writing.execute(_SAVE_NUMBER, (self._next_number,))
        return first

    def forget(self) -> None:
        """Drop what was remembered; the tables have it all."""
        self._scopes.clear()
        self._calls.clear()
        self._counters.clear()

    def trim(self) -> None:
        """Drop the oldest of what was remembered, back to the bound; only between commits."""
        _drop_oldest(self._scopes)
        _drop_oldest(self._calls)
        _drop_oldest(self._counters)

    def _event_rows(self, arrivals: Sequence[Arrival]) -> list[_EventRow]:
        first = self.take_numbers(len(arrivals))
        rows, unknown = self._numbered(first, arrivals)
        if unknown and not self._make(unknown):
            rows, _ = self._numbered(first, arrivals)
        return rows

    def _numbered(
        self, first: int, arrivals: Sequence[Arrival]
    ) -> tuple[list[_EventRow], list[_CallRow]]:
        """The rows of the events, and those of calls that nobody remembers: taken for new."""
        rows = []
        unknown = []
        for number, one in enumerate(arrivals, first):
            names = (one.customer, one.source)
            scope = self._scopes.get(names) or self._scope(names)
            call = self._calls.get((scope, one.call_id))
            if call is None:
                call = self._calls[scope, one.call_id] = self._next_call
                self._next_call += 1
                unknown.append((call, scope, one.call_id, one.accepted_at))
            matched = len(one.matches)
            rows.append((number, one.id, scope, call, matched, one.accepted_at, one.body))
        return rows, unknown

    def _scope(self, names: tuple[str, str]) -> int:
        self._connections.writing.execute(
            "insert or ignore into scopes (customer, source) values (?, ?)", names
        )
        found: tuple[int] = self._connections.writing.execute(
            "select scope from scopes where customer = ? and source = ?", names
        ).fetchone()
        self._scopes[names] = found[0]
        return found[0]

    def _make(self, unknown: list[_CallRow]) -> bool:
        """Write the calls that were taken for new; where some were not, learn their numbers.

        Nearly all are new: made all at once they take half the time of a look for each first.
        """
        if self.remembers_purged:
            named = [(scope, call_id) for _, scope, call_id, _ in unknown]
            purged_calls.revive(self._connections.writing, named)
        made = self._connections.writing.executemany(_INSERT_CALL, unknown).rowcount
        if made == len(unknown):
            return True
        for _, scope, call_id, _ in unknown:
            found = self._connections.writing.execute(CALL_OF, (call_id, scope)).fetchone()
            self._calls[scope, call_id] = found[0]
        return False

    def _receipt(self, event: _EventRow) -> Accepted:
        number, matched = self._connections.writing.execute(
            FIRST_OF, (event[1], event[2])
        ).fetchone()
        return Accepted(number=number, matched=matched, duplicate=number != event[0])

    def _write_deliveries(
        self,
        arrivals: Sequence[Arrival],
        events: list[_EventRow],
        receipts: list[Accepted],
        first_new_call: int,
    ) -> None:
        pending = []
        removed = []
        told: dict[_Counter, _Told] = {}
        for arrival, event, receipt in zip(arrivals, events, receipts, strict=True):
            if receipt.duplicate:
                continue
            number, call = event[0], event[3]
            for match in arrival.matches:
                owner = match.subscription
                counter = (call, owner)
                last = self._counters.get(counter)
                if last is None:
                    # A call that was made just now has told nobody anything.
                    last = _UNTOLD if call >= first_new_call else self._told(counter)
                seq, previous_id = last
                seq += 1
                told[counter] = self._counters[counter] = (seq, arrival.id)
                if owner in self.removed:
                    removed.append((number, owner, call, seq, previous_id, arrival.accepted_at))
                else:
                    pending.append(
                        (owner, number, number, call, seq, previous_id, match.expires_at)
                    )
        if told:
            self._write_rows(pending, removed, told)

    def _write_rows(
        self,
        pending: list[_DeliveryRow],
        removed: list[_RemovedRow],
        told: dict[_Counter, _Told],
    ) -> None:
        for owner, added in Counter([row[0] for row in pending]).items():
            self._tally.add(owner, added)
        connection = self._connections.writing
        connection.executemany(_INSERT_DELIVERY, pending)
        connection.executemany(_INSERT_REMOVED, removed)
        connection.executemany(_SAVE_COUNTER, [(*key, *last) for key, last in told.items()])

    def _told(self, counter: _Counter) -> _Told:
        row: _Told | None = self._connections.writing.execute(COUNTER_OF, counter).fetchone()
        return _UNTOLD if row is None else row


def _drop_oldest(remembered: dict[_Key, _Value]) -> None:
    surplus = len(remembered) - _REMEMBERED
    if surplus > 0:
        # A quarter more than needed, so that it is not done at every commit.
        for key in list(islice(remembered, surplus + _REMEMBERED // 4)):
            del remembered[key]
