"""What the engine tells, and who hears of it."""

from functools import partial

import trio
from trio.testing import MockClock

from callpost.engine.witnesses import Witnesses
from callpost.model.delivery import Attempted
from callpost.model.outcome import Rejected
from doubles import Counted, ScriptedWorld
from edge.metrics.readings import an_attempt
from engine_house import a_house, a_subscription, fails

NEW_CALL = b'{"event":"newCall","callId":"1","id":"x"}'


def test_each_hears_of_an_attempt_who_counts_first() -> None:
    """So that whoever looks at figures because of an attempt finds it in them."""
    order: list[str] = []
    counted = Counted()

    def hear(name: str, attempt: Attempted) -> None:
        order.append(f"{name} after {len(counted.attempts)} {attempt.outcome}")

    Witnesses(counted, partial(hear, "log"), partial(hear, "live")).attempted(an_attempt())
    assert order == ["log after 1 delivered", "live after 1 delivered"]


def test_who_has_left_hears_no_more() -> None:
    """The others do."""
    heard: list[Attempted] = []
    other: list[Attempted] = []
    witnesses = Witnesses(Counted(), other.append)
    witnesses.join(heard.append)
    witnesses.attempted(an_attempt())
    witnesses.leave(heard.append)
    witnesses.attempted(an_attempt())
    assert (len(heard), len(other)) == (1, 2)


def test_who_counts_alone_is_told_without_a_detour() -> None:
    """One call, whether others came and went or not."""
    counted = Counted()
    witnesses = Witnesses(counted)
    guest = Counted()
    witnesses.join(guest.attempted)
    witnesses.leave(guest.attempted)
    assert witnesses.attempted == counted.attempted


async def test_events_are_told_once_for_all_that_came_together(autojump_clock: MockClock) -> None:
    """New ones and those that were there before, apart."""
    async with a_house(ScriptedWorld(), a_subscription()) as house:
        await house.intake.accept([NEW_CALL, b'{"event":"hangup","callId":"1"}'])
        await house.intake.accept([NEW_CALL])
    assert house.counted.batches == [(2, 0), (0, 1)]


async def test_refusals_are_told_by_their_code(autojump_clock: MockClock) -> None:
    """Each of them; of such a batch nothing was accepted."""
    async with a_house(ScriptedWorld(), a_subscription()) as house:
        await house.intake.accept([b"nonsense", None])
    assert (house.counted.refusals, house.counted.batches) == (["invalid", "too_large"], [])


async def test_a_delivery_is_told_with_its_time_since_acceptance(
    autojump_clock: MockClock,
) -> None:
    """Retries, pauses and all."""
    async with a_house(ScriptedWorld(fails(2)), a_subscription()) as house:
        await house.feed(("1", "newCall"))
        await trio.sleep(5)
    # The dice are loaded: the pauses are 0.5 s and 1 s, and a commit takes 1 ms.
    assert [round(lag_s, 2) for lag_s in house.counted.lags_s] == [1.5]


async def test_what_is_not_delivered_has_no_lag(autojump_clock: MockClock) -> None:
    """But an end, which is told with its reason once it is on disk."""
    async with a_house(
        ScriptedWorld(fails(1, Rejected("http_422", 422))), a_subscription()
    ) as house:
        await house.feed(("1", "newCall"))
        await trio.sleep(5)
    assert (house.counted.lags_s, house.counted.deaths) == ([], [("crm", "rejected")])
