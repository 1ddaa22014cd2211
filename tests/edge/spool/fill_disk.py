"""Run in a mount namespace of its own: a spool on a file system of 3 MiB, filled to the end.

Prints one JSON object: what was refused, settled, stored and logged.
"""

import json
import subprocess
import sys
from pathlib import Path

import trio

from callpost.edge.logs import collecting_log
from callpost.edge.spool import SqliteSpool, open_spool
from callpost.model.delivery import Accepted, NotAccepted
from callpost.model.limits import SpoolLimits
from spool_nouns import arrival, done, pending, settled


async def main(mount_point: Path) -> None:
    """Append until refused, settle all the same, make room, append again."""
    log: list[str] = []
    spool = open_spool(
        mount_point / "state",
        limits=SpoolLimits(retain_s=0.0),
        log=collecting_log(lambda fields: log.append(str(fields["event"]))),
    )
    async with trio.open_nursery() as nursery:
        await nursery.start(spool.run)
        stored, refusal = await _fill(spool)
        kept = len(pending(spool, 1))
        head = pending(spool, 1)[0]
        # Room for the outcome, as an operator would make it.
        (mount_point / "ballast").unlink()
        was_settled = await settled(spool, done(1, head))
        [again] = await spool.append([arrival("again", 1)])
        spool.finish()
    story = {
        "error": refusal.error,
        "message": refusal.message,
        "lost": stored - kept,
        "settled": was_settled,
        "again": isinstance(again, Accepted),
        "log": log,
    }
    sys.stdout.write(json.dumps(story))


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
        ["/usr/bin/env", "mount", "-t", "tmpfs", "-o", "size=3m", "none", str(place)], check=True
    )
    (place / "ballast").write_bytes(b"x" * 512 * 1024)
    trio.run(main, place)
