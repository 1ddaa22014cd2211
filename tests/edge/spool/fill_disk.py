"""Run in a mount namespace of its own: a spool on a file system of 6 MiB, filled to the end.

Prints one JSON object: what was refused, settled, stored and logged.
"""

import json
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import trio

from callpost.edge.logs import collecting_log
from callpost.edge.spool import SqliteSpool, open_spool
from callpost.model.delivery import Accepted, NotAccepted
from callpost.model.limits import SpoolLimits
from spool_nouns import arrival, done, pending, settled


async def main(mount_point: Path) -> None:
    """Start on a full disk; then append until refused, settle, make room, append again."""
    started = await _start_full(mount_point)
    log: list[str] = []
    spool = _open(mount_point, log)
    async with trio.open_nursery() as nursery:
        await nursery.start(spool.run)
        stored, refusal = await _fill(spool)
        kept = len(pending(spool, 1))
        was_settled = [await settled(spool, done(1, one)) for one in pending(spool, 1)[:9]]
        [refused] = await spool.append([arrival("too soon", 1)])
        # Room as an operator would make it; within a second the spool has seen it.
        (mount_point / "clutter").unlink()
        with trio.fail_after(5):
            while isinstance(again := (await spool.append([arrival("again", 1)]))[0], NotAccepted):
                pass
        spool.finish()
    story = {
        "started": started,
        "error": refusal.error,
        "message": refusal.message,
        "lost": stored - kept,
        "settled": all(was_settled),
        "refused": isinstance(refused, NotAccepted),
        "again": isinstance(again, Accepted),
        "log": log,
    }
    sys.stdout.write(json.dumps(story))


def _open(mount_point: Path, log: list[str]) -> SqliteSpool:
    return open_spool(
        mount_point / "state",
        limits=SpoolLimits(retain_s=0.0),
        log=collecting_log(lambda fields: log.append(str(fields["event"]))),
    )


async def _start_full(mount_point: Path) -> list[str]:
    """A daemon that stops, and starts again when others have filled the disk; what it said."""
    log: list[str] = []
    for full in (False, True):
        if full:
            _take_all(mount_point / "taken")
        spool = _open(mount_point, log)
        async with trio.open_nursery() as nursery:
            await nursery.start(spool.run)
            owner = (await spool.enroll(["crm"], now=1.0))["crm"].number
            if full:
                await settled(spool, done(owner, pending(spool, owner)[0]))
            else:
                await spool.append([arrival("early", owner)])
            spool.finish()
    (mount_point / "taken").unlink()
    return log


def _take_all(path: Path) -> None:
    with path.open("wb", buffering=0) as taken, suppress(OSError):
        while True:
            taken.write(b"x" * 4_096)


async def _fill(spool: SqliteSpool) -> tuple[int, NotAccepted]:
    stored = 0
    while True:
        [receipt] = await spool.append([arrival(str(stored), 1, body=b"x" * 20_000)])
        if isinstance(receipt, NotAccepted):
            return stored, receipt
        stored += 1


if __name__ == "__main__":
    place = Path(sys.argv[1])
    subprocess.run(
        ["/usr/bin/env", "mount", "-t", "tmpfs", "-o", "size=6m", "none", str(place)], check=True
    )
    (place / "clutter").write_bytes(b"x" * 3 * 1024 * 1024)
    trio.run(main, place)
