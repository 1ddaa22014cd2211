"""Writes a file that is not there yet, and never over one that is."""

import os
from pathlib import Path
from typing import Final

import asyncclick as click

from callpost.model.system_error import words_of

# A configuration may hold secrets: its owner writes, the service's group reads.
_MODE: Final = 0o640


def write_new_file(target: Path, content: str) -> None:
    """Write it whole; ends the command with one sentence where that cannot be."""
    try:
        # O_EXCL makes "only if there is nothing" one step, also for a link that leads nowhere.
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _MODE)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            os.fchmod(descriptor, _MODE)
            file.write(content)
    except FileExistsError:
        raise click.ClickException(f"{target} exists already, so nothing was written.") from None
    except FileNotFoundError:
        missing = f"the directory {target.parent} does not exist"
        raise click.ClickException(f"{target} cannot be written: {missing}.") from None
    except OSError as error:
        raise click.ClickException(f"{target} cannot be written: {words_of(error)}.") from None
