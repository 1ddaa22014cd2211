"""The way of a call, filled in on those of its events whose producer did not say it."""

import json
from collections.abc import Sequence

import pytest
import trio
from msgspec.structs import replace
from trio.testing import MockClock

from callpost.engine.directions import Directions
from callpost.model.decode import decode
from callpost.model.event import CallEvent
from callpost.model.flow import Way
from callpost.model.subscription import Filter
from doubles import MemorySpool, ScriptedWorld
from engine_house import a_house, a_subscription

_Line = tuple[str, dict[str, str]]


def lines(*said: _Line) -> list[bytes]:
    """Events of one call, unless they say otherwise."""
    return [
        json.dumps({"callId": "a", "event": kind, "id": f"e{place}"} | more).encode()
        for place, (kind, more) in enumerate(said)
    ]


async def told(batches: Sequence[Sequence[bytes]], field: str) -> list[str | None]:
    """One field of each event as stored; the daemon starts afresh for each batch."""
    spool = MemorySpool()
    for batch in batches:
        async with a_house(ScriptedWorld(), a_subscription(), spool) as house:
            house.dispatcher.pause("crm")
            await house.intake.accept(batch)
    return [json.loads(row.body).get(field) for row in spool.rows.values()]


IN = {"direction": "in"}
OUT = {"direction": "out"}
STORIES: dict[str, tuple[list[_Line], list[str | None]]] = {
    "said at the beginning": ([("newCall", IN), ("answer", {}), ("hangup", {})], ["in"] * 3),
    "said later": ([("newCall", {}), ("answer", OUT), ("hangup", {})], [None, "out", "out"]),
    "never said": ([("newCall", {}), ("answer", {}), ("hangup", {})], [None] * 3),
    "said otherwise": (
        [("newCall", IN), ("transfer", OUT), ("hangup", {})],
        ["in", "out", "in"],
    ),
    "said late by the newCall": (
        [("ringing", OUT), ("newCall", IN), ("answer", {})],
        ["out", "in", "in"],
    ),
    "an id used again": (
        [("newCall", IN), ("hangup", {}), ("newCall", OUT), ("answer", {})],
        ["in", "in", "out", "out"],
    ),
    "a newCall that does not say": ([("newCall", IN), ("newCall", {})], ["in", None]),
    "digits": ([("newCall", IN), ("dtmf", {"dtmf": "1"})], ["in", "in"]),
    "another customer's call": (
        [("newCall", IN | {"customer": "acme"}), ("answer", {"customer": "other"})],
        ["in", None],
    ),
    "another switch's call": (
        [("newCall", IN | {"source": "one"}), ("answer", {"source": "two"})],
        ["in", None],
    ),
}


@pytest.mark.parametrize("story", STORIES)
@pytest.mark.parametrize("together", [True, False])
async def test_a_direction_is_filled_in(
    autojump_clock: MockClock, story: str, *, together: bool
) -> None:
    """From what the call has said before, in one batch or over a restart for each event."""
    said, expected = STORIES[story]
    batch = lines(*said)
    batches = [batch] if together else [[line] for line in batch]
    assert await told(batches, "direction") == expected


FROM_101 = {"from": "101"}
INSIDE = {"direction": "internal"}
CALLERS: dict[str, tuple[list[_Line], list[str | None]]] = {
    "within the house": (
        [("newCall", INSIDE | FROM_101), ("answer", {}), ("hangup", INSIDE)],
        ["101"] * 3,
    ),
    "without a direction": ([("newCall", FROM_101), ("hangup", {"extension": "101"})], ["101"] * 2),
    "from outside": ([("newCall", IN | FROM_101), ("hangup", {})], ["101", None]),
    "to outside": ([("newCall", FROM_101), ("answer", OUT)], ["101", None]),
    "said otherwise": (
        [("newCall", FROM_101), ("transfer", {"from": "102"}), ("hangup", {})],
        ["101", "102", "101"],
    ),
    "said later": (
        [("newCall", INSIDE), ("answer", FROM_101), ("hangup", {})],
        [None, "101", "101"],
    ),
    "never said": ([("newCall", INSIDE), ("hangup", {})], [None, None]),
    "an id used again": (
        [("newCall", FROM_101), ("newCall", {"from": "102"}), ("hangup", {})],
        ["101", "102", "102"],
    ),
    "another switch's call": (
        [("newCall", FROM_101 | {"source": "one"}), ("hangup", {"source": "two"})],
        ["101", None],
    ),
}


@pytest.mark.parametrize("story", CALLERS)
@pytest.mark.parametrize("together", [True, False])
async def test_who_calls_is_filled_in_where_the_direction_does_not_say_from_which_end(
    autojump_clock: MockClock, story: str, *, together: bool
) -> None:
    """Of a call between two of ours, and of one that has no direction."""
    said, expected = CALLERS[story]
    batch = lines(*said)
    batches = [batch] if together else [[line] for line in batch]
    assert await told(batches, "from") == expected


async def test_a_filter_of_directions_finds_the_whole_call(autojump_clock: MockClock) -> None:
    """A subscriber that wants calls coming in hears of their end, though only newCall says it."""
    world = ScriptedWorld()
    wanted = replace(a_subscription(), filter=Filter(direction=frozenset({"in"})))
    async with a_house(world, wanted) as house:
        replies = await house.intake.accept(lines(("newCall", IN), ("answer", {}), ("hangup", {})))
    assert [json.loads(reply)["matched"] for reply in replies] == [1, 1, 1]


async def test_a_filter_of_flows_finds_the_whole_call_and_says_which(
    autojump_clock: MockClock,
) -> None:
    """Though the later events do not say who calls, and the subscriber is not told of any."""
    world = ScriptedWorld()
    wanted = replace(
        a_subscription(),
        vocabulary="voipnow",
        filter=Filter(extension=("101",), flow=frozenset({"out"})),
        omit=frozenset({"from", "direction"}),
    )
    async with a_house(world, wanted) as house:
        said = [("newCall", INSIDE | FROM_101), ("hangup", {"extension": "101"})]
        await house.intake.accept(lines(*said))
        await trio.sleep(1)
    assert [json.loads(one.message.content)["CallFlow"] for one in world.sent] == ["OUT", "OUT"]


class AskedSpool(MemorySpool):
    """Counts how often it is asked for the way of a call."""

    asked = 0

    def way_of(self, *, customer: str, source: str, call_id: str) -> Way:
        """See ports.Spool."""
        self.asked += 1
        return super().way_of(customer=customer, source=source, call_id=call_id)


def an_event(kind: str, **more: str) -> CallEvent:
    """Of one call."""
    [line] = lines((kind, more))
    return decode(line, unknown_fields="refuse")


@pytest.mark.parametrize(
    ("said", "asked"),
    [(IN, 0), ({}, 1)],
    ids=["said", "never said"],
)
def test_the_spool_is_asked_at_most_once_for_a_call(said: dict[str, str], asked: int) -> None:
    """Not at all where it was said since the start; once where nobody ever says it."""
    spool = AskedSpool()
    directions = Directions(spool)
    for kind in ("newCall", "ringing", "answer", "hangup"):
        directions.complete(an_event(kind, **(said if kind == "newCall" else {})))
    assert spool.asked == asked


def test_a_direction_is_remembered_among_thousands_of_calls() -> None:
    """Eight thousand others have begun since."""
    spool = AskedSpool()
    directions = Directions(spool)
    for number in range(8_000):
        directions.complete(an_event("newCall", callId=f"c{number}", direction="in"))
    completed = directions.complete(an_event("hangup", callId="c0"))
    assert (completed.direction, spool.asked) == ("in", 0)
