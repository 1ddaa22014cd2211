"""Writes arrivals into the open transaction: events, deliveries, and the counters behind `seq`.

It remembers live calls and counters, so that an event of a known call costs no look-up. What it
remembers is true only as long as every transaction succeeds: after one that did not, `forget`.
"""

from collections.abc import Sequence
from itertools import islice
from typing import Final, TypeVar

from callpost.edge.spool.connections import Connections
from callpost.edge.spool.tally import Tally
from callpost.model.delivery import Accepted, Arrival

# Entries of each kind kept in memory between commits: some 10 MiB, more calls than are alive on
# any one switch. One that was dropped is read again from its table.
_REMEMBERED: Final = 65_536

_NEXT_NUMBER: Final = "select value from meta where key = 'next_number'"
_SAVE_NUMBER: Final = "update meta set value = ? where key = 'next_number'"
# Only a repeated id is passed over; any other clash is a bug and must be heard.
_INSERT_EVENT: Final = (
    "insert into events values (?, ?, ?, ?, ?, ?, ?) on conflict (id, scope) do nothing"
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
_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


class Ledger:
    """The state of the writer that outlives a transaction.

    `removed` holds the subscriptions that have gone since the start: an event that was routed
    before that and is written after it becomes their dead letter at once.
    """

    def __init__(self, connections: Connections, *, tally: Tally) -> None:
        self.removed: frozenset[int] = frozenset()
        self._connections = connections
        self._tally = tally
        self._next_number: int = connections.writing.execute(_NEXT_NUMBER).fetchone()[0]
        self._scopes: dict[tuple[str, str], int] = {}
        self._calls: dict[tuple[int, str], int] = {}
        self._counters: dict[tuple[int, int], tuple[int, str]] = {}

    def write(self, arrivals: Sequence[Arrival]) -> list[Accepted]:
        """Write what is new and return a receipt each, good once the transaction is."""
        if not arrivals:
            return []
        first = self.take_numbers(len(arrivals))
        events = [self._event_row(number, one) for number, one in enumerate(arrivals, first)]
        inserted = self._connections.writing.executemany(_INSERT_EVENT, events).rowcount
        if inserted == len(events):
            receipts = [Accepted(number=event[0], matched=event[4]) for event in events]
        else:
            receipts = [self._receipt(event) for event in events]
        self._write_deliveries(arrivals, events, receipts)
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

    def _event_row(self, number: int, arrival: Arrival) -> _EventRow:
        scope = self._scope(arrival.customer, arrival.source)
        call = self._calls.get((scope, arrival.call_id))
        if call is None:
            call = self._call(scope, arrival)
        return (
            number,
            arrival.id,
            scope,
            call,
            len(arrival.matches),
            arrival.accepted_at,
            arrival.body,
        )

    def _scope(self, customer: str, source: str) -> int:
        scope = self._scopes.get((customer, source))
        if scope is None:
            names = (customer, source)
            self._connections.writing.execute(
                "insert or ignore into scopes (customer, source) values (?, ?)", names
            )
            scope = self._connections.writing.execute(
                "select scope from scopes where customer = ? and source = ?", names
            ).fetchone()[0]
            self._scopes[names] = scope
        return scope

    def _call(self, scope: int, arrival: Arrival) -> int:
        found = self._connections.writing.execute(CALL_OF, (arrival.call_id, scope)).fetchone()
        if found is None:
            made = self._connections.writing.execute(
                "insert into calls (scope, call_id, last_at) values (?, ?, ?)",
                (scope, arrival.call_id, arrival.accepted_at),
            )
            found = (made.lastrowid,)
        call: int = found[0]
        self._calls[scope, arrival.call_id] = call
        return call

    def _receipt(self, event: _EventRow) -> Accepted:
        number, matched = self._connections.writing.execute(
            FIRST_OF, (event[1], event[2])
        ).fetchone()
        return Accepted(number=number, matched=matched, duplicate=number != event[0])

    def _write_deliveries(
        self, arrivals: Sequence[Arrival], events: list[_EventRow], receipts: list[Accepted]
    ) -> None:
        pending = []
        removed = []
        told: dict[tuple[int, int], tuple[int, str]] = {}
        for arrival, event, receipt in zip(arrivals, events, receipts, strict=True):
            if receipt.duplicate:
                continue
            number, call = event[0], event[3]
            for match in arrival.matches:
                owner = match.subscription
                seq, previous_id = self._told(call, owner)
                told[call, owner] = self._counters[call, owner] = (seq + 1, arrival.id)
                if owner in self.removed:
                    removed.append((number, owner, call, seq + 1, previous_id, arrival.accepted_at))
                else:
                    self._tally.add(owner, 1)
                    pending.append(
                        (owner, number, number, call, seq + 1, previous_id, match.expires_at)
                    )
        self._connections.writing.executemany(_INSERT_DELIVERY, pending)
        self._connections.writing.executemany(_INSERT_REMOVED, removed)
        self._connections.writing.executemany(
            _SAVE_COUNTER, [(*key, *last) for key, last in told.items()]
        )

    def _told(self, call: int, subscription: int) -> tuple[int, str]:
        told = self._counters.get((call, subscription))
        if told is None:
            row = self._connections.writing.execute(COUNTER_OF, (call, subscription)).fetchone()
            told = (0, "") if row is None else (row[0], row[1])
        return told


def _drop_oldest(remembered: dict[_Key, _Value]) -> None:
    surplus = len(remembered) - _REMEMBERED
    if surplus > 0:
        # A quarter more than needed, so that it is not done at every commit.
        for key in list(islice(remembered, surplus + _REMEMBERED // 4)):
            del remembered[key]
