"""`callpost man`: the manual pages, for man(1)."""

from pathlib import Path
from typing import Final

import asyncclick as click

from callpost import __version__
from callpost.cli.manual import pages
from callpost.cli.paper import say
from callpost.model.system_error import words_of

_EXAMPLES: Final = """\b
Examples:
  callpost man | man -l -
  callpost man status | man -l -
  callpost man --directory /usr/local/share/man/man1
"""


@click.command(epilog=_EXAMPLES)
@click.argument("command", required=False)
@click.option(
    "--directory",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Write all pages here, one file each; the directory is made where it is missing.",
)
@click.pass_context
async def man(ctx: click.Context, command: str | None, directory: Path | None) -> None:
    """Print the manual page of callpost or of COMMAND, or write all of them into a directory.

    Exit status: 0 when they were written, 1 when there is no such command or the directory
    cannot be written, 2 for wrong usage.
    """
    root = ctx.find_root().command
    assert isinstance(root, click.Group), "the program is a group of commands"  # noqa: S101 - as it says
    made = dict(pages(root, __version__))
    if directory is None:
        title = f"callpost-{command}.1" if command else "callpost.1"
        if title not in made:
            raise click.ClickException(f"There is no command named {command!r}.")
        say(made[title], end="")
        return
    if command is not None:
        raise click.UsageError("--directory takes all pages: leave COMMAND out.")
    try:
        _write(made, directory)
    except OSError as error:
        raise click.ClickException(f"{directory} cannot be written: {words_of(error)}.") from None
    say(f"{len(made)} pages in {directory}")


def _write(made: dict[str, str], directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    for file, page in made.items():
        path = directory / file
        path.write_text(page, "utf-8")
        # Who reads manuals is not only who installs them.
        path.chmod(0o644)
