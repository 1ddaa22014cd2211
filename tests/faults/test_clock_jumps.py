"""The wall clock jumps by an hour, forward or back, while the daemon works and while it is down.

The daemon is the real one; its wall clock is stepped where Python asks for it, see `stepped_wall`.
"""

import struct
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from random import Random
from typing import Final

import pytest
import trio

from callpost.edge.listen import bind_http
from callpost.edge.spool.read_only import StoppedSpool
from callpost.model.replay import Selection
from faults.history import Arrival
from faults.real_receivers import Conduct, Receivers
from household import Daemon, Producer, an_event

HOUR_S: Final = 3_600.0
STEPS: Final = (HOUR_S, -HOUR_S)


@dataclass
class Town:
    """A daemon whose wall clock can be stepped, and a receiver that is ill until it is well."""

    daemon: Daemon
    offset: Path
    state: Path
    changed: trio.Event = field(default_factory=trio.Event)
    receivers: Receivers = field(init=False)

    def __post_init__(self) -> None:
        self.receivers = Receivers(
            Random(1),
            {"crm": Conduct(sick=1.0)},
            arrived=self.arrived,
            reported=lambda _: None,
        )

    def step(self, ahead_s: float) -> None:
        """From now on the wall clock is so far ahead."""
        with self.offset.open("r+b") as file:
            file.write(struct.pack("d", ahead_s))

    async def feed(self, *kinds: str, call: str = "c") -> None:
        """Send events of one call; the id is the call and the kind."""
        lines = [an_event(call, kind, id=f"{call}-{kind}") for kind in kinds]
        await Producer(self.daemon.door).feed(lines)

    async def until_taken(self, *ids: str, within_s: float) -> None:
        """Wait for these, in this order."""
        with trio.fail_after(within_s):
            while self.taken() != list(ids):
                await self.changed.wait()

    def taken(self) -> list[str]:
        """What the receiver has taken, in order."""
        return [seen.arrival.id for seen in self.receivers.seen if seen.arrival.taken]

    def arrived(self, _: Arrival) -> None:
        """Tell who waits."""
        self.changed.set()
        self.changed = trio.Event()


@asynccontextmanager
async def a_town(directory: Path) -> AsyncIterator[Town]:
    """The receivers live in this nursery."""
    listener = await bind_http("127.0.0.1", 0)
    offset = directory / "offset"
    offset.write_bytes(struct.pack("d", 0.0))
    stepped = (sys.executable, str(Path(__file__).with_name("stepped_wall.py")), str(offset))
    port = listener.socket.getsockname()[1]
    daemon = Daemon(
        directory,
        f'[[subscription]]\nname = "crm"\nurl = "http://127.0.0.1:{port}/crm/primary"\n',
        within=stepped,
    )
    town = Town(daemon, offset, directory / "state")
    async with trio.open_nursery() as nursery:
        await nursery.start(partial(trio.serve_listeners, town.receivers.serve_http, [listener]))
        yield town
        nursery.cancel_scope.cancel()


def stamps(log: list[dict[str, object]]) -> list[float]:
    """When each attempt was, as the log has it."""
    attempts = [line for line in log if line["event"] == "delivery.attempted"]
    return [datetime.fromisoformat(str(line["timestamp"])).timestamp() for line in attempts]


@pytest.mark.parametrize("step_s", STEPS)
async def test_the_daemon_has_seen_the_jump(tmp_path: Path, step_s: float) -> None:
    """Its log has the new time: the tests below do test something."""
    async with a_town(tmp_path) as town, town.daemon.running():
        await town.feed("hangup")
        await town.daemon.logged("delivery.attempted")
        town.step(step_s)
        await town.feed("hangup", call="d")
        await town.daemon.until(lambda log: len(stamps(log)) > 1, within_s=5)
        first, *_, last = stamps(town.daemon.log)
    assert abs(last - first - step_s) < HOUR_S / 2


@pytest.mark.parametrize("step_s", STEPS)
async def test_a_jump_while_it_works_moves_no_retry(tmp_path: Path, step_s: float) -> None:
    """What waits for its second round neither dies of age nor waits for an hour."""
    async with a_town(tmp_path) as town, town.daemon.running():
        await town.feed("ringing", "hangup")
        await town.daemon.logged("delivery.attempted")
        town.step(step_s)
        town.receivers.are_well = True
        await town.until_taken("c-ringing", "c-hangup", within_s=5)


@pytest.mark.parametrize("step_s", STEPS)
async def test_events_of_both_sides_of_a_jump_go_in_order(tmp_path: Path, step_s: float) -> None:
    """The order is that of acceptance, whatever the stamps say."""
    async with a_town(tmp_path) as town, town.daemon.running():
        await town.feed("newCall", "ringing")
        await town.daemon.logged("delivery.attempted")
        town.step(step_s)
        await town.feed("answer", "hangup")
        town.receivers.are_well = True
        await town.until_taken("c-newCall", "c-ringing", "c-answer", "c-hangup", within_s=8)


async def test_a_clock_set_back_while_it_was_down_holds_nothing_up(tmp_path: Path) -> None:
    """The spool's stamps lie in the future then; retries go on all the same, and in order."""
    async with a_town(tmp_path) as town:
        town.step(HOUR_S)
        async with town.daemon.running():
            await town.feed("newCall", "ringing")
            await town.daemon.logged("delivery.attempted")
        town.step(0)
        town.receivers.are_well = True
        async with town.daemon.running():
            await town.feed("hangup")
            await town.until_taken("c-newCall", "c-ringing", "c-hangup", within_s=8)


async def test_an_hour_that_passed_while_it_was_down_has_passed(tmp_path: Path) -> None:
    """What lives for a minute is a dead letter, and what lives for a day is delivered."""
    async with a_town(tmp_path) as town:
        async with town.daemon.running():
            await town.feed("ringing", "hangup")
            await town.daemon.logged("delivery.attempted")
        town.step(HOUR_S)
        town.receivers.are_well = True
        async with town.daemon.running():
            await town.until_taken("c-hangup", within_s=8)
        letters = StoppedSpool(town.state).dead(Selection(), limit=9, cursor="").deliveries
        dead = [(one.event_id, one.reason) for one in letters]
    assert dead == [("c-ringing", "expired")]
