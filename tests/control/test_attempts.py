"""The stream of attempts: what is told, to whom, and what a slow reader costs."""

from functools import partial
from pathlib import Path

import pytest
import trio

from callpost.control.attempts import AttemptsQuery
from callpost.edge.call_control import ControlRefused, control
from callpost.model.delivery import Attempted
from conditions import an_attempt
from control_house import OpenDoor, an_open_door


@pytest.mark.parametrize(
    ("query", "fits"),
    [
        (AttemptsQuery(), True),
        (AttemptsQuery(subscription=("crm",)), True),
        (AttemptsQuery(subscription=("other", "crm")), True),
        (AttemptsQuery(subscription=("other",)), False),
        (AttemptsQuery(outcome=("retry",)), False),
        (AttemptsQuery(call=("call-17",), kind=("hangup",)), True),
        (AttemptsQuery(call=("call-17",), kind=("newCall",)), False),
        (AttemptsQuery(endpoint=("crm.example.com",)), True),
        (AttemptsQuery(endpoint=("crm.example.com:443",)), True),
        (AttemptsQuery(endpoint=("https://crm.example.com:443",)), True),
        (AttemptsQuery(endpoint=("example.com",)), False),
    ],
)
def test_each_filter_must_fit_with_one_of_its_words(query: AttemptsQuery, *, fits: bool) -> None:
    """What is not given does not restrict."""
    assert query.fits(an_attempt()) is fits


async def test_attempts_come_in_their_order(door: OpenDoor) -> None:
    """From the moment on at which the stream was answered."""
    sent = [an_attempt(seq=number) for number in range(5)]
    async with control(door.path) as operator, operator.attempts() as heard:
        await listeners(door, 1)
        for attempt in sent:
            door.witnesses.attempted(attempt)
        found = []
        with trio.fail_after(5):
            async for one in heard:
                found.append(one)
                if len(found) == len(sent):
                    break
    assert found == sent


async def test_who_leaves_is_no_longer_told(door: OpenDoor) -> None:
    """And costs nothing any more."""
    async with control(door.path) as operator, operator.attempts():
        await listeners(door, 1)
    with trio.fail_after(5):
        await listeners(door, 0)


async def test_a_slow_reader_misses_some_and_is_told_how_many(tmp_path: Path) -> None:
    """What it got and what it missed make the whole; the ones before the gap come first."""
    async with (
        an_open_door(tmp_path) as door,
        control(door.path) as operator,
        operator.attempts() as heard,
    ):
        await listeners(door, 1)
        # Nobody reads meanwhile, for nothing here waits.
        for number in range(20_000):
            door.witnesses.attempted(an_attempt(seq=number))
        got, missed = 0, 0
        with trio.fail_after(10):
            async for one in heard:
                got += isinstance(one, Attempted)
                missed += one if isinstance(one, int) else 0
                if got + missed == 20_000:
                    break
    assert (got, missed) == (1_024, 20_000 - 1_024)


async def test_there_is_a_seventeenth_listener_too_many(door: OpenDoor) -> None:
    """It is told so; when one of the others leaves there is room again."""
    async with control(door.path) as operator, trio.open_nursery() as nursery:
        leave = trio.Event()
        for _ in range(16):
            await nursery.start(partial(listen, door, leave))
        with pytest.raises(ControlRefused, match="There are 16 listeners already") as refused:
            async with operator.attempts():
                pass
        leave.set()
    assert refused.value.status == 503


async def test_the_end_of_the_house_ends_the_stream(door: OpenDoor) -> None:
    """The reader has everything that was told before."""
    async with control(door.path) as operator, operator.attempts() as heard:
        await listeners(door, 1)
        door.witnesses.attempted(an_attempt())
        door.live.close()
        with trio.fail_after(5):
            assert [one async for one in heard] == [an_attempt()]


async def listeners(door: OpenDoor, wanted: int) -> None:
    """Wait until so many listen; the door's tasks come to their turn meanwhile."""
    with trio.fail_after(5):
        while len(door.live.listeners) != wanted:
            await trio.lowlevel.checkpoint()


async def listen(
    door: OpenDoor,
    leave: trio.Event,
    *,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Listen until told to leave."""
    async with control(door.path) as operator, operator.attempts():
        task_status.started()
        await leave.wait()
