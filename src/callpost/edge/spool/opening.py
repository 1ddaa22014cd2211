"""Opens a spool: the directory claimed, damage put aside, the tables brought up to date.

Whatever stands in the way is told in one sentence, and nothing is held then.
"""

from contextlib import ExitStack
from pathlib import Path

from structlog.typing import FilteringBoundLogger

from callpost.edge.spool.ballast import Ballast
from callpost.edge.spool.connections import connect
from callpost.edge.spool.files import Claim, SpoolDamaged
from callpost.edge.spool.salvage import Salvage
from callpost.edge.spool.spool import SqliteSpool
from callpost.edge.spool.tally import Tally
from callpost.model.limits import SpoolLimits


def open_spool(directory: Path, *, limits: SpoolLimits, log: FilteringBoundLogger) -> SqliteSpool:
    """Claim the state directory and open its spool, made or brought up to date where needed.

    A damaged one is put aside, and what can be read of it is carried over into a new one.
    Raises `SpoolUnusable`. What was pending when it was last closed, or killed, is there.
    """
    with ExitStack() as held:
        claim = Claim.of(directory)
        held.callback(claim.release)
        ballast = Ballast(directory, log=log)
        salvage = Salvage(directory, limits=limits, log=log)
        salvage.finish()
        try:
            connections, pending = connect(directory, limits=limits)
        except SpoolDamaged as damage:
            salvage.make(damage)
            connections, pending = connect(directory, limits=limits)
        held.callback(connections.close)
        ballast.lay()
        return SqliteSpool(
            directory,
            connections,
            Tally(pending),
            ballast=ballast,
            limits=limits,
            log=log,
            held=held.pop_all(),
        )
