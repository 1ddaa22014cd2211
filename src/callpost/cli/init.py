"""`callpost init`: writes the commented reference configuration, never over a file."""

import os
from importlib.resources import files
from pathlib import Path
from typing import Final

import asyncclick as click
import msgspec

from callpost.cli.options import default_config

# The configuration may hold secrets: its owner writes, the service's group reads.
_MODE: Final = 0o640


@click.command(epilog="Example: callpost init callpost.toml")
@click.argument("path", required=False, type=click.Path(path_type=Path, allow_dash=True))
async def init(path: Path | None) -> None:
    """Write a commented configuration with every key to PATH.

    Without PATH it goes where the other commands look for it: $CALLPOST_CONFIG, else
    $CONFIGURATION_DIRECTORY/callpost.toml, else /etc/callpost/callpost.toml. At a PATH of your
    own the daemon's spool and sockets go beside the file, so that it runs without root. A file
    that exists is left as it is. `-` writes to standard output.
    """
    reference = files("callpost").joinpath("callpost.toml").read_text("utf-8")
    if path == Path("-"):
        click.echo(reference, nl=False)
        return
    target = path or default_config()
    is_own_place = target.absolute() != default_config().absolute()
    _write(target, _beside(target, reference) if is_own_place else reference)
    config = f" --config {target}" if path else ""
    click.echo(f"Wrote {target}. It has one subscription, an example to be replaced.\nNext:")
    click.echo(f"  callpost check{config}")
    click.echo("  callpost listen            in another terminal, to see what arrives")
    click.echo(f"  callpost run{config}")


def _beside(target: Path, reference: str) -> str:
    """The reference with the daemon's directories beside the file."""
    directory = target.absolute().parent
    own = {
        f"#{key}_directory": f"{key}_directory = {_quoted(directory / place)}"
        for key, place in (("state", "state"), ("runtime", "run"))
    }
    return "\n".join(own.get(line.partition(" ")[0], line) for line in reference.split("\n"))


def _quoted(path: Path) -> str:
    """A JSON string is a TOML string as well."""
    return msgspec.json.encode(str(path)).decode()


def _write(target: Path, content: str) -> None:
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
        reason = (error.strerror or "input/output error").lower()
        raise click.ClickException(f"{target} cannot be written: {reason}.") from None
