"""Subscriptions that come, go and change while the engine works, in virtual time."""

import trio
from msgspec.structs import replace
from trio.testing import MockClock, wait_all_tasks_blocked

from callpost.model.delivery import Enrolled, Message, Standing
from callpost.model.endpoint import Endpoint
from callpost.model.outcome import Delivered, Gone, Outcome, Retry
from callpost.model.subscription import Subscription
from doubles import MemorySpool, ScriptedWorld
from engine_house import DOWN, House, a_house, a_subscription, an_endpoint, fails

CRM = a_subscription()
NOTED = replace(CRM, note="another")
REPORTED = replace(CRM, report=an_endpoint("report"), report_on=frozenset({"delivered"}))


class Slow:
    """A subscriber that takes ten seconds to answer, and counts who is with it at a time."""

    def __init__(self, outcome: Outcome | None = None) -> None:
        self.outcome = outcome or Delivered()
        self.calls: list[tuple[str, float, float]] = []

    async def __call__(self, _: Endpoint, message: Message) -> Outcome:
        """Take the event, in time."""
        began = trio.current_time()
        await trio.sleep(10)
        self.calls.append((message.id, began, trio.current_time()))
        return self.outcome


def named(name: str) -> Subscription:
    """Another one to everything."""
    return replace(CRM, name=name)


def ids(house: House) -> list[str]:
    """What was sent, in order."""
    return [sent.message.id for sent in house.world.sent]


async def test_an_added_subscription_gets_what_comes_from_now_on(autojump_clock: MockClock) -> None:
    """What was there before is not for it."""
    world = ScriptedWorld()
    async with a_house(world, CRM) as house:
        await house.feed(("c1", "newCall"))
        house.apply(CRM, named("wall"))
        await house.feed(("c2", "newCall"))
        await trio.sleep(1)
    assert sorted(ids(house)) == ["evt_1", "evt_2", "evt_2"]


async def test_who_is_unchanged_is_left_alone(autojump_clock: MockClock) -> None:
    """The same courier, with its lanes, its breaker and its connections."""
    async with a_house(ScriptedWorld(), CRM) as house:
        before = house.dispatcher.courier("crm")
        house.apply(replace(CRM), named("wall"))
        await trio.sleep(1)
        assert house.dispatcher.courier("crm") is before


async def test_who_is_changed_has_a_successor(autojump_clock: MockClock) -> None:
    """The same queue under new settings."""
    async with a_house(ScriptedWorld(), CRM) as house:
        before = house.dispatcher.courier("crm")
        house.apply(NOTED)
        await trio.sleep(1)
        assert house.dispatcher.courier("crm") is not before


async def test_an_attempt_in_flight_ends_under_the_old_settings(autojump_clock: MockClock) -> None:
    """It is neither cut short nor made again by the successor."""
    world = ScriptedWorld(Slow())
    async with a_house(world, CRM) as house:
        await house.feed(("c1", "newCall"))
        await trio.sleep(1)
        house.apply(NOTED)
        await trio.sleep(60)
    assert (ids(house), house.spool.rows) == (["evt_1"], {})


async def test_the_successor_waits_until_the_predecessor_has_ended(
    autojump_clock: MockClock,
) -> None:
    """Nothing of a call overtakes what was in flight when the settings changed."""
    slow = Slow()
    async with a_house(ScriptedWorld(slow), CRM) as house:
        await house.feed(("c1", "newCall"), ("c1", "hangup"), ("c2", "newCall"))
        await trio.sleep(1)
        house.apply(NOTED)
        await house.feed(("c3", "newCall"))
        await trio.sleep(60)
    ends = {event_id: ended for event_id, _, ended in slow.calls}
    begins = {event_id: began for event_id, began, _ in slow.calls}
    assert begins["evt_2"] >= max(ends["evt_1"], ends["evt_3"])


async def test_the_successor_waits_until_everything_is_written(autojump_clock: MockClock) -> None:
    """On a slow disk a delivery that was made is pending for a while: it is not made again."""
    spool = MemorySpool(commit_s=30)
    world = ScriptedWorld(Slow())
    async with a_house(world, CRM, spool) as house:
        await house.feed(*((f"c{n}", "newCall") for n in range(5)))
        await trio.sleep(1)
        house.apply(NOTED)
        await trio.sleep(300)
    assert sorted(ids(house)) == [f"evt_{n}" for n in range(1, 6)]


async def test_a_change_keeps_the_pause_of_a_retry(autojump_clock: MockClock) -> None:
    """Neither sooner nor later, and with the count of attempts."""
    world = ScriptedWorld(fails(2))
    async with a_house(world, CRM) as house:
        await house.feed(("c1", "newCall"))
        await trio.sleep(0.2)
        house.apply(NOTED)
        await trio.sleep(60)
        attempts = [sent.message.attempt for sent in world.sent]
        assert (house.attempts_at(), attempts) == ([0.0, 0.5, 1.5], [1, 2, 3])


async def test_a_change_ends_a_round_after_the_attempt_in_hand(autojump_clock: MockClock) -> None:
    """The fallback of the old settings is not asked any more."""
    before = a_subscription(fallbacks=1)
    after = replace(before, endpoints=(an_endpoint(), an_endpoint("fallback-2")))
    world = ScriptedWorld(Slow(DOWN))
    async with a_house(world, before) as house:
        await house.feed(("c1", "newCall"))
        await trio.sleep(1)
        house.apply(after)
        await trio.sleep(15)
    assert "fallback-1" not in [sent.place for sent in world.sent]


async def test_a_change_keeps_an_operators_pause(autojump_clock: MockClock) -> None:
    """Who has paused it decides when it goes on."""
    world = ScriptedWorld()
    async with a_house(world, CRM) as house:
        house.dispatcher.pause("crm")
        house.apply(NOTED)
        await house.feed(("c1", "newCall"))
        await trio.sleep(60)
    assert world.sent == []


async def test_a_pause_counts_also_while_the_predecessor_ends(autojump_clock: MockClock) -> None:
    """The successor hears of it."""
    world = ScriptedWorld(Slow())
    async with a_house(world, CRM) as house:
        await house.feed(("c1", "newCall"))
        await trio.sleep(1)
        house.apply(NOTED)
        house.dispatcher.pause("crm")
        await house.feed(("c2", "newCall"))
        await trio.sleep(60)
    assert ids(house) == ["evt_1"]


async def test_who_was_gone_goes_on_at_another_endpoint(autojump_clock: MockClock) -> None:
    """A 410 is about the endpoint that has said it."""

    async def behave(endpoint: Endpoint, _: Message) -> Outcome:
        await trio.lowlevel.checkpoint()
        return Gone(reason="410") if endpoint.host == "crm.example" else Delivered()

    moved = replace(CRM, endpoints=(replace(an_endpoint(), host="new.example"),))
    async with a_house(ScriptedWorld(behave), CRM) as house:
        await house.feed(("c1", "newCall"))
        await trio.sleep(1)
        house.apply(moved)
        await trio.sleep(600)
        assert house.spool.rows == {}


async def test_a_removed_subscription_begins_nothing_further(autojump_clock: MockClock) -> None:
    """What is in hand is finished, the rest is dead."""
    world = ScriptedWorld(Slow())
    one_at_a_time = replace(CRM, concurrency=1)
    async with a_house(world, one_at_a_time) as house:
        await house.feed(*((f"c{n}", "newCall") for n in range(6)))
        await trio.sleep(1)
        house.apply()
        await trio.sleep(60)
    assert (ids(house), house.reasons()) == (["evt_1"], ["subscription_removed"] * 5)


async def test_the_end_of_a_removed_subscription_is_told(autojump_clock: MockClock) -> None:
    """With the number of its dead letters, each of which is counted."""
    async with a_house(ScriptedWorld(fails(9)), replace(CRM, concurrency=1)) as house:
        await house.feed(*((f"c{n}", "newCall") for n in range(3)))
        house.apply()
        await trio.sleep(60)
    [line] = house.logged("subscription.removed")
    assert (line["subscription"], line["dead"]) == ("crm", 3)
    assert house.counted.deaths == [("crm", "subscription_removed")] * 3
    assert house.counted.gone == ["crm"]


async def test_of_a_removed_subscription_nothing_is_remembered(autojump_clock: MockClock) -> None:
    """Customers come and go for years; who comes back is counted anew."""
    async with a_house(ScriptedWorld(), CRM) as house:
        await house.feed(("c1", "newCall"))
        await trio.sleep(1)
        house.apply()
        await trio.sleep(60)
        house.apply(CRM)
        attempts = house.dispatcher.courier("crm").gate.figures.attempts
    assert (len(house.world.sent), attempts) == (1, 0)


async def test_what_was_on_its_way_to_a_removed_subscription_is_dead(
    autojump_clock: MockClock,
) -> None:
    """Routed before, on disk after: it is not lost without a word."""
    async with a_house(ScriptedWorld(), CRM, MemorySpool(commit_s=5)) as house:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(house.feed, ("c1", "newCall"))
            await wait_all_tasks_blocked()
            house.apply()
        await trio.sleep(60)
    assert (house.reasons(), house.spool.rows) == (["subscription_removed"], {})


async def test_an_unknown_subscription_gets_no_events(autojump_clock: MockClock) -> None:
    """Once it is removed nothing is routed to it."""
    async with a_house(ScriptedWorld(), CRM) as house:
        house.apply()
        await house.feed(("c1", "newCall"))
        await trio.sleep(60)
    assert (house.world.sent, house.spool.dead) == ([], [])


async def test_a_removed_subscription_that_comes_back_works(autojump_clock: MockClock) -> None:
    """As if it were new, also when its name is an old one."""
    async with a_house(ScriptedWorld(), CRM) as house:
        house.apply()
        await trio.sleep(60)
        house.apply(CRM)
        await house.feed(("c1", "newCall"))
        await trio.sleep(60)
    assert ids(house) == ["evt_1"]


async def test_a_pause_ends_with_the_subscription(autojump_clock: MockClock) -> None:
    """Who brings it back begins anew."""
    async with a_house(ScriptedWorld(), CRM) as house:
        house.dispatcher.pause("crm")
        house.apply()
        await trio.sleep(60)
        house.apply(CRM)
        await house.feed(("c1", "newCall"))
        await trio.sleep(60)
    assert ids(house) == ["evt_1"]


async def test_one_that_comes_back_at_once_delivers_what_is_not_dead_yet(
    autojump_clock: MockClock,
) -> None:
    """A second reload before the first one's courier has ended takes the removal back."""
    world = ScriptedWorld(Slow())
    async with a_house(world, replace(CRM, concurrency=1)) as house:
        await house.feed(*((f"c{n}", "newCall") for n in range(3)))
        await trio.sleep(1)
        house.apply()
        await trio.sleep(1)
        house.apply(CRM)
        await trio.sleep(60)
    assert (sorted(ids(house)), house.spool.dead) == (["evt_1", "evt_2", "evt_3"], [])


async def test_one_that_comes_back_while_it_is_buried_loses_no_event(
    autojump_clock: MockClock,
) -> None:
    """Each has arrived or is a dead letter, and nothing is both."""
    world = ScriptedWorld()
    spool = MemorySpool(commit_s=1)
    async with a_house(world, CRM, spool) as house:
        house.dispatcher.pause("crm")
        await house.feed(*((f"c{n}", "newCall") for n in range(10)))
        house.apply()
        await trio.sleep(3.5)
        house.apply(CRM)
        await trio.sleep(60)
    dead = [delivery.number for _, delivery, *_ in spool.dead]
    sent = [int(event_id.removeprefix("evt_")) for event_id in ids(house)]
    assert 0 < len(dead) < 10
    assert sorted(dead + sent) == list(range(1, 11))


async def test_of_many_changes_in_a_row_the_last_counts(autojump_clock: MockClock) -> None:
    """The couriers between are never hired."""
    async with a_house(ScriptedWorld(Slow()), CRM) as house:
        await house.feed(("c1", "newCall"))
        await trio.sleep(1)
        for n in range(5):
            house.apply(replace(CRM, note=str(n)))
        await trio.sleep(60)
        assert house.dispatcher.queues["crm"].note == "4"
        assert ids(house) == ["evt_1"]


async def test_reports_follow_their_subscription(autojump_clock: MockClock) -> None:
    """Whoever asks for them from now on gets them from now on."""
    world = ScriptedWorld()
    async with a_house(world, CRM) as house:
        await house.feed(("c1", "newCall"))
        await trio.sleep(1)
        house.apply(REPORTED)
        await trio.sleep(1)
        await house.feed(("c2", "newCall"))
        await trio.sleep(1)
    assert [sent.place for sent in world.sent] == ["primary", "primary", "report"]


async def test_reports_end_with_their_subscription(autojump_clock: MockClock) -> None:
    """A report that is made while its queue goes is a dead letter like any other."""
    world = ScriptedWorld(Slow())
    async with a_house(world, REPORTED) as house:
        await house.feed(("c1", "newCall"))
        await trio.sleep(1)
        house.apply()
        await trio.sleep(600)
    assert ([sent.place for sent in world.sent], house.reasons()) == (
        ["primary"],
        ["subscription_removed"],
    )


async def test_another_way_out_gives_everybody_a_successor(autojump_clock: MockClock) -> None:
    """Connections that were allowed under other rules are not kept."""
    world, other = ScriptedWorld(), ScriptedWorld()
    async with a_house(world, CRM) as house:
        before = house.dispatcher.courier("crm")
        enrolled = {"crm": Enrolled(1, Standing())}
        house.dispatcher.apply({"crm": CRM}, enrolled, open_sender=other.open_sender)
        await trio.sleep(1)
        await house.feed(("c1", "newCall"))
        await trio.sleep(1)
        assert house.dispatcher.courier("crm") is not before
    assert (len(world.sent), len(other.sent)) == (0, 1)


async def test_a_stop_does_not_wait_for_a_successor(autojump_clock: MockClock) -> None:
    """It is over when the attempt in flight is; the next start begins under the new settings."""
    async with a_house(ScriptedWorld(Slow()), CRM) as house:
        await house.feed(("c1", "newCall"))
        await trio.sleep(1)
        house.spool.commit_s = 1000
        house.apply(NOTED)
        await trio.sleep(20)
        house.dispatcher.drain()
        with trio.fail_after(1):
            await house.ended.wait()
    assert ids(house) == ["evt_1"]


async def test_nothing_is_applied_once_it_stops(autojump_clock: MockClock) -> None:
    """Whoever comes too late changes nothing."""
    async with a_house(ScriptedWorld(), CRM) as house:
        house.dispatcher.drain()
        house.apply(named("wall"))
        await house.ended.wait()
        assert list(house.dispatcher.queues) == ["crm"]


async def test_a_change_keeps_what_is_known_of_an_endpoint(autojump_clock: MockClock) -> None:
    """Whose breaker is open is only probed, by whom ever."""
    world = ScriptedWorld(fails(1000))
    async with a_house(world, CRM) as house:
        await house.feed(*((f"c{n}", "hangup") for n in range(50)))
        await trio.sleep(10)
        before = len(world.sent)
        house.apply(NOTED)
        await trio.sleep(5)
        assert len(world.sent) - before <= 2


async def test_a_change_of_the_endpoint_gives_it_another_chance(autojump_clock: MockClock) -> None:
    """Perhaps that was what it took."""
    world = ScriptedWorld(fails(20))
    moved = replace(CRM, endpoints=(replace(an_endpoint(), target="/new"),))
    async with a_house(world, CRM) as house:
        await house.feed(*((f"c{n}", "hangup") for n in range(50)))
        await trio.sleep(10)
        world.behave = fails(0)
        house.apply(moved)
        await trio.sleep(5)
        assert house.spool.rows == {}


async def test_a_wish_for_rest_outlives_a_change(autojump_clock: MockClock) -> None:
    """Retry-After is about the endpoint, which is the same."""
    wish = Retry(reason="http:503", http_status=503, retry_after_s=60)
    world = ScriptedWorld(fails(1, wish))
    async with a_house(world, CRM) as house:
        await house.feed(("c1", "hangup"))
        await trio.sleep(1)
        house.apply(NOTED)
        await house.feed(("c2", "hangup"))
        await trio.sleep(300)
    assert min(house.attempts_at()[1:]) >= 60


async def test_a_pause_counts_also_while_the_disk_is_slow(autojump_clock: MockClock) -> None:
    """The predecessor has ended, and what it settled is not written yet."""
    world = ScriptedWorld()
    async with a_house(world, CRM) as house:
        house.spool.commit_s = 10
        house.apply(NOTED)
        await trio.sleep(1)
        house.dispatcher.pause("crm")
        await house.feed(("c1", "newCall"))
        await trio.sleep(60)
        assert (ids(house), house.spool.standings[1].paused) == ([], "operator")


async def test_a_pause_counts_also_while_it_comes_back(autojump_clock: MockClock) -> None:
    """Its books were being closed, and it has no new courier yet."""
    world = ScriptedWorld()
    async with a_house(world, CRM) as house:
        house.dispatcher.pause("crm")
        await house.feed(*((f"c{n}", "newCall") for n in range(10)))
        house.spool.commit_s = 10
        house.apply()
        await trio.sleep(15)
        house.apply(CRM)
        house.dispatcher.pause("crm")
        await trio.sleep(600)
        assert (ids(house), house.spool.standings[1].paused) == ([], "operator")


async def test_one_that_comes_and_goes_while_it_is_buried_is_buried(
    autojump_clock: MockClock,
) -> None:
    """Nothing stays behind without a courier."""
    async with a_house(ScriptedWorld(), CRM) as house:
        house.dispatcher.pause("crm")
        await house.feed(*((f"c{n}", "newCall") for n in range(10)))
        house.spool.commit_s = 10
        house.apply()
        # From 10 s on its books are being closed: who looks at 15 s finds it back.
        await trio.sleep(12)
        house.apply(CRM)
        await trio.sleep(6)
        house.apply()
        await trio.sleep(600)
        assert (house.spool.rows, len(house.spool.dead)) == ({}, 10)
