"""Purge with a real daemon: under load, of a stopped one, and of what its retention has taken."""

import json
import signal
import sqlite3
import subprocess
import sys
from collections import defaultdict
from contextlib import closing
from pathlib import Path

import pytest
import trio

from callpost.edge.listen import Behaviour
from household import Daemon, Producer, Receiver, a_receiver, an_event

NUMBER = "+4526110203"
OTHERS = "+4533334444"
KINDS = ("newCall", "answer", "hangup")


def subscriptions(**ports: int) -> str:
    """One for each receiver; what fails is tried again soon."""
    return "\n".join(
        f'[[subscription]]\nname = "{name}"\nurl = "http://127.0.0.1:{port}/"\n'
        "retry = { pauses_s = [0.5], max_age_s = 600 }\n"
        for name, port in ports.items()
    )


async def purge(daemon: Daemon, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    """The command, in a process of its own."""
    command = [sys.executable, "-m", "callpost", "purge", *arguments]
    with trio.fail_after(60):
        return await trio.run_process(
            [*command, "--config", str(daemon.config)],
            stdin=subprocess.DEVNULL,
            capture_stdout=True,
            capture_stderr=True,
            check=False,
        )


def calls_of(caller: str, name: str, count: int, kinds: tuple[str, ...] = KINDS) -> list[bytes]:
    """The events of so many calls, kind by kind, so that many calls are alive together."""
    return [
        an_event(f"{name}-{n}", kind, id=f"{name}-{n}-{kind}", **{"from": caller})
        for kind in kinds
        for n in range(count)
    ]


def files_with(directory: Path, *needles: str) -> list[tuple[str, str]]:
    """Which files of a state directory have which of these texts in their bytes."""
    return [
        (path.name, needle)
        for path in sorted(directory.iterdir())
        for needle in needles
        if needle.encode() in path.read_bytes()
    ]


def rows(daemon: Daemon, sql: str) -> list[tuple[object, ...]]:
    """Ask the spool itself."""
    path = daemon.config.parent / "state" / "spool.db"
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        return connection.execute(sql).fetchall()


def seqs(receiver: Receiver) -> dict[str, list[int]]:
    """The seqs of each call in the order of their first arrival."""
    found: defaultdict[str, list[int]] = defaultdict(list)
    for body in receiver.bodies():
        seq = int(str(body["seq"]))
        if seq not in found[str(body["callId"])]:
            found[str(body["callId"])].append(seq)
    return found


async def test_a_purge_under_load_leaves_nothing_and_holds_up_nobody(tmp_path: Path) -> None:
    """Deliveries in windows, in attempts and on disk end; the others arrive, all and in order."""
    slow = Behaviour(delay_s=0.05)
    down = Behaviour(status=503)
    async with a_receiver() as well, a_receiver(slow) as behind, a_receiver(down) as ill:
        daemon = Daemon(tmp_path, subscriptions(well=well.port, behind=behind.port, ill=ill.port))
        async with daemon.running():
            producer = Producer(daemon.door)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(producer.feed, calls_of(OTHERS, "others", 60))
                nursery.start_soon(Producer(daemon.door).feed, calls_of(NUMBER, "private", 60))
                await behind.until(lambda r: len(r.arrived) >= 20, within_s=20)
            done = await purge(daemon, "--number", "sip:+4526110203@pbx.example", "--json")
            at_purge = len(ill.arrived)
            left = files_with(tmp_path / "state", NUMBER[1:], "private-")
            await behind.until(
                lambda r: sum("others" in str(b["callId"]) for b in r.bodies()) >= 180,
                within_s=40,
            )
            await ill.until(lambda r: len(r.arrived) >= at_purge + 2, within_s=30)
            # One that was out when the purge ended may have arrived after it.
            sent_later = {str(body["callId"])[:7] for body in ill.bodies()[at_purge + 1 :]}
            status = await daemon.end(signal.SIGTERM)
        again = files_with(tmp_path / "state", NUMBER[1:], "private-")
    purged = json.loads(done.stdout)
    assert (done.returncode, purged["events"], purged["calls"]) == (0, 180, 60)
    assert purged["pending"] >= 180
    assert (left, again, status) == ([], [], 0)
    assert sent_later == {"others-"}
    assert {tuple(found) for call, found in seqs(behind).items() if "others" in call} == {(1, 2, 3)}


async def test_a_purged_call_goes_on_with_a_hole_in_seq(tmp_path: Path) -> None:
    """What was pending for a subscriber that is down never comes; what follows does."""
    down = Behaviour(status=503)
    async with a_receiver(down) as receiver:
        daemon = Daemon(tmp_path, subscriptions(crm=receiver.port))
        async with daemon.running():
            producer = Producer(daemon.door)
            await producer.feed(calls_of(NUMBER, "private", 1, ("newCall", "answer")))
            await receiver.until(lambda r: len(r.arrived) >= 2, within_s=10)
            done = await purge(daemon, "--call", "private-0")
            port = receiver.port
        assert done.stdout.startswith(b"Purged: 2 events, 1 whole call, 0 delivery reports, 2 pend")
    async with a_receiver() as receiver:
        daemon.config.write_text(
            daemon.config.read_text().replace(f":{port}/", f":{receiver.port}/")
        )
        async with daemon.running():
            await producer.feed(calls_of(NUMBER, "private", 1, ("hangup",)))
            await receiver.until(lambda r: len(r.arrived) == 1, within_s=10)
            [hangup] = receiver.bodies()
            # No row is left that would hold anything back.
            assert rows(daemon, "select * from deferred") == []
    assert (hangup["event"], hangup["seq"], "previousId" in hangup) == ("hangup", 3, False)


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
async def test_the_spool_of_a_stopped_daemon_is_purged(tmp_path: Path, end: signal.Signals) -> None:
    """By the command itself, the write-ahead log of a killed one too."""
    async with a_receiver(Behaviour(status=503)) as receiver:
        daemon = Daemon(tmp_path, subscriptions(crm=receiver.port), '[numbers]\ncountry = "DK"')
        async with daemon.running():
            await Producer(daemon.door).feed(calls_of(NUMBER, "private", 20))
            await daemon.end(end)
    done = await purge(daemon, "--number", "26 11 02 03")
    assert (done.returncode, files_with(tmp_path / "state", NUMBER[1:], "private-")) == (0, [])
    assert done.stdout.startswith(b"Purged: 60 events, 20 whole calls,")


async def test_a_spool_that_a_daemon_holds_is_not_purged_behind_its_back(tmp_path: Path) -> None:
    """Where its control socket is turned off there is no other way than to stop it."""
    async with a_receiver() as receiver:
        daemon = Daemon(tmp_path, subscriptions(crm=receiver.port), '[control]\nsocket = ""')
        async with daemon.running():
            done = await purge(daemon, "--call", "1")
    assert done.returncode == 1
    assert b"is in use by another callpost (process " in done.stderr
    assert b"Traceback" not in done.stderr


async def test_the_backlog_of_a_paused_subscription_is_purged(tmp_path: Path) -> None:
    """Nothing of the person is left, and once it is resumed the rest goes out in order."""
    async with a_receiver() as receiver:
        daemon = Daemon(tmp_path, subscriptions(crm=receiver.port))
        async with daemon.running():
            await told(daemon, "pause", "crm")
            lines = zip(calls_of(OTHERS, "others", 9), calls_of(NUMBER, "private", 9), strict=True)
            await Producer(daemon.door).feed([line for pair in lines for line in pair])
            done = await purge(daemon, "--number", NUMBER, "--json")
            left = files_with(tmp_path / "state", NUMBER[1:], "private-")
            await told(daemon, "resume", "crm")
            await receiver.until(lambda r: len(r.arrived) >= 27, within_s=20)
            again = files_with(tmp_path / "state", NUMBER[1:], "private-")
    purged = json.loads(done.stdout)
    assert (done.returncode, purged["events"], purged["pending"]) == (0, 27, 27)
    assert (left, again) == ([], [])
    assert seqs(receiver) == {f"others-{n}": [1, 2, 3] for n in range(9)}


async def told(daemon: Daemon, *arguments: str) -> None:
    """A command that must succeed."""
    command = [sys.executable, "-m", "callpost", *arguments, "--config", str(daemon.config)]
    with trio.fail_after(30):
        await trio.run_process(command, capture_stdout=True, capture_stderr=True)
