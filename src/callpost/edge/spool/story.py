"""The story of a call or of an event: who wanted it, each attempt, how it ended.

What is pending is read before what is dead, and that before the attempts: so a delivery that
ends in between is told once, and never missed. Needs no loop.
"""

import json
import sqlite3
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct

from callpost.edge.spool.choice import kind_of
from callpost.model.event import CallEvent, stored
from callpost.model.instant import utc_text_within
from callpost.model.last_digits import shown
from callpost.model.limits import LogNumbers
from callpost.model.replay import Sight
from callpost.model.story import AttemptStory, CallStory, DeliveryStory, EventStory

# Attempts of one event that are told, the first ones: a thousand subscriptions with ten each.
_ATTEMPTS_MAX: Final = 10_000
# Events with one id that are told, the first ones: as many customers or producers have used it.
_NAMESAKES_MAX: Final = 1_000
# Before this schema an attempt did not know the seq of its delivery.
_ATTEMPTS_KNOW_SEQ: Final = 2

CALLS: Final = """select c.call, c.call_id, s.customer, s.source
    from calls c cross join scopes s on s.scope = c.scope where c.call_id = ?"""
EVENTS_OF_CALL: Final = """select number, id, accepted_at, body from events
    where call = ? order by number limit ?"""
EVENTS_OF_ID: Final = """select c.call, c.call_id, s.customer, s.source,
        e.number, e.id, e.accepted_at, e.body
    from events e cross join calls c on c.call = e.call
    cross join scopes s on s.scope = e.scope
    where e.id = :id and (:customer = '' or s.customer = :customer)
        and (:among is null or s.customer in (select value from json_each(:among)))
    order by e.number limit :limit"""
# Whoever was told anything about the call has a counter of it.
PENDING: Final = """select k.subscription, d.seq, d.rounds, d.expires_at, x.due_at, 0
    from counters k
    cross join deliveries d on d.subscription = k.subscription and d.position = :number
    left join deferred x on x.subscription = d.subscription and x.position = d.position
    where k.call = :call and d.number = :number"""
REPLAYED: Final = """select d.subscription, d.seq, d.rounds, d.expires_at, x.due_at, 1
    from deliveries d indexed by deliveries_replayed_of
    left join deferred x on x.subscription = d.subscription and x.position = d.position
    where d.position <> d.number and d.number = ?"""
DEAD: Final = """select subscription, seq, rounds, reason, died_at from dead
    where number = ? order by subscription"""
ATTEMPTS: Final = """select subscription, attempt, at, place, outcome, reason, http_status,
        total_ms, seq
    from attempts where number = ? order by subscription, attempt limit ?"""
NAME: Final = "select name from subscriptions where id = ?"


class _Event(Struct, frozen=True):
    call: int
    call_id: str
    customer: str
    source: str
    number: int
    id: str
    accepted_at: float
    body: bytes


class _Ending(Struct, frozen=True, kw_only=True):
    """What is known of a delivery beside its attempts."""

    seq: int
    rounds: int
    reason: str = ""
    replay: bool = False
    due_at: float | None = None
    expires_at: float | None = None
    died_at: float | None = None


class Stories:
    """Reads stories out of a spool of the given schema; `numbers` says how they are shown.

    What is not `among` what the one who asks may see is not there.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        *,
        schema: int,
        numbers: LogNumbers = "masked",
        among: Sight | None = None,
    ) -> None:
        self._connection = connection
        self._among = among
        self._numbers = numbers
        knows_seq = schema >= _ATTEMPTS_KNOW_SEQ
        self._attempts_sql = ATTEMPTS if knows_seq else ATTEMPTS.replace(", seq", ", null")

    def of_call(self, call_id: str, *, customer: str, limit: int) -> CallStory | None:
        """Tell of its first `limit` events; two producers may have used one callId."""
        events: list[_Event] = []
        for call in self._connection.execute(CALLS, (call_id,)).fetchall():
            if customer in {"", call[2]} and self._sees_customer(call[2]):
                rows = self._connection.execute(EVENTS_OF_CALL, (call[0], limit + 1))
                events += [_Event(*call, *row) for row in rows]
                # Thousands may have used it, and no more than these are ever told.
                events = sorted(events, key=lambda event: event.number)[: limit + 1]
        if not events:
            return None
        told = tuple(self._told(event) for event in events[:limit])
        return CallStory(call_id=call_id, events=told, more=len(events) > limit)

    def of_event(self, event_id: str, *, customer: str) -> tuple[EventStory, ...]:
        """Tell of the events with this id, one for each customer and source that has it."""
        wanted = {
            "id": event_id,
            "customer": customer,
            "among": None if self._among is None else json.dumps(list(self._among.customers)),
            "limit": _NAMESAKES_MAX,
        }
        rows = self._connection.execute(EVENTS_OF_ID, wanted)
        return tuple([self._told(_Event(*row)) for row in rows.fetchall()])

    def _sees_customer(self, customer: str) -> bool:
        return self._among is None or customer in self._among.customers

    def _told(self, event: _Event) -> EventStory:
        content = _content(event.body)
        return EventStory(
            event_id=event.id,
            call_id=event.call_id,
            customer=event.customer,
            source=event.source,
            kind=kind_of(event.body),
            caller=shown(content.from_, self._numbers) if content else "",
            called=shown(content.to, self._numbers) if content else "",
            direction=(content.direction if content else None) or "",
            accepted_at=utc_text_within(event.accepted_at),
            deliveries=self._deliveries(event),
        )

    def _deliveries(self, event: _Event) -> tuple[DeliveryStory, ...]:
        pending = self._pending(event)
        rows = self._connection.execute(DEAD, (event.number,)).fetchall()
        dead = {
            owner: _Ending(seq=seq, rounds=rounds, reason=reason, died_at=died_at)
            for owner, seq, rounds, reason, died_at in rows
        }
        attempts: dict[int, list[tuple[Any, ...]]] = {}
        found = self._connection.execute(self._attempts_sql, (event.number, _ATTEMPTS_MAX))
        for owner, *attempt in found.fetchall():
            attempts.setdefault(owner, []).append(tuple(attempt))
        names = {owner: self._name(owner) for owner in {*pending, *dead, *attempts}}
        return tuple(
            _delivery(name, pending.get(owner), dead.get(owner), attempts.get(owner, ()))
            for owner, name in sorted(names.items(), key=lambda one: (one[1], one[0]))
            if self._among is None or name in self._among.subscriptions
        )

    def _pending(self, event: _Event) -> dict[int, _Ending]:
        names = {"call": event.call, "number": event.number}
        rows = self._connection.execute(PENDING, names).fetchall()
        rows += self._connection.execute(REPLAYED, (event.number,)).fetchall()
        return {
            owner: _Ending(
                seq=seq, rounds=rounds, replay=replay == 1, due_at=due_at, expires_at=expires_at
            )
            for owner, seq, rounds, expires_at, due_at, replay in rows
        }

    def _name(self, owner: int) -> str:
        found = self._connection.execute(NAME, (owner,)).fetchall()
        return str(found[0][0]) if found else ""


def _content(body: bytes) -> CallEvent | None:
    """The event, None for a delivery report, or for what a failing disk has made of either."""
    try:
        return stored(body)
    except msgspec.DecodeError:
        return None


def _delivery(
    name: str,
    pending: _Ending | None,
    dead: _Ending | None,
    rows: Sequence[tuple[Any, ...]],
) -> DeliveryStory:
    attempts = tuple(_attempt(row) for row in rows)
    known = pending or dead or _made(rows)
    ended_at = known.died_at
    if ended_at is None and pending is None:
        _, at, *_, total_ms, _ = rows[-1]
        ended_at = at + total_ms / 1000
    return DeliveryStory(
        subscription=name,
        seq=known.seq,
        state="pending" if pending else "dead" if dead or not _is_made(rows) else "delivered",
        reason=known.reason,
        replay=known.replay,
        rounds=known.rounds,
        next_attempt_at=_moment(known.due_at),
        expires_at=_moment(known.expires_at),
        ended_at=_moment(ended_at),
        attempts=attempts,
    )


def _is_made(rows: Sequence[tuple[Any, ...]]) -> bool:
    """Whether it was delivered; else it had a dead letter that is no longer kept."""
    return any(outcome == "delivered" for _, _, _, outcome, *_ in rows)


def _made(rows: Sequence[tuple[Any, ...]]) -> _Ending:
    """What the attempts of a delivery tell of it: no place is tried twice in a round."""
    places = Counter(place for _, _, place, *_ in rows)
    seqs = [seq for *_, seq in rows if seq is not None]
    return _Ending(seq=seqs[-1] if seqs else 0, rounds=max(places.values()))


def _attempt(row: tuple[Any, ...]) -> AttemptStory:
    attempt, at, place, outcome, reason, http_status, total_ms, _ = row
    return AttemptStory(
        attempt=attempt,
        at=utc_text_within(at),
        place=place,
        outcome=outcome,
        reason=reason,
        http_status=http_status,
        total_ms=round(total_ms, 1),
    )


def _moment(seconds: float | None) -> str | None:
    return None if seconds is None else utc_text_within(seconds)
