"""What lies on the simulated disk, and how a transaction changes it: all that survives a crash.

A transaction is all or nothing. It follows the rules of the spool on disk row by row, in plain
loops: here being obvious counts, not being fast on a million rows.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from callpost.model.delivery import (
    Accepted,
    Arrival,
    Deferred,
    Delivery,
    Died,
    Done,
    Released,
    Settlement,
    Standing,
    StandingChanged,
)
from callpost.model.event import CallEvent, stored
from callpost.model.flow import Way
from callpost.model.subscription import Order
from doubles import delivery_of

_Call = tuple[str, str, str]
# An event's number and a subscription's.
_Place = tuple[int, int]


@dataclass(slots=True)
class Ended:
    """A delivery that died or was made, as far as a replay needs it; `reason` "" is made."""

    delivery: Delivery
    attempts: int
    reason: str = ""


@dataclass(slots=True)
class DiskMood:
    """How the disk is today: chances are of each commit or read, `commit_s` of virtual time."""

    commit_s: float = 0.001
    full: bool = False
    write_fails: float = 0.0
    read_fails: float = 0.0
    clogs_at: int = 10_000

    def become(self, other: "DiskMood") -> None:
        """Change, while a spool is on it."""
        self.commit_s, self.full = other.commit_s, other.full
        self.write_fails, self.read_fails = other.write_fails, other.read_fails
        self.clogs_at = other.clogs_at

    def heal(self) -> None:
        """Become well."""
        self.become(DiskMood())


@dataclass(slots=True)
class Disk:
    """The rows; `buried` and `queued_again` are told of what a transaction has done for good."""

    pending: dict[int, dict[int, Delivery]] = field(default_factory=dict)
    deferred: dict[int, dict[int, tuple[int, float]]] = field(default_factory=dict)
    dead: dict[_Place, Ended] = field(default_factory=dict)
    made: dict[_Place, Ended] = field(default_factory=dict)
    standings: dict[int, Standing] = field(default_factory=dict)
    numbers: int = 0
    buried: Callable[[Died], None] = lambda _: None
    queued_again: Callable[[int, Delivery], None] = lambda _, __: None
    _ids: dict[tuple[str, str, str], Accepted] = field(default_factory=dict)
    _calls: dict[_Call, int] = field(default_factory=dict)
    _answered: set[_Call] = field(default_factory=set)
    _said: dict[_Call, list[CallEvent]] = field(default_factory=dict)
    _counters: dict[tuple[int, int], tuple[int, str]] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Nothing is pending and no lane waits."""
        return not any(self.pending.values()) and not any(self.deferred.values())

    def rows(self, owner: int) -> list[Delivery]:
        """What is pending for one subscription, in the order of positions."""
        return list(self.pending.get(owner, {}).values())

    def lane(self, owner: int, key: int, order: Order) -> list[Delivery]:
        """What is pending of one lane, in order."""
        match order:
            case "call":
                return [one for one in self.rows(owner) if one.call == key]
            case "none":
                return [one for one in self.rows(owner) if one.position == key]
            case "subscription":
                return self.rows(owner)

    def blocked(self, owner: int, order: Order) -> Callable[[Delivery], bool]:
        """Says of a delivery whether a deferred lane holds it back."""
        rows = self.deferred.get(owner, {})
        calls = {call for call, _ in rows.values()}
        match order:
            case "call":
                return lambda one: one.call in calls
            case "none":
                return lambda one: one.position in rows
            case "subscription":
                return lambda _: bool(rows)

    def was_answered(self, call: _Call) -> bool:
        """An answer of the call is kept."""
        return call in self._answered

    def way_of(self, call: _Call) -> Way:
        """What the latest newCall has said, or else the first event that has."""
        said = self._said.get(call, [])
        said = [*(one for one in reversed(said) if one.event == "newCall"), *said]
        return Way(
            next((one.direction for one in said if one.direction), None),
            next((one.from_ for one in said if one.from_), None),
        )

    def append(self, arrival: Arrival, removed: Collection[int] = ()) -> Accepted:
        """Write one event and its deliveries, unless its id is known.

        Those of whoever is `removed` are dead at once.
        """
        name = (arrival.customer, arrival.source, arrival.id)
        if (known := self._ids.get(name)) is not None:
            return Accepted(number=known.number, matched=known.matched, duplicate=True)
        self.numbers += 1
        call_name = (arrival.customer, arrival.source, arrival.call_id)
        call = self._calls.setdefault(call_name, len(self._calls) + 1)
        if arrival.body.startswith(b'{"event":"answer"'):
            self._answered.add(call_name)
        if b'"direction":' in arrival.body or b'"from":' in arrival.body:
            self._said.setdefault(call_name, []).append(stored(arrival.body))
        for match in arrival.matches:
            seq, previous_id = self._counters.get((call, match.subscription), (0, ""))
            self._counters[call, match.subscription] = (seq + 1, arrival.id)
            delivery = delivery_of(
                arrival,
                match,
                number=self.numbers,
                call=call,
                seq=seq + 1,
                previous_id=previous_id,
            )
            self._queue(match.subscription, delivery)
            if match.subscription in removed:
                self._end(match.subscription, delivery, now=arrival.accepted_at)
        receipt = Accepted(number=self.numbers, matched=len(arrival.matches))
        self._ids[name] = receipt
        return receipt

    def bury(self, owner: int, *, now: float, most: int) -> int:
        """The subscription has gone: make dead letters of the oldest that is pending for it."""
        self.standings.pop(owner, None)
        self.deferred.pop(owner, None)
        oldest = self.rows(owner)[:most]
        for delivery in oldest:
            self._end(owner, delivery, now=now)
        return len(oldest)

    def settle(self, settlement: Settlement, removed: Collection[int] = ()) -> bool:
        """Write one settlement; say what its confirmation will."""
        match settlement:
            case Done(subscription=owner, delivery=delivery):
                if self._remove(owner, delivery):
                    place = (delivery.number, owner)
                    attempts = delivery.attempts + len(settlement.attempts)
                    self.made[place] = Ended(delivery, attempts)
                    if delivery.is_replay:
                        self.dead.pop(place, None)
                    self._report(settlement.report, removed)
            case Died(subscription=owner, delivery=delivery, reason=reason):
                if self._remove(owner, delivery):
                    attempts = delivery.attempts + len(settlement.attempts)
                    self.dead[delivery.number, owner] = Ended(delivery, attempts, reason)
                    self.buried(settlement)
                    self._report(settlement.report, removed)
            case Deferred():
                self._defer(settlement)
            case Released(subscription=owner, key=key, order=order):
                if self.lane(owner, key, order):
                    return False
                self._undefer(owner, key, order)
            case StandingChanged():
                self._stand(settlement, removed)
        return True

    def replay(self, ended: Iterable[tuple[int, Ended]], *, now: float, age_s: float) -> list[int]:
        """Queue these again at the tail, but for what is pending already; returns for whom."""
        queued = []
        for owner, one in ended:
            number = one.delivery.number
            if any(row.number == number for row in self.rows(owner)):
                continue
            self.numbers += 1
            again = replace(
                one.delivery,
                position=self.numbers,
                rounds=0,
                attempts=one.attempts,
                accepted_at=now,
                expires_at=now + age_s,
            )
            self._queue(owner, again)
            self.queued_again(owner, again)
            queued.append(owner)
        return queued

    def _end(self, owner: int, delivery: Delivery, *, now: float) -> None:
        self.settle(
            Died(
                subscription=owner,
                delivery=delivery,
                reason="subscription_removed",
                last="",
                died_at=now,
                attempts=(),
            )
        )

    def _stand(self, changed: StandingChanged, removed: Collection[int]) -> None:
        if changed.subscription not in removed:
            self.standings[changed.subscription] = changed.standing

    def _queue(self, owner: int, delivery: Delivery) -> None:
        self.pending.setdefault(owner, {})[delivery.position] = delivery

    def _remove(self, owner: int, delivery: Delivery) -> bool:
        return self.pending.get(owner, {}).pop(delivery.position, None) is not None

    def _report(self, report: Arrival | None, removed: Collection[int]) -> None:
        if report is not None:
            self.append(report, removed)

    def _defer(self, deferred: Deferred) -> None:
        owner, delivery = deferred.subscription, deferred.delivery
        rows = self.pending.get(owner, {})
        if (row := rows.get(delivery.position)) is not None:
            attempts = delivery.attempts + len(deferred.attempts)
            rows[delivery.position] = replace(row, rounds=deferred.rounds, attempts=attempts)
        self._undefer(owner, deferred.key, deferred.order)
        waits = self.deferred.setdefault(owner, {})
        waits[delivery.position] = (delivery.call, deferred.due_at)

    def _undefer(self, owner: int, key: int, order: Order) -> None:
        """Take the rows of one lane, also those that another order has left behind."""
        rows = self.deferred.get(owner, {})
        match order:
            case "call":
                gone: Sequence[int] = [place for place, (call, _) in rows.items() if call == key]
            case "none":
                gone = [key] if key in rows else []
            case "subscription":
                gone = list(rows)
        for place in gone:
            del rows[place]
