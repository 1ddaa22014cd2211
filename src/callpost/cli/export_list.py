"""`callpost export`: the subscriptions of a configuration as a list answer of another system."""

import os
import sys
from pathlib import Path
from typing import Final

import asyncclick as click
import msgspec

from callpost.api.systems import SYSTEMS
from callpost.cli.customers import unknown_customer
from callpost.cli.new_file import write_new_file
from callpost.cli.options import config_option
from callpost.cli.paper import say
from callpost.config import FaultyConfig
from callpost.config.flat import Flat, flat
from callpost.loading import ConfigFiles
from callpost.model.terminal import escaped

_EXAMPLE: Final = "Example: callpost export --to telecomx --customer acme --output list.json"


@click.command(name="export", epilog=_EXAMPLE)
@config_option
@click.option(
    "--to",
    "name",
    required=True,
    type=click.Choice(tuple(SYSTEMS)),
    help="The system whose list it is to be.",
)
@click.option("--customer", default="", metavar="ID", help="Only what is this customer's.")
@click.option(
    "--output",
    type=click.Path(readable=False, path_type=Path),
    metavar="PATH",
    help="Write here, where there is no file yet; without it to standard output.",
)
async def export_list(config: Path, *, name: str, customer: str, output: Path | None) -> None:
    """Tell the configuration as a list that another system would answer, in JSON.

    Subscriptions are told, or with --to basip forward rules. What that system has no word for is
    said on standard error, one sentence each. ******** stands for the password in a URL, for what
    auth has and for the value of a header; the rest of a URL is written as it is.

    Exit status: 0 when the list was made, also where something has no word, 1 for a faulty
    configuration, a customer who is not in its registry or a file that cannot be written, 2 for
    wrong usage.
    """
    try:
        loaded = ConfigFiles(config, os.environ).load()
    except FaultyConfig as faulty:
        for fault in faulty.faults:
            click.echo(str(fault), err=True)
        sys.exit(1)
    known = [one.id for one in loaded.config.tenancy.customers]
    if stranger := unknown_customer(customer, known):
        raise click.ClickException(escaped(stranger))
    exported = SYSTEMS[name].written(_tables(flat(loaded.texts), name, customer))
    document = msgspec.json.format(exported.document, indent=2).decode() + "\n"
    if output is None:
        say(document, end="")
    else:
        write_new_file(output, document)
    for sentence in exported.lost:
        click.echo(f"lost: {escaped(sentence)}", err=True)


def _tables(found: Flat, name: str, customer: str) -> list[dict[str, object]]:
    """What is told; a customer who is asked for stands in the path there, not in the items."""
    tables = found.forwards if SYSTEMS[name].kind == "forward" else found.subscriptions
    if not customer:
        return list(tables)
    return [
        {key: value for key, value in table.items() if key != "customer"}
        for table in tables
        if table.get("customer") == customer
    ]
