"""The whole daemon on a disk that cannot be read for a while, or gives back something else.

What was accepted waits where it is; delivery goes on by itself when the disk is back.
"""

import errno
import signal
import sqlite3
from contextlib import closing, suppress
from itertools import count
from pathlib import Path

import pytest
import trio

from callpost.edge.call_control import control
from callpost.edge.listen import Behaviour
from callpost.model.changes import Reloaded
from faults.disks import a_faulty_disk, mounts
from faults.test_disk_faults import a_life, told
from household import Daemon, Producer, a_receiver, an_event

CHOOSY = 'after_gap = "skip_call"\n'


@mounts
@pytest.mark.parametrize(
    ("pulled_out", "more"),
    [
        pytest.param(False, CHOOSY, id="fails"),
        pytest.param(True, "", id="pulled-out", marks=pytest.mark.slow),
        pytest.param(False, "", id="fails-plain", marks=pytest.mark.slow),
        pytest.param(True, CHOOSY, id="pulled-out-choosy", marks=pytest.mark.slow),
    ],
)
async def test_a_disk_that_gives_nothing_is_outlived(
    tmp_path: Path, *, pulled_out: bool, more: str
) -> None:
    """It is said once; nothing is lost, doubled or out of order when the disk is back."""
    async with a_faulty_disk(tmp_path / "state") as disk, a_life(tmp_path, more=more) as life:
        if pulled_out:
            disk.fail()
        else:
            disk.obey(read=errno.EIO)
        with trio.move_on_after(2.5):
            while True:
                await life.feed(5)
                await trio.sleep(0.05)
        await life.daemon.logged("spool.degraded")
        disk.obey()
        await life.feed_until(None)
        await life.everything_arrives()
        await life.feed_until_told("spool.recovered")
        assert (told(life, "spool.degraded"), told(life, "spool.recovered")) == (1, 1)


@mounts
async def test_lanes_that_fall_due_meanwhile_are_not_forgotten(tmp_path: Path) -> None:
    """What waits on disk for its next attempt is sent once the disk is back."""
    behaviour = Behaviour(status=503)
    async with (
        a_faulty_disk(tmp_path / "state") as disk,
        a_receiver(behaviour) as failing,
    ):
        daemon = Daemon(
            tmp_path, f'[[subscription]]\nname = "crm"\nurl = "http://127.0.0.1:{failing.port}/"\n'
        )
        async with daemon.running():
            await Producer(daemon.door).feed(
                [an_event(f"c{n}", "newCall", id=f"e{n}") for n in range(3)]
            )
            await failing.until(lambda r: len(r.arrived) >= 3, within_s=10)
            disk.obey(read=errno.EIO)
            await daemon.logged("spool.degraded")
            await trio.sleep(1.5)
            seen = len(failing.arrived)
            disk.obey()
            await failing.until(lambda r: len(set(r.ids()[seen:])) == 3, within_s=15)


def leave_nothing_in_memory(database: Path) -> None:
    """Make the daemon read every page anew: another has written, and the log is empty."""
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("update meta set value = value")
        connection.execute("pragma wal_checkpoint(truncate)").fetchall()


async def feed_on(daemon: Daemon) -> None:
    """An event every half second, for as long as anyone takes them."""
    for n in count():
        with suppress(OSError):
            await Producer(daemon.door).feed([an_event(f"late-{n}", "newCall", id=f"late-{n}")])
        await trio.sleep(0.5)


async def test_a_damaged_spool_ends_the_daemon_and_the_next_goes_on(tmp_path: Path) -> None:
    """Exit status 1 and one sentence; the next start carries over what can be read."""
    async with a_receiver() as receiver:
        port = receiver.port
        daemon = Daemon(
            tmp_path, f'[[subscription]]\nname = "crm"\nurl = "http://127.0.0.1:{port}/"\n'
        )
        async with daemon.running():
            producer = Producer(daemon.door)
            await producer.feed([an_event(f"c{n}", "newCall", id=f"e{n}") for n in range(400)])
            await receiver.until(lambda r: len(r.arrived) == 400, within_s=20)
            # The last outcomes are on disk a moment later.
            await trio.sleep(0.5)
            database = tmp_path / "state" / "spool.db"
            leave_nothing_in_memory(database)
            with database.open("r+b") as file:
                file.write(b"\xa5" * database.stat().st_size)
            assert daemon.process is not None
            with trio.fail_after(15):
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(feed_on, daemon)
                    status = await daemon.process.wait()
                    nursery.cancel_scope.cancel()
            await daemon.logged("spool.condemned")
        async with daemon.running():
            line = await daemon.logged("spool.damaged")
            await Producer(daemon.door).feed([an_event("new", "newCall", id="new")])
            await receiver.until(lambda r: "new" in r.ids(), within_s=10)
            assert await daemon.end(signal.SIGTERM) == 0
    assert status == 1
    assert str(line["file"]).startswith(f"{database}.damaged-")


@mounts
async def test_a_reload_does_not_need_the_disk(tmp_path: Path) -> None:
    """It is made, or refused, and the daemon goes on."""
    async with a_faulty_disk(tmp_path / "state") as disk:
        url = "http://127.0.0.1:9/"
        daemon = Daemon(tmp_path, f'[[subscription]]\nname = "crm"\nurl = "{url}"\n')
        async with daemon.running():
            await Producer(daemon.door).feed([an_event("c1", "newCall", id="e1")])
            disk.obey(read=errno.EIO)
            await daemon.logged("spool.degraded")
            assert daemon.process is not None
            daemon.process.send_signal(signal.SIGHUP)
            await daemon.until(
                lambda log: any(str(line["event"]).startswith("config.") for line in log),
                within_s=10,
            )
            async with control(tmp_path / "run" / "control.sock") as operator:
                # The one after the other: so that one is over.
                again = await operator.post("/v1/reload", Reloaded)
            disk.obey()
            await daemon.logged("spool.recovered")
            assert again.ok
            assert await daemon.end(signal.SIGTERM) == 0
