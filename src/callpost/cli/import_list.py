"""`callpost import`: a saved list of another system to a configuration file.

Nothing is written over a file, and nothing at all while an item cannot be carried over.
"""

import sys
from pathlib import Path
from typing import Final

import asyncclick as click

from callpost.api.document import DOCUMENT_MAX_BYTES
from callpost.api.systems import SYSTEMS
from callpost.api.translated import MalformedDocument
from callpost.cli.imported import configuration, imported
from callpost.cli.new_file import write_new_file
from callpost.cli.paper import say
from callpost.config import Fault
from callpost.model.system_error import words_of
from callpost.model.terminal import escaped

_EXAMPLE: Final = (
    "Example: callpost import --from telecomx list.json --customer acme "
    "--output /etc/callpost/conf.d/acme.toml"
)


@click.command(name="import", epilog=_EXAMPLE)
@click.argument("file", type=click.Path(readable=False, path_type=Path, allow_dash=True))
@click.option(
    "--from",
    "name",
    required=True,
    type=click.Choice(tuple(SYSTEMS)),
    help="The system that the list is from.",
)
@click.option(
    "--output",
    type=click.Path(readable=False, path_type=Path),
    metavar="PATH",
    help="Write here, where there is no file yet; without it to standard output.",
)
@click.option("--customer", default="", metavar="ID", help="Whose calls all of them are about.")
@click.option(
    "--extension",
    default="",
    metavar="EXT",
    help="The extension or menu (IVR) that the list was asked for, where it does not say so.",
)
@click.option("--skip-faulty", is_flag=True, help="Leave out what cannot be carried over.")
async def import_list(
    file: Path, *, name: str, output: Path | None, customer: str, extension: str, skip_faulty: bool
) -> None:
    """Turn FILE, a list that another system has answered, into a configuration file.

    FILE is the JSON of the answer, `-` is standard input. The file that is made has a table for
    each subscription or forward rule. What could not be carried over stands in its comments and
    is told on standard error, as is each credential that is to be put in place. What it says is
    checked as `callpost check` does it. An item that cannot be carried over at all is told with
    its place in the list and its field; then nothing is written, unless with --skip-faulty.

    Exit status: 0 when the file was made, 1 when it was not, 2 for wrong usage.
    """
    system, shown = SYSTEMS[name], _shown(file)
    try:
        found = imported(system, _read(file), of=extension, customer=customer, file=shown)
    except MalformedDocument as error:
        fault = error.fault
        click.echo(str(Fault(shown, fault.path, fault.code, fault.sentence)), err=True)
        sys.exit(1)
    for fault in found.faults:
        click.echo(str(fault), err=True)
    if found.faults and not skip_faulty:
        raise click.ClickException("Nothing was written; --skip-faulty leaves out what is faulty.")
    if not found.items:
        raise click.ClickException(f"{shown} has nothing to carry over, so nothing was written.")
    text = configuration(system, found, file=shown)
    if output is None:
        say(text, end="")
    else:
        write_new_file(output, text)
    for credential in found.credentials:
        click.echo(f"{shown}: needs the credential {credential}", err=True)
    for item in found.items:
        for sentence in item.lost:
            click.echo(f"{shown}: {', '.join(item.paths)}: lost: {escaped(sentence)}", err=True)


def _read(file: Path) -> bytes:
    """What the file holds, as far as a list may be long."""
    if file == Path("-"):
        return sys.stdin.buffer.read(DOCUMENT_MAX_BYTES + 1)
    try:
        with file.open("rb") as opened:
            return opened.read(DOCUMENT_MAX_BYTES + 1)
    except OSError as error:
        raise click.ClickException(f"{_shown(file)} cannot be read: {words_of(error)}.") from None


def _shown(file: Path) -> str:
    return "standard input" if file == Path("-") else escaped(str(file))
