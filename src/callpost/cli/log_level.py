"""`callpost log-level`: from which level on the daemon logs, shown or changed."""

from pathlib import Path
from typing import Final, Literal, get_args

import asyncclick as click
from msgspec import Struct

from callpost.cli.door import control_option, opened
from callpost.cli.options import config_option, json_option
from callpost.cli.paper import say, say_json

Level = Literal["debug", "info", "warning", "error"]
_PATH: Final = "/v1/log-level"


class Logging(Struct, frozen=True):
    """What the daemon answers."""

    level: Level


@click.command("log-level", epilog="Example: callpost log-level debug")
@click.argument("level", required=False, type=click.Choice(get_args(Level)))
@config_option
@control_option
@json_option
async def log_level(
    level: Level | None, config: Path, control: Path | None, *, as_json: bool
) -> None:
    """Show from which level on the daemon logs, or change it to LEVEL.

    A change lasts until the next reload or start; `[log] level` in the configuration is for good.

    Exit status: 0 when it was shown or changed, 1 when the daemon is not running, 2 for wrong
    usage.
    """
    async with opened(config, control) as daemon:
        if level is None:
            answer = await daemon.get(_PATH, Logging)
        else:
            answer = await daemon.put(_PATH, Logging, {"level": level})
    if as_json:
        say_json(answer)
    else:
        say(answer.level)
