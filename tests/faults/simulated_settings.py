"""What a simulated life is made of, drawn from one chance: settings, producers' scripts, moods.

Nothing here waits; the life itself is lived in `simulated_life`.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Final

from msgspec.structs import replace

from callpost.model.endpoint import HttpEndpoint
from callpost.model.schedule import CDR, LIVE, Schedule
from callpost.model.subscription import Ended, Filter, Order, Subscription
from callpost.model.vocabulary import KINDS, Kind
from faults.history import Promise, Sent, digest_of
from faults.simulated_disk import DiskMood
from faults.simulated_endpoints import call_of

_PASSING: Final = frozenset({"newCall", "ringing", "answer", "hold", "resume", "transfer", "dtmf"})
# A whole call, as a PBX tells of it.
_STORY: Final[tuple[Kind, ...]] = (
    *("newCall", "ringing", "answer", "dtmf", "hold", "resume", "hangup", "cdr"),
)
_ORDERS: Final[tuple[Order, ...]] = ("call", "call", "call", "none", "subscription")


@dataclass(slots=True)
class Letter:
    """An event with the line that carries it.

    `wished` has all who want it, as long as they are there. `tries` says for whom it was each
    time that it may have been stored.
    """

    sent: Sent
    line: bytes
    wished: frozenset[str] = frozenset()
    tries: list[frozenset[str]] = field(default_factory=list)

    def send(self, served: frozenset[str]) -> None:
        """It is on its way now, for whoever is there of those that want it."""
        self.tries.append(self.wished & served)
        self._tell()

    def refused(self) -> None:
        """Nothing was kept of it this time."""
        self.tries.pop()
        self._tell()

    def stored(self, *, before: bool) -> None:
        """It is stored, since this time, or since one of those `before`."""
        # The one that asks whether all is well again is written anew after a crash in that very
        # moment: then what was stored before was the letter before it, to the same.
        self.tries = (self.tries[:-1] or self.tries) if before else self.tries[-1:]
        self._tell()

    def _tell(self) -> None:
        if self.tries:
            self.sent.wanted_by = frozenset.intersection(*self.tries)
            self.sent.perhaps = frozenset.union(*self.tries) - self.sent.wanted_by


@dataclass(slots=True)
class Script:
    """What one producer still has to send: batches, each after a pause; `patient` sends again."""

    batches: list[tuple[float, list[Letter]]]
    is_patient: bool


@dataclass(slots=True)
class Settings:
    """What the configuration of one life says; `orders` may change at each start."""

    subscriptions: list[Subscription]
    orders_change: bool
    max_pending: int
    reloads: bool = False
    wishes: dict[str, tuple[frozenset[Kind], str]] = field(default_factory=dict)

    def wanted_by(self, kind: str, customer: str) -> frozenset[str]:
        """Who must get such an event: by what was drawn, not by how callpost routes."""
        return frozenset(
            name
            for name, (kinds, of_customer) in self.wishes.items()
            if (not kinds or kind in kinds) and of_customer in {"", customer}
        )


def settings(chance: Random) -> Settings:
    """Draw one to three subscriptions."""
    names = ("crm", "wall", "bill")[: chance.choice((1, 1, 1, 2, 2, 3))]
    drawn = Settings(
        subscriptions=[],
        orders_change=chance.random() < 0.1,
        max_pending=chance.choice((1_000_000, 1_000_000, 1_000_000, 12)),
    )
    drawn.reloads = chance.random() < 0.4
    for name in names:
        one = _subscription(chance, name)
        drawn.subscriptions.append(one)
        drawn.wishes[name] = (one.filter.events, one.filter.customer)
    return drawn


def promise_of(one: Subscription, drawn: Settings) -> Promise:
    """What the oracle may hold the subscription to."""
    reasons = {"expired", "refused", "rejected", "exhausted"}
    reasons |= {"superseded"} if one.stale == "skip" else set()
    reasons |= {"gap"} if one.after_gap == "skip_call" else set()
    reasons |= {"subscription_removed"} if drawn.reloads else set()
    reasons |= {"overflow"} if drawn.max_pending < 1_000 else set()
    return Promise(
        name=one.name,
        # What changes from start to start promises only what all of them do.
        order="none" if drawn.orders_change else one.order,
        reasons=frozenset(reasons),
        reported=one.report_on,
        has_callback=one.callback is not None,
        concurrency=one.concurrency,
        ages_s={kind: one.schedule_of(kind).max_age_s[kind] for kind in KINDS},
    )


def reordered(one: Subscription, chance: Random) -> Subscription:
    """The same subscription under another order."""
    return replace(one, order=chance.choice(_ORDERS))


def scripts(chance: Random, drawn: Settings) -> list[Script]:
    """Draw what one to three producers send."""
    return [
        _script(chance, drawn, name) for name in ("p1", "p2", "p3")[: chance.choice((1, 1, 2, 3))]
    ]


def disk_mood(chance: Random) -> DiskMood:
    """Draw a disk: most are well."""
    mood = DiskMood(commit_s=chance.choice((0.0, 0.001, 0.001, 0.01, 0.2)))
    match chance.randrange(10):
        case 0:
            mood.write_fails = chance.choice((0.1, 0.5))
        case 1:
            mood.full = True
        case 2:
            mood.read_fails = 0.02
        case 3:
            mood.clogs_at = 3
        case _:
            pass
    return mood


def longest_pause_s(one: Subscription) -> float:
    """How long a lane may wait for its next round."""
    both = (one.schedule, one.cdr_schedule)
    return max(pause_s for each in both for pause_s in (*each.pauses_s, *each.late_pauses_s))


def fresh(drawn: Settings, *, within_s: float) -> list[Letter]:
    """Events of calls of their own; none is bound to come that could die before it must come."""
    kinds: tuple[Kind, ...] = ("newCall", "hangup", "cdr")
    letters = [
        _letter(drawn, {"event": kind, "callId": f"fresh-{kind}", "id": f"fresh-{kind}"})
        for kind in kinds
    ]
    for kind, letter in zip(kinds, letters, strict=True):
        ages_s = [one.schedule_of(kind).max_age_s[kind] for one in drawn.subscriptions]
        if drawn.max_pending > 1_000 and min(ages_s) > within_s:
            letter.sent.within_s = within_s
    return letters


def _subscription(chance: Random, name: str) -> Subscription:
    places = ["primary", *("fallback-1", "fallback-2")[: chance.choice((0, 0, 0, 1, 2))]]
    kinds = frozenset(chance.sample(sorted(KINDS), 5)) if chance.random() < 0.2 else frozenset()
    ends: tuple[Ended, ...] = ("dead", "delivered")
    report_on = frozenset(ends[: chance.randrange(3)])
    return Subscription(
        name=name,
        endpoints=tuple(_endpoint(name, place) for place in places),
        callback=_endpoint(name, "callback") if chance.random() < 0.15 else None,
        filter=Filter(events=kinds, customer=chance.choice(("", "", "", "acme"))),
        schedule=_schedule(chance, LIVE),
        cdr_schedule=_schedule(chance, CDR),
        order=chance.choice(_ORDERS),
        concurrency=chance.choice((1, 2, 2, 4, 8)),
        rate_per_s=chance.choice((0.0, 0.0, 0.0, 0.0, 5.0, 50.0)),
        stale=chance.choice(("deliver", "deliver", "skip")),
        after_gap=chance.choice(("continue", "continue", "skip_call")),
        report=_endpoint(name, "report") if report_on else None,
        report_on=report_on,
    )


def _endpoint(name: str, place: str) -> HttpEndpoint:
    return HttpEndpoint(
        place=place,
        scheme="http",
        host=name,
        port=80,
        target="/",
        method="POSTJSON",
        level=2,
    )


def _schedule(chance: Random, built_in: Schedule) -> Schedule:
    if chance.random() < 0.15:
        return built_in
    passing_s, ending_s = chance.choice(((5.0, 60.0), (20.0, 300.0), (300.0, 900.0)))
    ages: dict[Kind, float] = {
        kind: passing_s if kind in _PASSING else ending_s for kind in sorted(KINDS)
    }
    return Schedule(
        pauses_s=chance.choice(((0.5, 1, 2, 5, 10), (1.0, 8.0), (5.0, 30.0))),
        repeats=chance.random() < 0.7,
        max_age_s=ages,
        max_rounds=chance.choice((None, None, 2, 4)),
    )


def _script(chance: Random, drawn: Settings, name: str) -> Script:
    """Stories of a few calls, interleaved and cut into batches."""
    lines: list[Letter] = []
    stories = [_story(chance, drawn, name, n) for n in range(chance.choice((1, 2, 2, 3, 4)))]
    while stories:
        story = chance.choice(stories)
        try:
            lines.append(next(story))
        except StopIteration:
            stories.remove(story)
    batches = []
    while lines:
        size = chance.choice((1, 1, 2, 5, 12))
        batches.append((chance.choice((0, 0.001, 0.1, 1, 6)), lines[:size]))
        lines = lines[size:]
    return Script(batches, is_patient=chance.random() < 0.7)


def _story(chance: Random, drawn: Settings, producer: str, number: int) -> Iterator[Letter]:
    """One call; some tell everything in order, some hold and resume and resume."""
    customer = chance.choice(("", "acme"))
    call: dict[str, object] = {"callId": f"c{number}", "source": producer}
    if customer:
        call["customer"] = customer
    kinds: tuple[Kind, ...] = _STORY[: chance.randrange(1, len(_STORY) + 1)]
    if chance.random() < 0.4:
        kinds = tuple(chance.choice(_STORY) for _ in range(chance.choice((2, 4, 9, 20))))
    for place, kind in enumerate(kinds):
        # Ids are unique within customer and source only, the oracle wants them quite unique.
        yield _letter(drawn, {"event": kind, **call, "id": f"{producer}-{number}-{place}"})


def _letter(drawn: Settings, fields: dict[str, object]) -> Letter:
    fields["data"] = {"mark": str(fields["id"])}
    if fields["event"] == "dtmf":
        fields["dtmf"] = "4*2"
    kind, customer = str(fields["event"]), str(fields.get("customer", ""))
    sent = Sent(
        id=str(fields["id"]),
        call=call_of(fields),
        kind=kind,
        digest=digest_of(fields),
        wanted_by=drawn.wanted_by(kind, customer),
        sent_at=-1.0,
    )
    return Letter(sent, json.dumps(fields).encode(), sent.wanted_by)
