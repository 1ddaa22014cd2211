"""The preset `sipgate` against the tables of sipgate.io's documentation: a whole daemon."""

import signal
from pathlib import Path
from urllib.parse import parse_qsl

import pytest
import trio

from household import Daemon, Producer
from systems import pbx
from systems.sipgate import Sipgate
from systems.strict import standing

CALLS_WITH_A_DIRECTION = 12


def a_subscription(sipgate: Sipgate, *more: str) -> str:
    """As the README has it."""
    keys = ["[[subscription]]", 'name = "push"', 'preset = "sipgate"', f'url = "{sipgate.url}"']
    return "\n".join([*keys, *more, ""])


def ended(sipgate: Sipgate) -> list[str]:
    """The calls that it was told the end of."""
    return [call for call, told in sipgate.calls.items() if "hangup" in told]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Sipgate:
    """The program after a day of every call that there is; it is only read."""
    return trio.run(a_day_at, tmp_path_factory.mktemp("day"))


async def a_day_at(directory: Path) -> Sipgate:
    """Let a daemon tell it of everything."""
    sipgate = Sipgate()
    async with standing(sipgate):
        daemon = Daemon(directory, a_subscription(sipgate))
        async with daemon.running():
            await Producer(daemon.door).feed(pbx.a_day())
            await sipgate.until(lambda: len(ended(sipgate)) == CALLS_WITH_A_DIRECTION)
    return sipgate


async def test_it_accepts_whatever_a_switch_produces(told: Sipgate) -> None:
    """Nothing that its documentation does not have, and all that it has."""
    assert told.complaints() == []


async def test_every_call_is_told_in_order(told: Sipgate) -> None:
    """From the beginning to the end, whatever lies between."""
    orders = {tuple(kinds) for call, kinds in told.calls.items() if call != "aimless"}
    assert orders == {
        ("newCall", "hangup"),
        ("newCall", "answer", "hangup"),
        ("newCall", "dtmf", "answer", "hangup"),
    }


async def test_calls_without_a_direction_or_inside_are_not_told(told: Sipgate) -> None:
    """It has no word for them."""
    assert told.calls.keys().isdisjoint({"internal", "aimless"})


async def test_a_transferred_call_names_its_origin(told: Sipgate) -> None:
    """On each of its events, as in the vendor's example of a transfer."""
    assert [said.get("origCallId") for said in told.said if said["callId"] == "second"] == [
        "first",
        "first",
        "first",
    ]


async def test_all_whose_phones_ring_are_told(told: Sipgate) -> None:
    """One parameter for each of them."""
    [new_call] = [
        parse_qsl(one.request.body.decode())
        for one in told.taken
        if b"event=newCall&callId=queued" in one.request.body
    ]
    assert sum(name == "user[]" for name, _ in new_call) == 40


async def test_a_lost_answer_costs_a_repetition_and_nothing_else(tmp_path: Path) -> None:
    """The program is told twice, and then the rest."""
    sipgate = Sipgate()
    sipgate.loses = lambda _request: len(sipgate.taken) == 1
    async with standing(sipgate):
        daemon = Daemon(tmp_path, a_subscription(sipgate))
        async with daemon.running():
            await Producer(daemon.door).feed(pbx.answered())
            await sipgate.until(lambda: ended(sipgate) == ["answered"])
    assert [said["event"] for said in sipgate.said] == ["newCall", "newCall", "answer", "hangup"]


async def test_a_crash_costs_a_repetition_and_nothing_else(tmp_path: Path) -> None:
    """Killed between the program's taking the event and its answer."""
    sipgate = Sipgate()
    sipgate.withholds = lambda _request: len(sipgate.taken) == 2
    async with standing(sipgate):
        daemon = Daemon(tmp_path, a_subscription(sipgate))
        async with daemon.running():
            await Producer(daemon.door).feed(pbx.answered())
            await sipgate.until(lambda: len(sipgate.taken) == 2)
            await daemon.end(signal.SIGKILL)
        async with daemon.running():
            await sipgate.until(lambda: ended(sipgate) == ["answered"])
    assert (sipgate.complaints(), sipgate.calls) == (
        [],
        {"answered": ["newCall", "answer", "hangup"]},
    )
