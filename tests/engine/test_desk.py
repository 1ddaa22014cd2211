"""What an operator is told of the whole daemon, in virtual time: health and the one screen."""

import pytest
import trio
from msgspec.structs import replace
from trio.testing import MockClock

from callpost.engine.desk import Desk, Outside
from callpost.engine.operator import Operator
from callpost.model.condition import Phase, SpoolFigures, Trouble
from callpost.model.replay import Replayed, Selection
from callpost.model.unknown import CannotNow, UnknownSubscription
from conditions import WELL
from doubles import LoadedDice, ScriptedWorld, VirtualClock
from engine.test_overview import overview_of
from engine_house import House, a_house, a_subscription, an_endpoint, fails

FULL = Trouble(code="spool_full", sentence="The spool is full.")


async def a_well_spool() -> SpoolFigures:
    """The figures of a spool that is well."""
    return WELL.spool


OUTSIDE = Outside(
    version="1.2.3",
    pid=17,
    started_at=WELL.started_at,
    phase=lambda: "ready",
    is_closing=lambda: False,
    troubles=lambda: (),
    config=lambda: WELL.config,
    intake=lambda: WELL.intake,
    spool=a_well_spool,
    certificates=lambda: (),
)


class NoArchive:
    """Nothing has ended."""

    async def replay(self, *_: object, **__: object) -> Replayed:
        """Nothing to do."""
        return Replayed(deliveries=0, by_subscription={})


def desk_of(house: House, outside: Outside = OUTSIDE) -> Desk:
    """The desk of a house."""
    operator = Operator(
        archive=NoArchive(),
        dispatcher=house.dispatcher,
        clock=VirtualClock(),
        dice=LoadedDice(first_id=1_000),
    )
    return Desk(operator, overview_of(house), outside)


@pytest.mark.parametrize(
    ("phase", "is_ready"), [("starting", False), ("ready", True), ("draining", False)]
)
async def test_events_are_accepted_in_one_phase_only(
    autojump_clock: MockClock, phase: Phase, *, is_ready: bool
) -> None:
    """Whoever can answer lives, whatever the phase."""
    async with a_house(ScriptedWorld(fails(0)), a_subscription()) as house:
        health = desk_of(house, replace(OUTSIDE, phase=lambda: phase)).health()
    assert (health.live, health.ready, health.phase) == (True, is_ready, phase)


async def test_a_trouble_outside_degrades_it(autojump_clock: MockClock) -> None:
    """It is ready all the same: what can be done is done."""
    async with a_house(ScriptedWorld(fails(0)), a_subscription()) as house:
        health = desk_of(house, replace(OUTSIDE, troubles=lambda: (FULL,))).health()
    assert (health.ready, health.degraded) == (True, (FULL,))


async def test_the_screen_sums_up_and_names_who_fails(autojump_clock: MockClock) -> None:
    """One failure, then the delivery; what the engine does not know is asked for."""
    async with a_house(ScriptedWorld(fails(1)), a_subscription()) as house:
        await house.feed(("c1", "newCall"))
        # The retry comes after 0.25 to 0.5 s.
        await trio.sleep(0.1)
        failing = await desk_of(house).status()
        await trio.sleep(10)
        well = await desk_of(house).status()
    assert [one.subscriptions for one in failing.troubled] == [("crm",)]
    assert (well.attempts, well.delivered, well.troubled, well.pid) == (2, 1, (), 17)


async def test_what_a_removed_subscription_has_done_stays_in_the_sum(
    autojump_clock: MockClock,
) -> None:
    """While it comes to its end, then with what died of it, and when it is back; no reports."""
    crm = replace(
        a_subscription(), report=an_endpoint("report"), report_on=frozenset({"delivered", "dead"})
    )
    async with a_house(ScriptedWorld(fails(0)), crm) as house:
        await house.feed(("c1", "newCall"))
        await trio.sleep(10)
        house.dispatcher.pause("crm")
        await house.feed(("c2", "newCall"))
        sums = []
        for present in ([crm], [], [], [crm]):
            house.apply(*present)
            one = await desk_of(house).status()
            sums.append((one.attempts, one.delivered, one.died))
            await trio.sleep(60)
    assert sums == [(1, 1, 0), (1, 1, 0), (1, 1, 1), (1, 1, 1)]


async def test_a_paused_subscription_is_on_the_screen(autojump_clock: MockClock) -> None:
    """Until it is resumed."""
    async with a_house(ScriptedWorld(fails(0)), a_subscription()) as house:
        desk = desk_of(house)
        desk.pause("crm")
        paused = (await desk.status()).paused
        desk.resume("crm")
        assert (paused, (await desk.status()).paused) == (("crm",), ())


async def test_a_test_goes_to_the_doors_that_are_served(autojump_clock: MockClock) -> None:
    """Both events, and nothing of it is counted as a delivery."""
    async with a_house(ScriptedWorld(fails(0)), a_subscription()) as house:
        desk = desk_of(house)
        trial = await desk.test("crm")
        attempts = (await desk.subscription("crm")).attempts
    assert ([one.kind for one in trial.exchanges], attempts) == (["newCall", "hangup"], 0)


async def test_a_spool_that_closes_is_not_asked(autojump_clock: MockClock) -> None:
    """The health is told to the end."""
    async with a_house(ScriptedWorld(fails(0)), a_subscription()) as house:
        desk = desk_of(house, replace(OUTSIDE, is_closing=lambda: True))
        with pytest.raises(CannotNow, match="callpost is stopping"):
            await desk.status()
        assert desk.health().live


async def test_a_spool_that_closes_while_it_is_counted_is_not_asked_further(
    autojump_clock: MockClock,
) -> None:
    """The count of the dead letters takes its time."""
    looks = iter((False, True))
    async with a_house(ScriptedWorld(fails(0)), a_subscription()) as house:
        desk = desk_of(house, replace(OUTSIDE, is_closing=lambda: next(looks)))
        with pytest.raises(CannotNow, match="callpost is stopping"):
            await desk.subscription("crm")


async def test_an_unknown_name_is_told_by_every_verb(autojump_clock: MockClock) -> None:
    """Nothing is done."""
    async with a_house(ScriptedWorld(fails(0)), a_subscription()) as house:
        desk = desk_of(house)
        for verb in (desk.pause, desk.resume):
            with pytest.raises(UnknownSubscription):
                verb("nope")
        for question in (desk.subscription, desk.test):
            with pytest.raises(UnknownSubscription):
                await question("nope")
        with pytest.raises(UnknownSubscription):
            await desk.replay(Selection(subscription="nope"), limit=0, cursor="", dry_run=True)


async def test_a_resumed_subscription_resumes_its_reports(autojump_clock: MockClock) -> None:
    """Whoever paused them: an operator does not see their queue."""
    subscription = replace(
        a_subscription(), report=an_endpoint("report"), report_on=frozenset({"dead"})
    )
    async with a_house(ScriptedWorld(fails(0)), subscription) as house:
        house.dispatcher.pause("crm!report")
        desk_of(house).resume("crm")
        assert house.dispatcher.courier("crm!report").gate.paused == ""


async def test_the_condition_of_one_is_told_at_once(autojump_clock: MockClock) -> None:
    """Without looking at its figures; nobody has one that is not there."""
    async with a_house(ScriptedWorld(fails(0)), a_subscription()) as house:
        desk = desk_of(house)
        before = desk.condition("crm")
        desk.pause("crm")
        assert (before, desk.condition("crm")) == ("active", "paused")
        with pytest.raises(UnknownSubscription):
            desk.condition("nope")
