"""`callpost run` in one function: take hold of doors and spool, live in the house, obey signals.

Outside failures are outcomes; a bug flies, the nurseries fold, and the spool has everything.
"""

import signal
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import trio

from callpost.config import Config
from callpost.doors import CannotStart, folding, open_doors
from callpost.edge.logs import Logs
from callpost.edge.spool import SpoolUnusable, open_spool
from callpost.edge.systemd import Notifier
from callpost.house import House
from callpost.loading import ConfigFiles, Loaded
from callpost.model.delivery import SpoolUnreadable

__all__ = ["CannotStart", "House", "opened", "run"]


async def run(
    start: Loaded, *, files: ConfigFiles, environment: Mapping[str, str], logs: Logs
) -> None:
    """Run until SIGTERM or SIGINT; a second signal cuts the draining short, SIGHUP reloads."""
    stopping = trio.Event()
    with opened(start, environment, logs, files=files) as house, logs.gathered():
        async with trio.open_nursery() as signals:
            signals.start_soon(_obey_signals, stopping, house)
            await house.live(stopping)
            signals.cancel_scope.cancel()


@contextmanager
def opened(
    start: Loaded | Config,
    environment: Mapping[str, str],
    logs: Logs,
    *,
    files: ConfigFiles | None = None,
) -> Iterator[House]:
    """Take hold of the doors and of the spool, or raise `CannotStart`; let the doors go after.

    Without `files` there is nothing to reload, and nothing is kept as the last good.
    """
    if isinstance(start, Config):
        start = Loaded(start)
    config = start.config
    with ExitStack() as held:
        doors = open_doors(config, environment, held, log=logs.log)
        try:
            spool = open_spool(Path(config.state_directory), limits=config.spool, log=logs.log)
        except SpoolUnusable as fault:
            raise CannotStart(str(fault)) from None
        held.callback(spool.close)
        with folding(SpoolUnusable, SpoolUnreadable, CannotStart):
            yield House(
                start,
                files=files,
                spool=spool,
                doors=doors,
                logs=logs,
                notifier=Notifier(environment),
            )


async def _obey_signals(stopping: trio.Event, house: House) -> None:
    with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT, signal.SIGHUP) as signals:
        async for number in signals:
            if number == signal.SIGHUP:
                house.settings.hang_up()
            elif stopping.is_set():
                house.hurry()
            else:
                stopping.set()
