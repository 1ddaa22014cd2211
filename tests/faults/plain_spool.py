"""What a spool means, in dictionaries: no disk, no order of writing, nothing that can fail."""

from copy import deepcopy
from dataclasses import dataclass, field
from typing import Self

from callpost.model.delivery import (
    Arrival,
    Deferred,
    Died,
    Done,
    Released,
    Settlement,
    Standing,
    StandingChanged,
)
from callpost.model.limits import CALL_KEPT_S

# Source and callId.
Call = tuple[str, str]
# Subscription's and event's number.
Place = tuple[int, int]


@dataclass
class Event:
    """What was accepted."""

    arrival: Arrival
    call: Call


@dataclass
class Pending:
    """A delivery that waits; `number` is its event's."""

    number: int
    seq: int
    previous_id: str
    expires_at: float
    rounds: int = 0
    attempts: int = 0


@dataclass
class Ended:
    """A delivery that was made or died."""

    seq: int
    previous_id: str
    attempts: int
    at: float = 0.0
    reason: str = ""


@dataclass
class PlainSpool:
    """The state that everything confirmed so far has led to."""

    following: int = 1
    events: dict[int, Event] = field(default_factory=dict)
    ids: dict[tuple[str, str], int] = field(default_factory=dict)
    last_at: dict[Call, float] = field(default_factory=dict)
    told: dict[tuple[Call, int], tuple[int, str]] = field(default_factory=dict)
    # By subscription and position.
    pending: dict[Place, Pending] = field(default_factory=dict)
    deferred: dict[Place, float] = field(default_factory=dict)
    dead: dict[Place, Ended] = field(default_factory=dict)
    made: dict[Place, Ended] = field(default_factory=dict)
    # How often each was tried, whatever became of it: no two attempts have one number.
    tried: dict[Place, int] = field(default_factory=dict)
    standings: dict[int, Standing] = field(default_factory=dict)

    def copy(self) -> Self:
        """The same, to go another way."""
        return deepcopy(self)

    def append(self, arrivals: list[Arrival], *, first: int) -> list[tuple[int, bool]]:
        """Number and whether it is a duplicate, of each; `first` is the first number given."""
        assert first >= self.following, "a number was given twice"
        receipts = []
        for number, one in enumerate(arrivals, first):
            known = self.ids.get((one.source, one.id))
            receipts.append((number if known is None else known, known is not None))
            if known is None:
                self._store(number, one)
        self.following = first + len(arrivals)
        return receipts

    def settle(self, settlement: Settlement) -> bool:
        """What the confirmation says."""
        match settlement:
            case Done() | Died():
                self._end(settlement)
            case Deferred():
                self._defer(settlement)
            case Released(subscription=owner, key=number):
                # Lanes are by delivery here: the key is a position.
                if (owner, number) in self.pending:
                    return False
                self.deferred.pop((owner, number), None)
            case StandingChanged(subscription=owner, standing=standing):
                self.standings[owner] = standing
        return True

    def remove(self, owner: int, *, now: float) -> None:
        """The subscription is gone."""
        for place in [place for place in self.pending if place[0] == owner]:
            one = self.pending.pop(place)
            self.dead[owner, one.number] = Ended(
                one.seq, one.previous_id, one.attempts, now, "subscription_removed"
            )
        self.deferred = {place: at for place, at in self.deferred.items() if place[0] != owner}
        self.standings.pop(owner, None)

    def replay(self, owners: set[int], *, first: int, now: float, delivered: bool) -> int:
        """Queue what has ended, in the order of events; returns how many."""
        chosen = dict(self.made) if delivered else {}
        chosen |= self.dead
        waiting = {(owner, one.number) for (owner, _), one in self.pending.items()}
        position = first
        for number, owner in sorted((number, owner) for owner, number in chosen):
            if owner not in owners or (owner, number) in waiting or number not in self.events:
                continue
            one = chosen[owner, number]
            tried = max(one.attempts, self.tried.get((owner, number), 0))
            self.pending[owner, position] = Pending(
                number, one.seq, one.previous_id, now + 1_000.0, attempts=tried
            )
            position += 1
        if position > first:
            assert first >= self.following, "a position was given twice"
            self.following = position
        return position - first

    def trim(self, now: float, *, retain_s: float, retain_dead_s: float) -> None:
        """Retention."""
        self.dead = {
            place: one for place, one in self.dead.items() if one.at >= now - retain_dead_s
        }
        needed = {one.number for one in self.pending.values()}
        needed |= {number for _, number in self.dead}
        for number, event in sorted(self.events.items()):
            if event.arrival.accepted_at >= now - retain_s:
                break
            if number not in needed:
                self._forget(number, event)
        alive = {event.call for event in self.events.values()}
        for call, at in list(self.last_at.items()):
            if call not in alive and at < now - CALL_KEPT_S:
                del self.last_at[call]
                self.told = {key: told for key, told in self.told.items() if key[0] != call}

    def _store(self, number: int, one: Arrival) -> None:
        call = (one.source, one.call_id)
        self.events[number] = Event(one, call)
        self.ids[one.source, one.id] = number
        self.last_at.setdefault(call, one.accepted_at)
        for match in one.matches:
            seq, previous_id = self.told.get((call, match.subscription), (0, ""))
            self.told[call, match.subscription] = (seq + 1, one.id)
            self.pending[match.subscription, number] = Pending(
                number, seq + 1, previous_id, match.expires_at
            )

    def _end(self, settlement: Done | Died) -> None:
        owner, delivery = settlement.subscription, settlement.delivery
        one = self.pending.pop((owner, delivery.position), None)
        if one is None:
            return
        attempts = delivery.attempts + len(settlement.attempts)
        self.tried[owner, one.number] = attempts
        if isinstance(settlement, Died):
            self.dead[owner, one.number] = Ended(
                one.seq, one.previous_id, attempts, settlement.died_at, settlement.reason
            )
        else:
            self.dead.pop((owner, one.number), None)
            self.made[owner, one.number] = Ended(one.seq, one.previous_id, attempts)

    def _defer(self, deferred: Deferred) -> None:
        place = (deferred.subscription, deferred.delivery.position)
        self.deferred[place] = deferred.due_at
        if (one := self.pending.get(place)) is not None:
            one.rounds = deferred.rounds
            one.attempts = deferred.delivery.attempts + len(deferred.attempts)

    def _forget(self, number: int, event: Event) -> None:
        del self.events[number]
        del self.ids[event.arrival.source, event.arrival.id]
        self.made = {place: one for place, one in self.made.items() if place[1] != number}
        self.tried = {place: most for place, most in self.tried.items() if place[1] != number}
        self.last_at[event.call] = max(self.last_at[event.call], event.arrival.accepted_at)
