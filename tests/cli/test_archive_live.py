"""`pending`, `dead`, `inspect` and `replay` with a daemon: its own spool, over its control door."""

import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
import trio
from asyncclick.testing import CliRunner, Result
from msgspec.structs import replace

from callpost.cli import callpost
from callpost.control.app import Premises
from callpost.edge.logs import collecting_log
from callpost.edge.receive_unix import listen_stream
from callpost.edge.serve_asgi import serve_asgi
from callpost.edge.spool import SqliteSpool, open_spool
from callpost.engine.live import Live
from callpost.engine.witnesses import Witnesses
from callpost.model.condition import SubscriptionState
from callpost.model.limits import SpoolLimits
from callpost.model.replay import Replayed, Selection
from conditions import an_endpoint
from control_house import CRM, KnownHouse, Uncounted, a_site
from edge.spool.replaying import NOW
from spool_nouns import NEVER, arrival, deferred, died, done, pending, settled


@dataclass
class Ended:
    """What lies behind the door: `crm` has dead letters, and one delivery that was made."""

    spool: SqliteSpool
    owner: int
    control: Path
    house: "SpoolHouse"
    parts: list[tuple[int, bool]]

    def pending(self) -> int:
        """How many wait now."""
        return self.spool.pending_of(self.owner)


class SpoolHouse(KnownHouse):
    """A house whose replays go to a real spool."""

    spool: SqliteSpool
    parts: list[tuple[int, bool]]
    state: SubscriptionState = CRM

    async def subscriptions(self) -> tuple[SubscriptionState, ...]:
        """As it was set."""
        return (self.state,)

    async def replay(
        self, selection: Selection, *, limit: int, cursor: str, dry_run: bool
    ) -> Replayed:
        """As the daemon does it."""
        self.parts.append((limit, dry_run))
        return await self.spool.replay(
            selection,
            now=NOW,
            max_age_s=lambda _, __: NEVER,
            limit=limit,
            cursor=cursor,
            dry_run=dry_run,
        )


@asynccontextmanager
async def serving(house: SpoolHouse, path: Path) -> AsyncIterator[None]:
    """The control door of a daemon with that spool."""
    live = Live(Witnesses(Uncounted()))
    premises = Premises(
        operating=house, roster=house, purging=house, settings=house, metrics=house, live=live
    )
    app = a_site(premises, house, house.spool.records)
    stopping = trio.Event()
    log = collecting_log(lambda _: None)
    with listen_stream(path, mode=0o600, group="") as listener:
        async with trio.open_nursery() as nursery:
            await nursery.start(partial(serve_asgi, app, listener, stopping=stopping, log=log))
            yield
            live.close()
            stopping.set()


@pytest.fixture
async def ended(tmp_path: Path) -> AsyncIterator[Ended]:
    """Twenty-five dead letters of five calls, one delivery that was made, one that waits."""
    log = collecting_log(lambda _: None)
    spool = open_spool(tmp_path / "state", limits=SpoolLimits(), log=log)
    house = SpoolHouse()
    house.spool, house.parts = spool, []
    with trio.fail_after(30):
        async with trio.open_nursery() as nursery:
            await nursery.start(spool.run)
            owner = (await spool.enroll(["crm"], now=1.0))["crm"].number
            await spool.append([arrival(f"e{n}", owner, call=f"c{n % 5}") for n in range(27)])
            first, *rest = pending(spool, owner)
            await settled(spool, done(owner, first))
            await settled(spool, deferred(owner, rest.pop()))
            for delivery in rest:
                await settled(spool, died(owner, delivery))
            path = tmp_path / "control.sock"
            async with serving(house, path):
                yield Ended(spool, owner, path, house, house.parts)
            spool.finish()


async def run(ended: Ended, *arguments: str) -> Result:
    """Run a command."""
    return await CliRunner().invoke(callpost, [*arguments, "--control", str(ended.control)])


def objects(result: Result) -> list[dict[str, object]]:
    """The JSON lines of the output."""
    return [json.loads(line) for line in result.stdout.splitlines()]


async def test_the_daemon_is_asked_first(ended: Ended) -> None:
    """Then nothing is said aside."""
    result = await run(ended, "dead", "crm", "--json", "--limit", "3")
    assert [one["eventId"] for one in objects(result)] == ["e25", "e24", "e23"]
    assert (result.stderr, result.exit_code) == ("", 0)


async def test_what_waits_is_listed(ended: Ended) -> None:
    """With the time at which it goes on."""
    [one] = objects(await run(ended, "pending", "--json"))
    assert (one["eventId"], one["dueAt"]) == ("e26", "1970-01-01T00:33:20.000Z")


@pytest.mark.parametrize("identity", ["c1", "e26"])
async def test_a_story_is_told_by_the_daemon(ended: Ended, identity: str) -> None:
    """Of a call and of an event."""
    assert "crm, seq " in (await run(ended, "inspect", identity)).stdout


@pytest.mark.parametrize(
    ("state", "column", "sentence"),
    [
        (replace(CRM, condition="paused"), "  paused  ", "pending, paused by an operator, given"),
        (
            replace(CRM, endpoints=(replace(an_endpoint("down"), next_try_at=None),)),
            "  after the probe  ",
            "pending, breaker open, next attempt after the probe, given",
        ),
    ],
)
async def test_pending_and_inspect_tell_the_same(
    ended: Ended, state: SubscriptionState, column: str, sentence: str
) -> None:
    """A time at which nothing is tried would send people the wrong way."""
    ended.house.state = state
    listed = (await run(ended, "pending")).stdout
    told = (await run(ended, "inspect", "e26")).stdout
    assert (column in listed, sentence in told) == (True, True)


async def test_what_the_daemon_does_not_know_is_not_kept(ended: Ended) -> None:
    """One sentence."""
    result = await run(ended, "inspect", "no/such")
    assert (result.exit_code, result.stderr) == (
        1,
        "Error: Neither a call nor an event with the id 'no/such' is kept.\n",
    )


@pytest.mark.parametrize("command", ["pending", "dead", "replay"])
async def test_a_name_that_was_misspelt_is_mended(ended: Ended, command: str) -> None:
    """Rather than nothing found for it."""
    result = await run(ended, command, "cmr")
    assert (result.exit_code, result.stderr) == (
        1,
        "Error: There is no subscription named 'cmr'; did you mean \"crm\"?\n",
    )


async def test_dead_letters_are_queued_again(ended: Ended) -> None:
    """And counted by subscription."""
    result = await run(ended, "replay", "crm")
    assert result.stdout == "25 deliveries are queued again: crm 25.\n"
    assert (ended.pending(), result.exit_code) == (26, 0)


async def test_a_dry_run_counts_and_queues_nothing(ended: Ended) -> None:
    """The sentence says so."""
    result = await run(ended, "replay", "--all-dead", "--dry-run")
    assert result.stdout == "25 deliveries would be queued again: crm 25.\n"
    assert ended.pending() == 1


@pytest.mark.parametrize(
    ("options", "count"),
    [
        (("--call", "c1"), 5),
        (("--call", "c0", "--delivered"), 6),
        (("--event", "e7"), 1),
        (("--kind", "hangup"), 0),
        (("--since", "2020-01-01"), 0),
        (("crm", "--until", "2020-01-01"), 25),
    ],
)
async def test_a_replay_is_of_what_was_selected(
    ended: Ended, options: Sequence[str], count: int
) -> None:
    """By every criterion."""
    result = await run(ended, "replay", "--json", *options)
    assert json.loads(result.stdout)["deliveries"] == count


async def test_nothing_to_replay_is_no_failure(ended: Ended) -> None:
    """It says so."""
    result = await run(ended, "replay", "--kind", "cdr")
    assert (result.stdout, result.exit_code) == ("Nothing is there to be delivered again.\n", 0)


async def test_a_rate_bounds_what_is_queued_a_second(ended: Ended) -> None:
    """A second's worth at a time, and no sooner than that."""
    began = time.monotonic()
    result = await run(ended, "replay", "crm", "--rate", "15")
    assert time.monotonic() - began >= 1.0
    assert (ended.parts, ended.pending()) == ([(15, False), (15, False)], 26)
    assert result.stdout == "25 deliveries are queued again: crm 25.\n"


async def test_a_replay_can_be_cut_off_and_finished(ended: Ended) -> None:
    """What was queued is told; who asks again gets the rest, in order, and nothing twice."""
    command = [sys.executable, "-m", "callpost", "replay", "crm", "--rate", "5"]
    process = await trio.lowlevel.open_process(
        [*command, "--control", str(ended.control)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stderr is not None
    while ended.pending() == 1:  # noqa: ASYNC110 - another process has to act
        await trio.sleep(0.01)
    process.send_signal(signal.SIGINT)
    told = b"".join([chunk async for chunk in process.stdout])
    fault = b"".join([chunk async for chunk in process.stderr])
    assert (await process.wait(), b"was cut off" in fault) == (1, True)
    queued = ended.pending() - 1
    assert told == f"{queued} deliveries are queued again: crm {queued}.\n".encode()
    await run(ended, "replay", "crm")
    waiting = [one.number for one in pending(ended.spool, ended.owner) if one.is_replay]
    assert waiting == list(range(2, 27))


async def test_on_a_terminal_a_rate_has_a_bar(ended: Ended) -> None:
    """On standard error; the sum is on standard output."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "callpost", "replay", "crm", "--rate", "20"]
    process = await trio.lowlevel.open_process(
        [*command, "--control", str(ended.control)],
        stdout=subprocess.PIPE,
        stderr=theirs,
        env=os.environ | {"TERM": "xterm", "COLUMNS": "80"},
    )
    os.close(theirs)
    assert process.stdout is not None
    told = b"".join([chunk async for chunk in process.stdout])
    await process.wait()
    shown = await trio.to_thread.run_sync(os.read, ours, 65_536)
    os.close(ours)
    assert told == b"25 deliveries are queued again: crm 25.\n"
    assert b"/25" in shown
