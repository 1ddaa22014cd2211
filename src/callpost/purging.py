"""Purges the spool of a daemon that does not run: the same work, with nobody else in the house."""

from collections.abc import Callable
from pathlib import Path

import trio

from callpost.doors import CannotStart, folding
from callpost.edge.clock import SystemClock
from callpost.edge.logs import collecting_log
from callpost.edge.spool import SpoolUnusable, open_spool
from callpost.edge.spool.files import DATABASE
from callpost.model.delivery import SpoolUnreadable
from callpost.model.limits import SpoolLimits
from callpost.model.purge import Criteria, Purged
from callpost.model.unknown import CannotNow

__all__ = ["CannotPurge", "purge_stopped"]


class CannotPurge(Exception):
    """There is no spool, or somebody has it; the message is one sentence for people."""


async def purge_stopped(
    directory: Path,
    criteria: Criteria,
    *,
    country: str,
    limits: SpoolLimits,
    dry_run: bool,
    tell: Callable[[dict[str, object]], None] = lambda _: None,
) -> Purged:
    """Claim the state directory as a daemon does, and purge; raises CannotPurge.

    `tell` hears what is logged, such as that the spool was damaged.
    """
    if not (directory / DATABASE).exists():
        raise CannotPurge(f"{directory / DATABASE} is not there: nothing is kept.")
    log = collecting_log(lambda fields: tell(dict(fields)))
    try:
        with folding(SpoolUnusable, SpoolUnreadable, CannotNow):
            spool = open_spool(directory, limits=limits, log=log)
            async with trio.open_nursery() as nursery:
                await nursery.start(spool.run)
                try:
                    return await spool.purging.purge(
                        criteria,
                        country=country,
                        now=SystemClock(spool.newest_stamp()).steady(),
                        dry_run=dry_run,
                    )
                finally:
                    spool.finish()
    except CannotStart as fault:
        raise CannotPurge(str(fault)) from None
