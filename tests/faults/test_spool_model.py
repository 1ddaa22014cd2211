"""The spool against a plain model of it: every action, in every order, over stops and crashes.

A crash is a copy of the files without a stop, in the middle of whatever is being written: what a
kill leaves. `CALLPOST_SPOOLS=5000 pytest -m slow tests/faults/test_spool_model.py` lives longer.
"""

import os
import shutil
import tempfile
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

import pytest
import trio
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from callpost.edge.logs import collecting_log
from callpost.edge.spool import SpoolUnusable, SqliteSpool, open_spool, schema
from callpost.model.delivery import (
    Accepted,
    Arrival,
    AttemptRecord,
    Deferred,
    Delivery,
    Died,
    Done,
    Released,
    Settlement,
    Standing,
    StandingChanged,
)
from callpost.model.limits import CALL_KEPT_S, SpoolLimits
from callpost.model.replay import Selection
from examples import examples
from faults.plain_spool import Pending, PlainSpool
from faults.spool_to_damage import ask
from spool_nouns import arrival, settled

LIMITS: Final = SpoolLimits(retain_s=100.0, retain_dead_s=300.0, durability="process")
NAMES: Final = ("crm", "popup", "billing")
SPOOLS_MORE: Final = int(os.environ.get("CALLPOST_SPOOLS", "1000"))
# A test of so many ends within a minute.
CHUNK: Final = 50
_Result = TypeVar("_Result")

arrivals = st.lists(
    st.tuples(
        st.integers(0, 30), st.sampled_from("abc"), st.sampled_from(["", "pbx"]), st.integers(0, 7)
    ),
    min_size=1,
    max_size=6,
)
some = st.integers(0, 1_000)


class Loop:
    """A loop in a thread of its own, for a machine that knows nothing of loops."""

    def __init__(self) -> None:
        self._ready = threading.Event()
        self._over = trio.Event()
        self._thread = threading.Thread(target=trio.run, args=[self._main], daemon=True)
        self._thread.start()
        self._ready.wait()

    def do(self, work: Callable[[], Awaitable[_Result]]) -> _Result:
        """Run it there to its end."""
        return trio.from_thread.run(work, trio_token=self._token)

    def begin(self, work: Callable[[], Awaitable[object]]) -> None:
        """Let it run beside everything else."""
        trio.from_thread.run_sync(self._nursery.start_soon, work, trio_token=self._token)

    def end(self) -> None:
        """Leave nothing behind."""
        trio.from_thread.run_sync(self._nursery.cancel_scope.cancel, trio_token=self._token)
        self._thread.join()

    async def _main(self) -> None:
        async with trio.open_nursery() as self._nursery:
            self._token = trio.lowlevel.current_trio_token()
            self._ready.set()
            await trio.sleep_forever()


class SpoolMachine(RuleBasedStateMachine):
    """Lanes are by delivery (`order` none), so that each has a key of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.home = Path(tempfile.mkdtemp(prefix="spool-model-"))
        self.lives = 0
        self.now = 1_000.0
        self.plain = PlainSpool()
        self.numbers: dict[str, int] = {}
        self.enrolled: tuple[str, ...] = ()
        self.loop = Loop()
        self.spool = self.open()
        self.enroll(3)

    @property
    def directory(self) -> Path:
        """Of this life."""
        return self.home / f"{self.lives}"

    def open(self) -> SqliteSpool:
        """Open, with a writer at work."""

        async def opened() -> SqliteSpool:
            return open_spool(self.directory, limits=LIMITS, log=collecting_log(lambda _: None))

        spool = self.loop.do(opened)
        self.ended = trio.Event()
        self.loop.begin(partial(_run, spool, self.ended))
        return spool

    def teardown(self) -> None:
        """Stop and clean up."""
        self.close()
        self.loop.end()
        shutil.rmtree(self.home)

    def close(self) -> None:
        """Stop as a daemon does."""
        self.loop.do(partial(_finish, self.spool, self.ended))

    def owners(self) -> list[int]:
        """The subscriptions that are there."""
        return [self.numbers[name] for name in self.enrolled]

    def events(self, drawn: list[tuple[int, str, str, int]]) -> list[Arrival]:
        """What was drawn, as arrivals of now."""
        self.now += 1.0
        return [
            arrival(
                f"id-{n}",
                *(owner for place, owner in enumerate(self.owners()) if mask >> place & 1),
                call=call,
                source=source,
                at=self.now,
                body=f"{source}/id-{n}".encode(),
                expires_at=self.now + 50.0,
            )
            for n, call, source, mask in drawn
        ]

    def chosen(self, choice: int) -> tuple[int, Delivery] | None:
        """One of those that are pending, as the spool hands it out."""
        places = sorted(place for place in self.plain.pending if place[0] in self.owners())
        if not places:
            return None
        owner, position = places[choice % len(places)]
        [delivery] = self.loop.do(partial(_lane, self.spool, owner, position))
        return owner, delivery

    def drawn_settlement(self, kind: str, choice: int) -> Settlement | None:
        """A settlement of that kind for one of those that are pending."""
        found = self.chosen(choice)
        if found is None:
            return None
        owner, one = found
        attempts = (_attempt(one),)
        match kind:
            case "done":
                return Done(subscription=owner, delivery=one, attempts=attempts)
            case "died":
                return Died(
                    subscription=owner,
                    delivery=one,
                    reason="superseded" if choice % 3 == 0 else "rejected",
                    last="http:400",
                    died_at=self.now,
                    attempts=attempts,
                )
            case "deferred":
                return Deferred(
                    subscription=owner,
                    order="none",
                    key=one.position,
                    delivery=one,
                    due_at=self.now + choice % 7,
                    rounds=one.rounds + 1,
                    attempts=attempts,
                )
            case _:
                return Released(subscription=owner, order="none", key=one.position)

    @rule(drawn=arrivals)
    def append(self, drawn: list[tuple[int, str, str, int]]) -> None:
        """Some are new, some are there already, some come twice in one batch."""
        events = self.events(drawn)
        receipts = self.loop.do(partial(self.spool.append, events))
        following = self.following()
        found = [
            (receipt.number, receipt.duplicate)
            for receipt in receipts
            if isinstance(receipt, Accepted)
        ]
        assert found == self.plain.append(events, first=following - len(events))

    @rule(kind=st.sampled_from(["done", "died", "deferred", "released"]), choice=some)
    def settle(self, kind: str, choice: int) -> None:
        """Written when it is confirmed."""
        settlement = self.drawn_settlement(kind, choice)
        if settlement is not None:
            answer = self.loop.do(partial(settled, self.spool, settlement))
            assert answer == self.plain.settle(settlement)

    @rule(kind=st.sampled_from(["done", "died", "deferred"]), choice=some)
    def settle_twice(self, kind: str, choice: int) -> None:
        """The second changes nothing more, but for a lane that waits: it is made again."""
        settlement = self.drawn_settlement(kind, choice)
        if settlement is not None:
            for _ in range(2):
                self.loop.do(partial(settled, self.spool, settlement))
                self.plain.settle(settlement)

    @rule(kind=st.sampled_from(["done", "died"]))
    def end_everything(self, kind: str) -> None:
        """The way to what only a spool without pending deliveries does."""
        while (settlement := self.drawn_settlement(kind, 1)) is not None:
            self.loop.do(partial(settled, self.spool, settlement))
            self.plain.settle(settlement)

    @rule(first=st.sampled_from(["done", "died"]), then=st.sampled_from(["done", "died"]))
    def end_and_replay_and_end(self, first: str, then: str) -> None:
        """A replay that is made takes its dead letter with it; one that dies takes its place."""
        self.end_everything(first)
        self.replay(delivered=True)
        self.settle(then, 0)

    @rule(drawn=arrivals)
    def be_silent_and_call_again(self, drawn: list[tuple[int, str, str, int]]) -> None:
        """A call that has been forgotten begins anew."""
        self.append(drawn)
        self.end_everything("done")
        self.trim(150.0)
        self.trim(CALL_KEPT_S + 500.0)
        self.append(drawn)

    @rule(choice=some)
    def release_what_ended(self, choice: int) -> None:
        """A lane that has nothing left goes."""
        left = sorted(place for place in self.plain.deferred if place not in self.plain.pending)
        if left:
            owner, position = left[choice % len(left)]
            released = Released(subscription=owner, order="none", key=position)
            assert self.loop.do(partial(settled, self.spool, released))
            assert self.plain.settle(released)

    @rule(paused=st.sampled_from(["", "operator", "auto"]))
    def change_standing(self, paused: str) -> None:
        """It outlives everything but the subscription."""
        owner = self.owners()[0]
        standing = Standing(paused=paused, failing_since=self.now)  # type: ignore[arg-type]  # drawn from its words
        change = StandingChanged(subscription=owner, standing=standing)
        self.loop.do(partial(settled, self.spool, change))
        self.plain.settle(change)

    @rule(delivered=st.booleans())
    def replay(self, *, delivered: bool) -> None:
        """All that has ended, for those that are there."""
        before = self.following()
        work = partial(
            self.spool.replay,
            Selection(delivered=delivered),
            now=self.now,
            max_age_s=lambda _, __: 1_000.0,
        )
        count = self.loop.do(work).deliveries
        assert count == self.plain.replay(
            set(self.owners()), first=before, now=self.now, delivered=delivered
        )

    @rule(count=st.integers(1, 3))
    def enroll(self, count: int) -> None:
        """Some go, some come back; a number is for ever."""
        self.enrolled = NAMES[:count]
        found = self.loop.do(partial(self.spool.enroll, self.enrolled, now=self.now))
        for name, one in found.items():
            assert self.numbers.setdefault(name, one.number) == one.number
        for name, number in self.numbers.items():
            if name not in self.enrolled:
                self.plain.remove(number, now=self.now)
        standings = {one.number: one.standing for one in found.values()}
        assert standings == {
            owner: self.plain.standings.get(owner, Standing()) for owner in self.owners()
        }

    @rule(pause_s=st.sampled_from([10.0, 150.0, 400.0, CALL_KEPT_S + 500.0]))
    def trim(self, pause_s: float) -> None:
        """What was kept long enough goes, and nothing else."""
        self.now += pause_s
        self.loop.do(partial(self.spool.trim, self.now))
        self.plain.trim(self.now, retain_s=LIMITS.retain_s, retain_dead_s=LIMITS.retain_dead_s)

    @rule()
    def stop_and_start(self) -> None:
        """Everything is where it was."""
        self.close()
        self.spool = self.open()
        self.enroll(len(self.enrolled))

    @rule()
    def be_killed(self) -> None:
        """Everything that was confirmed is where it was."""
        self.crash()

    @rule(drawn=arrivals, turns=st.integers(0, 6))
    def be_killed_while_appending(self, drawn: list[tuple[int, str, str, int]], turns: int) -> None:
        """All of a batch is there, or nothing."""
        events = self.events(drawn)
        # Of the spool, not of the model: a replay takes numbers as well.
        before = self.following()
        self.loop.begin(partial(self.spool.append, events))
        self.crash(turns)
        written, following = self.plain.copy(), self.following()
        if following > before:
            written.append(events, first=following - len(events))
        self.plain = self.matching(self.plain, written)

    @rule(kind=st.sampled_from(["done", "died", "deferred"]), choice=some, turns=st.integers(0, 6))
    def be_killed_while_settling(self, kind: str, choice: int, turns: int) -> None:
        """It is as before, or as after."""
        settlement = self.drawn_settlement(kind, choice)
        if settlement is None:
            return
        self.loop.do(partial(_settle, self.spool, settlement))
        self.crash(turns)
        written = self.plain.copy()
        written.settle(settlement)
        self.plain = self.matching(self.plain, written)

    @rule()
    def meet_other_versions(self) -> None:
        """A newer callpost brings it up to date; this one then leaves it alone until it is back."""
        self.close()
        steps = schema.STEPS
        step = (f"create table newer_{self.lives}_{int(self.now)} (n integer)",)
        try:
            vars(schema)["STEPS"] = (*steps, step)
            self.spool = self.open()
            self.close()
        finally:
            vars(schema)["STEPS"] = steps
        with suppress(SpoolUnusable):
            self.spool = self.open()
            raise AssertionError("it has opened what a newer callpost has written")
        back = f"update meta set value = {len(steps)} where key = 'schema'"  # noqa: S608 - a number
        ask(self.directory, back)
        ask(self.directory, f"drop table {step[0].split()[2]}")
        self.spool = self.open()
        self.enroll(len(self.enrolled))

    def crash(self, turns: int = 0) -> None:
        """Copy the files as they are after so many turns of the loop; live on with the copy."""
        before = self.directory
        self.lives += 1
        self.directory.mkdir()
        self.loop.do(partial(_copy, before, self.directory, turns))
        self.close_of(before)
        self.spool = self.open()
        self.loop.do(partial(self.spool.enroll, self.enrolled, now=self.now))

    def close_of(self, directory: Path) -> None:
        """The life before, whose end nobody looks at."""
        self.close()
        shutil.rmtree(directory)

    def following(self) -> int:
        """The number that is given next."""
        [(following,)] = ask(self.directory, "select value from meta where key = 'next_number'")
        assert isinstance(following, int)
        return following

    def matching(self, *candidates: PlainSpool) -> PlainSpool:
        """The one of these that the spool is like."""
        found = self.state()
        for one in candidates:
            if expected(one, self.owners()) == found:
                return one
        raise AssertionError(found, [expected(one, self.owners()) for one in candidates])

    def state(self) -> object:
        """All that can be seen."""
        return self.loop.do(partial(_state, self.spool, self.directory, self.owners()))

    @invariant()
    def is_as_it_should_be(self) -> None:
        """Everything that can be seen is as the model says."""
        assert self.state() == expected(self.plain, self.owners())

    @precondition(lambda self: self.lives % 3 == 1)
    @invariant()
    def is_whole(self) -> None:
        """SQLite has nothing to say against it."""
        assert ask(self.directory, "pragma integrity_check") == [("ok",)]


def expected(plain: PlainSpool, owners: list[int]) -> object:
    """What can be seen of a spool, as the model has it."""
    return {
        owner: (
            [
                (position, *_told(plain, one), (owner, position) in plain.deferred)
                for (its, position), one in sorted(plain.pending.items())
                if its == owner
            ],
            sorted(position for its, position in plain.deferred if its == owner),
            sum(its == owner for its, _ in plain.pending),
        )
        for owner in owners
    } | {
        0: (
            sorted(plain.events),
            sorted((number, owner, one.reason) for (owner, number), one in plain.dead.items()),
        )
    }


def _told(plain: PlainSpool, one: Pending) -> tuple[object, ...]:
    body = plain.events[one.number].arrival.body
    return one.number, one.seq, one.previous_id, one.rounds, one.attempts, one.expires_at, body


async def _state(spool: SqliteSpool, directory: Path, owners: list[int]) -> object:
    events = [number for (number,) in ask(directory, "select number from events order by number")]
    dead = ask(directory, "select number, subscription, reason from dead order by 1, 2")
    return {owner: _state_of(spool, owner) for owner in owners} | {0: (events, dead)}


def _state_of(spool: SqliteSpool, owner: int) -> object:
    rows = []
    after, is_full = 0, True
    while is_full:
        page = spool.page(owner, after=after, limit=3, order="none")
        rows += [(*_seen(one), held) for one, _, held in page.rows]
        after, is_full = page.last, page.full
    due = spool.due(owner, now=1e12, limit=1_000, order="none")
    return rows, sorted(due), spool.pending_of(owner)


def _seen(one: Delivery) -> tuple[object, ...]:
    return (
        *(one.position, one.number, one.seq, one.previous_id),
        *(one.rounds, one.attempts, one.expires_at, one.body),
    )


def _attempt(delivery: Delivery) -> AttemptRecord:
    return AttemptRecord(
        number=delivery.number,
        attempt=delivery.attempts + 1,
        at=1.0,
        place="primary",
        outcome="tried",
        reason="",
        http_status=200,
        total_ms=1.0,
    )


async def _lane(spool: SqliteSpool, owner: int, position: int) -> list[Delivery]:
    return spool.lane(owner, position, after=0, limit=1, order="none")


async def _settle(spool: SqliteSpool, settlement: Settlement) -> None:
    spool.settle(settlement)


async def _run(spool: SqliteSpool, ended: trio.Event) -> None:
    try:
        await spool.run()
    finally:
        ended.set()


async def _finish(spool: SqliteSpool, ended: trio.Event) -> None:
    spool.finish()
    await ended.wait()


async def _copy(before: Path, after: Path, turns: int) -> None:
    for _ in range(turns):
        await trio.lowlevel.checkpoint()
    for name in ("spool.db", "spool.db-wal"):
        with suppress(FileNotFoundError):
            shutil.copy(before / name, after / name)


SpoolMachine.TestCase.settings = settings(
    max_examples=examples(0.6),
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=True,
)


def test_no_replay_hides_a_pending_event_from_retention() -> None:
    """The position of a replay is not the number of an event that is needed."""
    spool = SpoolMachine()
    spool.append([(0, "a", "", 3)])
    spool.end_everything("died")
    spool.append([(1, "a", "", 4)])
    spool.replay(delivered=False)
    spool.append([(0, "a", "pbx", 0)])
    spool.trim(150.0)
    spool.is_as_it_should_be()
    spool.teardown()


TestSpoolModel = SpoolMachine.TestCase


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, SPOOLS_MORE, CHUNK))
def test_many_more_lives(first: int) -> None:
    """The same, longer and more often; each time another life."""
    longer = settings(
        max_examples=min(CHUNK, SPOOLS_MORE - first),
        stateful_step_count=50,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(SpoolMachine, settings=longer)
