"""Replay through the whole house: a real spool, a real receiver, an operator's word."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import trio

from callpost import daemon
from callpost.config import Source, parse
from callpost.edge.listen import Behaviour
from callpost.engine.operator import Operator
from callpost.model.replay import Selection
from doubles import logs_into
from household import Producer, Receiver, a_receiver, an_event

STORY = ("newCall", "answer", "hangup")


@asynccontextmanager
async def a_daemon(directory: Path, receiver: Receiver) -> AsyncIterator[Operator]:
    """A daemon in this process, with one subscription to everything; stops as on SIGTERM."""
    text = (
        f'state_directory = "{directory}/state"\nruntime_directory = "{directory}/run"\n'
        f'[[subscription]]\nname = "crm"\nurl = "http://127.0.0.1:{receiver.port}/"\n'
    )
    config = parse([Source("test", text.encode())], secret=lambda *_: None, environment={})
    stopping = trio.Event()
    with daemon.opened(config, {}, logs_into([])) as house:
        async with trio.open_nursery() as nursery:
            yield await nursery.start(house.live, stopping)
            stopping.set()


def dead_letters(directory: Path) -> int:
    """How many dead letters the spool has, as an operator's `sqlite3` would see it."""
    with closing(sqlite3.connect(directory / "state" / "spool.db")) as spool:
        return int(spool.execute("select count(*) from dead").fetchone()[0])


async def reject_a_call(directory: Path) -> None:
    """Make three dead letters: a receiver that rejects a whole call."""
    async with a_receiver(Behaviour(status=422)) as receiver, a_daemon(directory, receiver):
        await Producer(directory / "run" / "events.sock").feed(
            [an_event("c1", kind, id=f"e{n}") for n, kind in enumerate(STORY, 1)]
        )
        await receiver.until(lambda r: len(r.arrived) == 3, within_s=10)


async def test_dead_letters_are_delivered_again_in_order(tmp_path: Path) -> None:
    """The same ids and seq, marked as replays, in the order of the call."""
    await reject_a_call(tmp_path)
    async with a_receiver() as receiver:
        async with a_daemon(tmp_path, receiver) as operator:
            replayed = await operator.replay(Selection(subscription="crm"))
            await receiver.until(lambda r: len(r.arrived) == 3, within_s=10)
        marks = [{k.lower(): v for k, v in what.headers} for what in receiver.arrived]
    assert replayed.deliveries == 3
    assert [(m["webhook-id"], m["callpost-seq"], m["callpost-replay"]) for m in marks] == [
        ("e1", "1", "1"),
        ("e2", "2", "1"),
        ("e3", "3", "1"),
    ]


async def test_a_dead_letter_is_forgotten_by_its_delivery_only(tmp_path: Path) -> None:
    """Three before, three while they are rejected again, none once they are delivered."""
    await reject_a_call(tmp_path)
    counts = [dead_letters(tmp_path)]
    for status in (422, 200):
        async with (
            a_receiver(Behaviour(status=status)) as receiver,
            a_daemon(tmp_path, receiver) as operator,
        ):
            await operator.replay(Selection(call_id="c1"))
            await receiver.until(lambda r: len(r.arrived) == 3, within_s=10)
        counts.append(dead_letters(tmp_path))
    assert counts == [3, 3, 0]


async def test_what_was_delivered_can_be_delivered_again(tmp_path: Path) -> None:
    """A subscriber that lost its data asks for a call once more."""
    async with a_receiver() as receiver, a_daemon(tmp_path, receiver) as operator:
        producer = Producer(tmp_path / "run" / "events.sock")
        await producer.feed([an_event("c1", kind, id=kind) for kind in STORY])
        await receiver.until(lambda r: len(r.arrived) == 3, within_s=10)
        # The outcomes ride with the next commit; this event's commit carries them.
        await producer.feed([an_event("c2", "newCall")])
        await receiver.until(lambda r: len(r.arrived) == 4, within_s=10)
        await operator.replay(Selection(call_id="c1", delivered=True))
        await receiver.until(lambda r: len(r.arrived) == 7, within_s=10)
        assert receiver.ids()[-3:] == list(STORY)


async def test_a_dry_run_changes_nothing(tmp_path: Path) -> None:
    """It only says how many there are."""
    await reject_a_call(tmp_path)
    async with a_receiver() as receiver:
        async with a_daemon(tmp_path, receiver) as operator:
            replayed = await operator.replay(Selection(), dry_run=True)
        assert (replayed.deliveries, len(receiver.arrived)) == (3, 0)
