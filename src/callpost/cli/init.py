"""`callpost init`: writes the commented reference configuration, never over a file."""

from importlib.resources import files
from pathlib import Path

import asyncclick as click
import msgspec

from callpost.cli.new_file import write_new_file
from callpost.cli.options import default_config


@click.command(epilog="Example: callpost init callpost.toml")
@click.argument("path", required=False, type=click.Path(path_type=Path, allow_dash=True))
async def init(path: Path | None) -> None:
    """Write a commented configuration with every key to PATH.

    Without PATH it goes where the other commands look for it: $CALLPOST_CONFIG, else
    $CONFIGURATION_DIRECTORY/callpost.toml, else /etc/callpost/callpost.toml. At a PATH of your
    own the daemon's spool and sockets go beside the file, so that it runs without root. A file
    that exists is left as it is. `-` writes to standard output.

    Exit status: 0 when it was written, 1 when it could not be or exists already, 2 for wrong
    usage.
    """
    reference = files("callpost").joinpath("callpost.toml").read_text("utf-8")
    if path == Path("-"):
        click.echo(reference, nl=False)
        return
    target = path or default_config()
    is_own_place = target.absolute() != default_config().absolute()
    write_new_file(target, _beside(target, reference) if is_own_place else reference)
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
