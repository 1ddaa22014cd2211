"""The story of calls as a real daemon tells it, alive, stopped and killed; and its replay."""

import json
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import trio

from callpost.edge.listen import Behaviour
from household import Daemon, Producer, a_receiver, an_event

REFUSING = Behaviour(status=422)


def subscriptions(well: int, ill: int) -> str:
    """`crm` goes to a receiver that takes everything, `audit` to one that rejects it."""
    return "\n".join(
        f'[[subscription]]\nname = "{name}"\nurl = "http://127.0.0.1:{port}/{name}?key=s3cret"\n'
        for name, port in (("crm", well), ("audit", ill))
    )


async def told(daemon: Daemon, *arguments: str) -> str:
    """What a command of its own process says on standard output."""
    command = [sys.executable, "-m", "callpost", *arguments, "--config", str(daemon.config)]
    with trio.fail_after(30):
        done = await trio.run_process(command, capture_stdout=True, capture_stderr=True)
    return done.stdout.decode()


async def play(daemon: Daemon) -> None:
    """One call, until everything of it has ended."""
    kinds = ("newCall", "hangup")
    await Producer(daemon.door).feed(
        [an_event("c/1", kind, id=f"1-{kind}", **{"from": "+4526110203"}) for kind in kinds]
    )
    await daemon.until(ended(4), within_s=15)


def ended(count: int) -> Callable[[list[dict[str, object]]], bool]:
    """Whether so many attempts have been made."""
    return lambda log: sum(line["event"] == "delivery.attempted" for line in log) >= count


@pytest.mark.parametrize("end", [None, signal.SIGTERM, signal.SIGKILL])
async def test_a_call_has_one_story_whatever_became_of_the_daemon(
    tmp_path: Path, end: signal.Signals | None
) -> None:
    """Told by the daemon itself, or read from the spool that it has left."""
    async with a_receiver() as well, a_receiver(REFUSING) as ill:
        daemon = Daemon(tmp_path, subscriptions(well.port, ill.port))
        async with daemon.running():
            await play(daemon)
            # Outcomes may ride with a later commit, 20 ms later at the most.
            await daemon.until(lambda _: len(list_dead(daemon.log)) == 2, within_s=10)
            alive = await told(daemon, "inspect", "c/1", "--json")
            while '"pending"' in alive:
                alive = await told(daemon, "inspect", "c/1", "--json")
            if end is not None:
                await daemon.end(end)
            story = await told(daemon, "inspect", "c/1", "--json")
    assert story == alive
    assert [
        (event["kind"], [(one["subscription"], one["state"]) for one in event["deliveries"]])
        for event in json.loads(story)["events"]
    ] == [
        ("newCall", [("audit", "dead"), ("crm", "delivered")]),
        ("hangup", [("audit", "dead"), ("crm", "delivered")]),
    ]
    assert "s3cret" not in story
    assert "26110203" not in story


def list_dead(log: list[dict[str, object]]) -> list[dict[str, object]]:
    """The dead letters that were logged."""
    return [line for line in log if line["event"] == "delivery.died"]


async def test_a_bad_day_is_replayed_in_order(tmp_path: Path) -> None:
    """Once the receiver is mended, by the command."""
    async with a_receiver() as well, a_receiver(REFUSING) as ill:
        daemon = Daemon(tmp_path, subscriptions(well.port, ill.port))
        async with daemon.running():
            await play(daemon)
            await daemon.until(lambda _: len(list_dead(daemon.log)) == 2, within_s=10)
            daemon.config.write_text(
                daemon.config.read_text().replace(f":{ill.port}/", f":{well.port}/")
            )
            await told(daemon, "reload")
            counted = await told(daemon, "replay", "audit", "--since", "1h", "--dry-run")
            await told(daemon, "replay", "audit", "--since", "1h")
            await well.until(lambda r: len(r.arrived) == 4, within_s=10)
    assert counted == "2 deliveries would be queued again: audit 2.\n"
    assert well.ids()[2:] == ["1-newCall", "1-hangup"]
    assert {"callpost-replay": "1"}.items() <= {
        name.lower(): value for name, value in well.arrived[3].headers
    }.items()


async def test_a_test_leaves_nothing_behind(tmp_path: Path) -> None:
    """What it sends arrives, and the spool has never heard of it."""
    async with a_receiver() as well, a_receiver(REFUSING) as ill:
        daemon = Daemon(tmp_path, subscriptions(well.port, ill.port))
        async with daemon.running():
            trial = json.loads(await told(daemon, "test", "crm", "--json"))
            pending = await told(daemon, "pending", "--json")
            dead = await told(daemon, "dead", "--json")
    assert [body["event"] for body in well.bodies()] == ["newCall", "hangup"]
    assert (trial["ok"], pending, dead) == (True, "", "")
