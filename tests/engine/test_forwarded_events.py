"""Forward rules at the intake: who is told of an event besides, and what its content says."""

import json

import trio
from msgspec.structs import replace
from trio.testing import MockClock

from callpost.model.forward import Forward, Forwards
from callpost.model.limits import Intake as IntakeLimits
from callpost.model.routing import Router
from callpost.model.subscription import Filter, Subscription
from callpost.model.tenancy import Registry, Tenancy
from doubles import ScriptedWorld
from engine_house import House, a_house, a_subscription


def obey(house: House, subscription: Subscription, *rules: Forward) -> None:
    """Go on with these rules, as after a reload."""
    house.intake.obey(
        Router([(1, subscription)]),
        IntakeLimits(),
        Registry(Tenancy()),
        forwards=Forwards(rules) if rules else None,
    )


async def matched(house: House, **event: object) -> object:
    """How many want the event."""
    line = json.dumps({"event": "newCall", "callId": "a", **event}).encode()
    [reply] = await house.intake.accept([line])
    return json.loads(reply)["matched"]


async def test_who_wants_a_target_is_told_of_the_call(autojump_clock: MockClock) -> None:
    """A subscription to 102 has the calls to 101."""
    wanted = replace(a_subscription(), filter=Filter(called=("102",)))
    async with a_house(ScriptedWorld(), wanted) as house:
        before = await matched(house, to="101")
        obey(house, wanted, Forward(number="101", to=("102",)))
        assert (before, await matched(house, to="101", callId="b")) == (0, 1)


async def test_who_wants_number_and_target_is_told_once(autojump_clock: MockClock) -> None:
    """One event for one subscription is one delivery."""
    wanted = replace(a_subscription(), filter=Filter(called=("101", "102", "103")))
    async with a_house(ScriptedWorld(), wanted) as house:
        obey(house, wanted, Forward(number="101", to=("102", "103")))
        assert await matched(house, to="101") == 1


async def test_the_customer_of_a_subscription_counts_all_the_same(
    autojump_clock: MockClock,
) -> None:
    """A target's number says nothing about whose it is."""
    wanted = replace(a_subscription(), filter=Filter(called=("102",), customer="globex"))
    async with a_house(ScriptedWorld(), wanted) as house:
        obey(house, wanted, Forward(number="101", to=("102",), customer="acme"))
        assert await matched(house, to="101", customer="acme") == 0


async def test_the_content_carries_link_and_diversion(autojump_clock: MockClock) -> None:
    """And still says who was called."""
    wanted = replace(a_subscription(), filter=Filter(called=("102",)))
    async with a_house(ScriptedWorld(), wanted) as house:
        obey(house, wanted, Forward(number="101", to=("102",), link_id=7))
        await matched(house, to="101")
        await trio.sleep(1)
        [sent] = house.world.sent
        event = json.loads(sent.message.content)
        assert (event["to"], event["diversion"], event["linkId"]) == ("101", "101", 7)


async def test_without_rules_nobody_else_is_told_any_more(autojump_clock: MockClock) -> None:
    """A reload may take them away."""
    wanted = replace(a_subscription(), filter=Filter(called=("102",)))
    async with a_house(ScriptedWorld(), wanted) as house:
        obey(house, wanted, Forward(number="101", to=("102",)))
        obey(house, wanted)
        assert await matched(house, to="101") == 0
