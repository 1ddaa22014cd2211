"""Doubles for the engine's ports, for tests in virtual time: no threads, no sockets, no files."""

from bisect import bisect_right, insort
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

import structlog
import trio

from callpost.edge.logs import Logs, collecting_logs
from callpost.model.delivery import (
    Accepted,
    Arrival,
    Attempted,
    Deferred,
    Delivery,
    Died,
    Done,
    Match,
    Message,
    NotAccepted,
    Page,
    Receipt,
    Released,
    Report,
    Settlement,
    Standing,
    StandingChanged,
)
from callpost.model.endpoint import Endpoint
from callpost.model.event import stored
from callpost.model.flow import Way
from callpost.model.outcome import Delivered, Outcome
from callpost.model.subscription import Order

Log = structlog.typing.FilteringBoundLogger


class VirtualClock:
    """Both clocks on trio's own, which autojump moves."""

    def steady(self) -> float:
        """Seconds since the test began, more or less."""
        return trio.current_time()

    def wall(self) -> float:
        """A date in 2026 plus the time that has passed."""
        return 1_795_000_000.0 + trio.current_time() % 1_000_000


class LoadedDice:
    """Always the same number, and ids in order."""

    def __init__(self, number: float = 1.0, *, first_id: int = 1) -> None:
        self.number = number
        self._ids = first_id - 1

    def roll(self) -> float:
        """Return the number the dice are loaded with."""
        return self.number

    def event_id(self) -> str:
        """Return evt_1, evt_2, …."""
        self._ids += 1
        return f"evt_{self._ids}"


@dataclass
class MemorySpool:
    """A spool whose commits take `commit_s` of virtual time and which can be read at any time.

    Reads see what is committed, as those of the real one do.
    """

    commit_s: float = 0.001
    rows: dict[tuple[int, int], Delivery] = field(default_factory=dict)
    deferred: dict[tuple[int, int], tuple[float, int]] = field(default_factory=dict)
    dead: list[tuple[int, Delivery, str, str]] = field(default_factory=list)
    settled: list[Settlement] = field(default_factory=list)
    standings: dict[int, Standing] = field(default_factory=dict)
    full: bool = False
    clogged: bool = False
    removed: frozenset[int] = frozenset()
    _known: frozenset[int] = frozenset()
    _ids: dict[tuple[str, str, str], Accepted] = field(default_factory=dict)
    _calls: dict[tuple[str, str, str], int] = field(default_factory=dict)
    _told: dict[tuple[int, int], tuple[int, str]] = field(default_factory=dict)
    numbers: int = 0
    _counts: Counter[int] = field(default_factory=Counter)
    _in_order: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    _of_call: dict[tuple[int, int], list[int]] = field(default_factory=lambda: defaultdict(list))
    _by_due: dict[int, list[tuple[float, int]]] = field(default_factory=lambda: defaultdict(list))
    _queue: list[tuple[Settlement, Callable[[bool], None] | None]] = field(default_factory=list)
    _out: list[tuple[Settlement, Callable[[bool], None] | None]] = field(default_factory=list)
    _appends: list[tuple[Sequence[Arrival], list[Receipt], trio.Event]] = field(
        default_factory=list
    )
    _work: trio.Event = field(default_factory=trio.Event)

    async def run(self) -> None:
        """Commit what is queued, again and again, until cancelled."""
        while True:
            await self._work.wait()
            self._work = trio.Event()
            appends, self._appends = self._appends, []
            queue, self._queue = self._queue, []
            self._out = queue
            await trio.sleep(self.commit_s)
            self._out = []
            for arrivals, receipts, done in appends:
                receipts += [self._append(arrival) for arrival in arrivals]
                done.set()
            for settlement, written in queue:
                result = self._settle(settlement)
                if written is not None:
                    written(result)

    async def append(self, arrivals: Sequence[Arrival]) -> list[Receipt]:
        """See ports.Spool."""
        receipts: list[Receipt] = []
        done = trio.Event()
        self._appends.append((arrivals, receipts, done))
        self._work.set()
        await done.wait()
        return receipts

    def page(self, subscription: int, *, after: int, limit: int, order: Order) -> Page:
        """See ports.Spool."""
        found = self._pending(subscription, self._in_order[subscription], after, limit)
        rows = tuple(
            (delivery, key, (subscription, key) in self.deferred)
            for delivery in found
            for key in [_key(delivery, order)]
        )
        return Page(rows, found[-1].position if found else after, len(found) == limit)

    def due(self, subscription: int, *, now: float, limit: int, order: Order) -> list[int]:  # noqa: ARG002 - the port's
        """See ports.Spool."""
        waiting = self._by_due[subscription]
        return [key for _, key in waiting[: min(limit, bisect_right(waiting, (now, 1 << 60)))]]

    def next_due(self, subscription: int, *, now: float) -> float | None:
        """See ports.Spool."""
        waiting = self._by_due[subscription]
        place = bisect_right(waiting, (now, 1 << 60))
        return waiting[place][0] if place < len(waiting) else None

    def lane(
        self, subscription: int, key: int, *, after: int, limit: int, order: Order
    ) -> list[Delivery]:
        """See ports.Spool."""
        match order:
            case "call":
                return self._pending(subscription, self._of_call[subscription, key], after, limit)
            case "none":
                return self._pending(subscription, [key], after, 1)
            case "subscription":
                return self._pending(subscription, self._in_order[subscription], after, limit)

    def _pending(
        self, subscription: int, positions: list[int], after: int, limit: int
    ) -> list[Delivery]:
        found = []
        for place in range(bisect_right(positions, after), len(positions)):
            if (delivery := self.rows.get((subscription, positions[place]))) is not None:
                found.append(delivery)
                if len(found) == limit:
                    break
        return found

    def expired(
        self, subscription: int, *, after: int, scan: int, now: float
    ) -> tuple[list[Delivery], int]:
        """See ports.Spool."""
        seen = self._pending(subscription, self._in_order[subscription], after, scan)
        past = [delivery for delivery in seen if delivery.expires_at <= now]
        return past, seen[-1].position if len(seen) == scan else 0

    def pending_of(self, subscription: int) -> int:
        """See ports.Spool."""
        return self._counts[subscription]

    def ending(self, subscription: int) -> frozenset[int]:
        """See ports.Spool."""
        return frozenset(
            one.delivery.position
            for one, _ in (*self._out, *self._queue)
            if isinstance(one, Done | Died) and one.subscription == subscription
        )

    def has_gap(self, subscription: int, call: int) -> bool:
        """See ports.Spool."""
        return any(
            owner == subscription and delivery.call == call and reason != "superseded"
            for owner, delivery, reason, _ in self.dead
        )

    def settle(self, settlement: Settlement, written: Callable[[bool], None] | None = None) -> None:
        """See ports.Spool."""
        self._queue.append((settlement, written))
        self._work.set()

    def serve(self, names: Mapping[int, str]) -> None:
        """See ports.Spool."""
        self._known |= names.keys()
        self.removed = self._known - names.keys()

    async def bury(self, subscription: int, *, now: float) -> int:  # noqa: ARG002 - the port's
        """See ports.Spool; two at a time, half-way through the commit."""
        await trio.sleep(self.commit_s / 2)
        died = self._bury(subscription)
        await trio.sleep(self.commit_s / 2)
        return died

    def _bury(self, subscription: int) -> int:
        if subscription not in self.removed:
            return 0
        self.standings.pop(subscription, None)
        for place in [place for place in self.deferred if place[0] == subscription]:
            self._undefer(*place)
        first = self._pending(subscription, self._in_order[subscription], 0, 2)
        for delivery in first:
            self._remove(subscription, delivery)
            self.dead.append((subscription, delivery, "subscription_removed", ""))
        return len(first)

    def is_purged(self, number: int) -> bool:  # noqa: ARG002 - the port's
        """See ports.Spool; nobody purges here."""
        return False

    def was_answered(self, *, customer: str, source: str, call_id: str) -> bool:
        """See ports.Spool."""
        call = self._calls.get((customer, source, call_id))
        return any(
            delivery.call == call and delivery.body.startswith(b'{"event":"answer"')
            for delivery in self.rows.values()
        )

    def way_of(self, *, customer: str, source: str, call_id: str) -> Way:
        """See ports.Spool."""
        call = self._calls.get((customer, source, call_id))
        of_call = [one.body for one in self.rows.values() if one.call == call]
        # A delivery report has none, and is no event.
        said = [stored(one) for one in of_call if b'"direction":' in one or b'"from":' in one]
        said = [*(one for one in reversed(said) if one.event == "newCall"), *said]
        return Way(
            next((one.direction for one in said if one.direction), None),
            next((one.from_ for one in said if one.from_), None),
        )

    def forget_uncommitted(self) -> None:
        """The process has died: what only its memory knew is gone."""
        self._queue.clear()
        self._appends.clear()

    def _append(self, arrival: Arrival) -> Receipt:
        if self.full:
            return NotAccepted("spool_full", "The spool is full.")
        known = self._ids.get((arrival.customer, arrival.source, arrival.id))
        if known is not None:
            return Accepted(number=known.number, matched=known.matched, duplicate=True)
        self.numbers += 1
        name = (arrival.customer, arrival.source, arrival.call_id)
        call = self._calls.setdefault(name, len(self._calls) + 1)
        for match in arrival.matches:
            seq, previous_id = self._told.get((call, match.subscription), (0, ""))
            self._told[call, match.subscription] = (seq + 1, arrival.id)
            delivery = delivery_of(
                arrival,
                match,
                number=self.numbers,
                call=call,
                seq=seq + 1,
                previous_id=previous_id,
            )
            if match.subscription in self.removed:
                self.dead.append((match.subscription, delivery, "subscription_removed", ""))
                continue
            self.rows[match.subscription, self.numbers] = delivery
            self._counts[match.subscription] += 1
            self._in_order[match.subscription].append(self.numbers)
            self._of_call[match.subscription, call].append(self.numbers)
        receipt = Accepted(number=self.numbers, matched=len(arrival.matches))
        self._ids[arrival.customer, arrival.source, arrival.id] = receipt
        return receipt

    def _settle(self, settlement: Settlement) -> bool:
        self.settled.append(settlement)
        match settlement:
            case Done(subscription=owner, delivery=delivery):
                if self._remove(owner, delivery) and settlement.report:
                    self._append(settlement.report)
            case Died(subscription=owner, delivery=delivery, reason=reason, last=last):
                if self._remove(owner, delivery):
                    self.dead.append((owner, delivery, reason, last))
                    if settlement.report:
                        self._append(settlement.report)
            case StandingChanged():
                self._stand(settlement)
            case Deferred(subscription=owner, key=key, delivery=delivery):
                self._defer(settlement)
                self._undefer(owner, key)
                self.deferred[owner, key] = (settlement.due_at, delivery.position)
                insort(self._by_due[owner], (settlement.due_at, key))
            case Released(subscription=owner, key=key, order=order):
                if self.lane(owner, key, after=0, limit=1, order=order):
                    return False
                self._undefer(owner, key)
        return True

    def _stand(self, changed: StandingChanged) -> None:
        if changed.subscription not in self.removed:
            self.standings[changed.subscription] = changed.standing

    def _remove(self, owner: int, delivery: Delivery) -> bool:
        was_there = self.rows.pop((owner, delivery.position), None) is not None
        self._counts[owner] -= was_there
        return was_there

    def _undefer(self, owner: int, key: int) -> None:
        due_at, _ = self.deferred.pop((owner, key), (None, 0))
        if due_at is not None:
            self._by_due[owner].remove((due_at, key))

    def _defer(self, settlement: Deferred) -> None:
        at = (settlement.subscription, settlement.delivery.position)
        row = self.rows.get(at)
        if row is None:
            return
        self.rows[at] = Delivery(
            position=row.position,
            number=row.number,
            call=row.call,
            seq=row.seq,
            previous_id=row.previous_id,
            rounds=settlement.rounds,
            attempts=row.attempts + len(settlement.attempts),
            accepted_at=row.accepted_at,
            expires_at=row.expires_at,
            body=row.body,
        )


def _key(delivery: Delivery, order: Order) -> int:
    return {"call": delivery.call, "none": delivery.position, "subscription": 0}[order]


Behaviour = Callable[[Endpoint, Message], Awaitable[Outcome]]


async def delivered(_: Endpoint, __: Message) -> Outcome:
    """A subscriber that is well."""
    return Delivered()


@dataclass
class Sent:
    """One attempt, as the scripted world saw it."""

    at: float
    place: str
    message: Message
    outcome: Outcome | None = None


class ScriptedWorld:
    """Every endpoint at once: `behave` decides, `sent` remembers."""

    def __init__(self, behave: Behaviour = delivered) -> None:
        self.behave = behave
        self.sent: list[Sent] = []
        self.out = 0
        self.out_most = 0

    def open_sender(self, endpoint: Endpoint, tenant: str) -> "ScriptedSender":  # noqa: ARG002 - the port's
        """Return the sender for one endpoint; see ports.SenderFactory."""
        return ScriptedSender(self, endpoint)


class ScriptedSender:
    """Sends into the scripted world."""

    def __init__(self, world: ScriptedWorld, endpoint: Endpoint) -> None:
        self._world = world
        self._endpoint = endpoint

    async def send(self, message: Message) -> Report:
        """See ports.Sender."""
        started_at = trio.current_time()
        sent = Sent(started_at, self._endpoint.place, message)
        self._world.sent.append(sent)
        self._world.out += 1
        self._world.out_most = max(self._world.out_most, self._world.out)
        try:
            sent.outcome = await self._world.behave(self._endpoint, message)
        finally:
            self._world.out -= 1
        total_ms = (trio.current_time() - started_at) * 1000
        return Report(outcome=sent.outcome, connect_ms=None, total_ms=total_ms, reused=True)

    def headers(self, message: Message) -> tuple[tuple[str, str], ...]:
        """See ports.Sender."""
        return (("webhook-id", message.id),)

    def close(self) -> None:
        """See ports.Sender."""


@dataclass
class Counted:
    """A witness that remembers all that it was told."""

    attempts: list[Attempted] = field(default_factory=list)
    lags_s: list[float] = field(default_factory=list)
    batches: list[tuple[int, int]] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    deaths: list[tuple[str, str]] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)

    def attempted(self, attempt: Attempted) -> None:
        """See ports.Witness."""
        self.attempts.append(attempt)

    def delivered(self, lag_s: float) -> None:
        """See ports.Witness."""
        self.lags_s.append(lag_s)

    def accepted(self, events: int, *, duplicates: int) -> None:
        """See ports.Witness."""
        self.batches.append((events, duplicates))

    def refused(self, code: str) -> None:
        """See ports.Witness."""
        self.refusals.append(code)

    def died(self, subscription: str, reason: str) -> None:
        """See ports.Witness."""
        self.deaths.append((subscription, reason))

    def removed(self, subscription: str) -> None:
        """See ports.Witness."""
        self.gone.append(subscription)


def delivery_of(
    arrival: Arrival, match: Match, *, number: int, call: int, seq: int, previous_id: str
) -> Delivery:
    """The delivery of an arrival that has just been stored."""
    return Delivery(
        position=number,
        number=number,
        call=call,
        seq=seq,
        previous_id=previous_id,
        rounds=0,
        attempts=0,
        accepted_at=arrival.accepted_at,
        expires_at=match.expires_at,
        body=arrival.body,
    )


def logs_into(lines: list[dict[str, object]]) -> Logs:
    """Return a log that only remembers."""
    return collecting_logs(lambda fields: lines.append(dict(fields)))
