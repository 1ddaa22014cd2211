"""`callpost run`: the daemon in the foreground, its log on standard output."""

import os
import sys
from pathlib import Path
from typing import Final

import asyncclick as click

from callpost.cli.options import config_option
from callpost.config import FaultyConfig

# EX_CONFIG of sysexits.h; the unit's RestartPreventExitStatus names it, because starting again
# cannot mend a configuration.
EXIT_FAULTY_CONFIG: Final = 78


@click.command(epilog="Example: callpost run --config /etc/callpost/callpost.toml")
@config_option
async def run(config: Path) -> None:
    """Run the daemon in the foreground until SIGTERM or Ctrl-C.

    The log goes to standard output: JSON lines, or coloured ones on a terminal.

    Exit status: 0 after a stop, 1 when it could not start or had to fold, 2 for wrong usage, 78
    for a faulty configuration where there is no last good one to go on with.
    """
    # The daemon pulls in every transport; only this command pays for that.
    from callpost import daemon  # noqa: PLC0415 - see above
    from callpost.edge.logs import open_logs  # noqa: PLC0415 - see above
    from callpost.loading import ConfigFiles  # noqa: PLC0415 - see above

    os.umask(0o077)
    files = ConfigFiles(config, os.environ)
    try:
        start = files.load_for_start()
    except FaultyConfig as faulty:
        for fault in faulty.faults:
            click.echo(str(fault), err=True)
        sys.exit(EXIT_FAULTY_CONFIG)
    logs = open_logs(start.config.log, sys.stdout.buffer, environment=os.environ)
    for warning in start.config.warnings:
        logs.log.warning(
            "config.warned", file=warning.file, path=warning.path, message=warning.sentence
        )
    try:
        await daemon.run(start, files=files, environment=os.environ, logs=logs)
    except daemon.CannotStart as fault:
        raise click.ClickException(str(fault)) from None
