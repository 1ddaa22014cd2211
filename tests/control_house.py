"""A house behind the control door in which everything is known: for the tests of the door."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import trio
from msgspec.structs import replace

from callpost.api.own.app import own
from callpost.api.ports import Records
from callpost.control.app import Premises, operators
from callpost.control.ports import LogLevel
from callpost.edge.receive_unix import listen_stream
from callpost.edge.serve_asgi import Patience, serve_asgi
from callpost.engine.live import Live
from callpost.engine.witnesses import Witnesses
from callpost.model.changes import Changes, Reloaded
from callpost.model.condition import (
    HealthReport,
    Status,
    SubscriptionCondition,
    SubscriptionState,
    Unserved,
)
from callpost.model.delivery import Attempted, SpoolUnreadable
from callpost.model.fault import Fault
from callpost.model.purge import Criteria, Purged
from callpost.model.replay import Replayed, Selection, Sight
from callpost.model.story import (
    AttemptStory,
    CallStory,
    DeadDelivery,
    DeadPage,
    DeliveryStory,
    EventStory,
    PendingDelivery,
    PendingPage,
)
from callpost.model.trial import Exchange, Trial
from callpost.model.unknown import BadCursor, UnknownSubscription
from callpost.web.openapi import OPERATORS_DOOR, About
from callpost.web.operation import Operation
from callpost.web.own import own_language
from callpost.web.site import Site, everybody
from card_house import CardHouse
from conditions import HEALTHY, UNSERVED, WELL, a_subscription
from doubles import logs_into

AT = "2026-11-21T16:40:00.000Z"

ABOUT = About(version="1.2.3", sentence=OPERATORS_DOOR, server="A socket", is_open=True)
FILES = """
[[subscription]]
name = "crm"
url = "http://crm.example/calls?key=hidden"

[[forward]]
number = "101"
to = ["102"]
"""
CRM = a_subscription("crm")
STORY = EventStory(
    event_id="e/1",
    call_id="c/1",
    customer="",
    source="",
    kind="newCall",
    caller="…005",
    called="",
    direction="in",
    accepted_at=AT,
    deliveries=(
        DeliveryStory(
            subscription="crm",
            seq=1,
            state="delivered",
            reason="",
            replay=False,
            rounds=1,
            next_attempt_at=None,
            expires_at=None,
            ended_at=AT,
            attempts=(
                AttemptStory(
                    attempt=1,
                    at=AT,
                    place="primary",
                    outcome="delivered",
                    reason="http:200",
                    http_status=200,
                    total_ms=3.5,
                ),
            ),
        ),
    ),
)


class Uncounted:
    """A witness that counts nothing."""

    def attempted(self, attempt: Attempted) -> None:
        """Nothing."""

    def delivered(self, lag_s: float) -> None:
        """Nothing."""

    def accepted(self, events: int, *, duplicates: int) -> None:
        """Nothing."""

    def refused(self, code: str) -> None:
        """Nothing."""

    def died(self, subscription: str, reason: str) -> None:
        """Nothing."""

    def removed(self, subscription: str) -> None:
        """Nothing."""


@dataclass
class KnownHouse:
    """One subscription `crm`, one call `c/1`; it remembers what was asked of it."""

    report: HealthReport = HEALTHY
    faults: tuple[Fault, ...] = ()
    paused: bool = False
    readable: bool = True
    broken: bool = False
    selections: list[tuple[Selection, int, str]] = field(default_factory=list)
    dry_runs: list[bool] = field(default_factory=list)
    log_level: LogLevel = "info"

    purges: list[tuple[Criteria, bool]] = field(default_factory=list)
    cards: CardHouse = field(default_factory=lambda: CardHouse(FILES))
    sights: list[Sight | None] = field(default_factory=list)
    accepted: list[bytes | None] = field(default_factory=list)
    max_event_bytes: int = 65_536
    counts: bool = False
    taken: list[tuple[str, int, int]] = field(default_factory=list)

    # --- api.ports.Shares

    def has_room(self, customer: str) -> bool:
        """Each may take one event."""
        return all(one != customer for one, _, _ in self.taken)

    def take(self, customer: str, event_bytes: int, deliveries: int) -> None:
        """Remember it, where somebody counts."""
        if self.counts:
            self.taken.append((customer, event_bytes, deliveries))

    # --- api.ports.Producers

    async def accept(self, lines: Sequence[bytes | None]) -> list[bytes]:
        """Remember them; each is taken in."""
        self.accepted += lines
        return [b'{"ok":true,"id":"e","number":1,"matched":0}\n' for _ in lines]

    # --- control.ports.Purging

    async def purge(self, criteria: Criteria, *, dry_run: bool) -> Purged:
        """Remember it; there was one event."""
        self.purges.append((criteria, dry_run))
        return Purged(events=1)

    # --- control.ports.Roster

    def unserved(self) -> tuple[Unserved, ...]:
        """One that is left out, one that is disabled."""
        return UNSERVED

    # --- control.ports.Operating

    def health(self) -> HealthReport:
        """As it is set."""
        return self.report

    async def status(self) -> Status:
        """All is well."""
        return replace(WELL, health=self.report)

    async def subscriptions(self) -> tuple[SubscriptionState, ...]:
        """One, unless it is broken: then a bug."""
        if self.broken:
            raise ZeroDivisionError
        return (CRM,)

    async def subscription(self, name: str) -> SubscriptionState:
        """As one that is well."""
        self._known(name)
        return replace(CRM, name=name)

    def condition(self, name: str) -> SubscriptionCondition:
        """All are active, but for those that are not enabled."""
        self._known(name)
        return "active"

    def pause(self, name: str) -> None:
        """Remember it."""
        self._known(name)
        self.paused = True

    def resume(self, name: str) -> None:
        """Remember it."""
        self._known(name)
        self.paused = False

    async def test(self, name: str) -> Trial:
        """One exchange."""
        self._known(name)
        exchange = Exchange(
            kind="newCall",
            place="primary",
            endpoint="http://crm.example:80",
            method="POSTJSON",
            headers=(("webhook-id", "e1"),),
            content="{}",
            outcome="delivered",
            reason="http:200",
            http_status=200,
            answer="ok",
            connect_ms=None,
            total_ms=1.5,
        )
        return Trial(subscription=name, call_id="callpost-test-1", ok=True, exchanges=(exchange,))

    async def replay(
        self, selection: Selection, *, limit: int, cursor: str, dry_run: bool
    ) -> Replayed:
        """Remember what was selected."""
        self._check(cursor)
        self.selections.append((selection, limit, cursor))
        self.dry_runs.append(dry_run)
        return Replayed(deliveries=2, by_subscription={"crm": 2})

    # --- control.ports.Records

    async def pending(self, selection: Selection, *, limit: int, cursor: str) -> PendingPage:
        """One delivery."""
        self._check(cursor)
        self.selections.append((selection, limit, cursor))
        one = PendingDelivery(
            subscription="crm",
            event_id="e1",
            call_id="c/1",
            customer="",
            kind="newCall",
            seq=1,
            replay=False,
            rounds=0,
            attempts=0,
            accepted_at=AT,
            due_at=None,
            expires_at=AT,
        )
        return PendingPage(deliveries=(one,), total=1, next="")

    async def dead(self, selection: Selection, *, limit: int, cursor: str) -> DeadPage:
        """One dead letter."""
        self._check(cursor)
        self.selections.append((selection, limit, cursor))
        one = DeadDelivery(
            subscription="crm",
            event_id="e1",
            call_id="c/1",
            customer="",
            kind="newCall",
            seq=1,
            reason="expired",
            last="",
            attempts=3,
            accepted_at=AT,
            died_at=AT,
        )
        return DeadPage(deliveries=(one,), total=1, next="")

    async def call(
        self, call_id: str, *, customer: str, limit: int, among: Sight | None
    ) -> CallStory | None:
        """`c/1` of nobody."""
        self.sights.append(among)
        if call_id != "c/1" or customer or not limit:
            return None
        return CallStory(call_id=call_id, events=(STORY,), more=False)

    async def events(
        self, event_id: str, *, customer: str, among: Sight | None
    ) -> tuple[EventStory, ...]:
        """`e/1` of nobody."""
        self.sights.append(among)
        return (STORY,) if event_id == "e/1" and not customer else ()

    def _known(self, name: str) -> None:
        served = {one.name for one in self.cards.registered.config.subscriptions if one.enabled}
        if name not in served:
            raise UnknownSubscription(name)

    def _check(self, cursor: str) -> None:
        if cursor == "bad":
            raise BadCursor
        if not self.readable:
            raise SpoolUnreadable("The spool cannot be read: disk I/O error.")

    # --- control.ports.Settings

    async def reload(self, *, dry_run: bool) -> Reloaded:
        """Well, unless there are faults."""
        self.dry_runs.append(dry_run)
        changes = None if self.faults else Changes(unchanged=1)
        return Reloaded(ok=not self.faults, dry_run=dry_run, faults=self.faults, changes=changes)

    async def effective(self) -> dict[str, object]:
        """A table."""
        return {"state_directory": "/var/lib/callpost"}

    def set_log_level(self, level: LogLevel) -> None:
        """Remember it."""
        self.log_level = level

    # --- control.ports.Metrics

    async def page(self) -> tuple[bytes, str]:
        """One figure."""
        return b"callpost_up 1\n", "text/plain; version=0.0.4; charset=utf-8"


@dataclass
class OpenDoor:
    """A control door on a socket, what is behind it, and its log."""

    path: Path
    known: KnownHouse
    house: Premises
    witnesses: Witnesses
    live: Live
    lines: list[dict[str, object]]
    stopping: trio.Event


@asynccontextmanager
async def an_open_door(directory: Path, *, unread_s: float = 10.0) -> AsyncIterator[OpenDoor]:
    """Serve the door as the daemon does, until the block ends."""
    known, lines = KnownHouse(), list[dict[str, object]]()
    witnesses = Witnesses(Uncounted())
    live = Live(witnesses)
    house = Premises(
        operating=known,
        roster=known,
        purging=known,
        settings=known,
        metrics=known,
        live=live,
    )
    stopping = trio.Event()
    path = directory / "control.sock"
    with listen_stream(path, mode=0o600, group="") as listener:
        async with trio.open_nursery() as nursery:
            await nursery.start(
                partial(
                    serve_asgi,
                    a_site(house, known),
                    listener,
                    stopping=stopping,
                    log=logs_into(lines).log,
                    patience=Patience(unread_s=unread_s),
                )
            )
            yield OpenDoor(path, known, house, witnesses, live, lines, stopping)
            live.close()
            stopping.set()


def operations_of(
    house: Premises, known: KnownHouse, records: Records | None = None
) -> list[Operation]:
    """All that the operator's door knows; the records are the house's own, or others."""
    clients = own(known.cards, known.cards, known, known, known, records or known)
    return [*operators(house), *clients]


def a_site(house: Premises, known: KnownHouse, records: Records | None = None) -> Site:
    """The operator's site."""
    table = operations_of(house, known, records)
    return Site([own_language(table, about=ABOUT)], admit=everybody)


async def raw(path: Path, sent: bytes) -> bytes:
    """Send bytes as they are, and read until the door closes the connection."""
    stream = await trio.open_unix_socket(str(path))
    async with stream:
        with suppress(trio.BrokenResourceError):
            await stream.send_all(sent)
        answer = b""
        with suppress(trio.BrokenResourceError):
            async for chunk in stream:
                answer += chunk
        return answer
