"""The words an operator types: one file per group of commands."""

from typing import Final

import asyncclick as click

from callpost import __version__
from callpost.cli.check import check
from callpost.cli.demo import demo
from callpost.cli.init import init
from callpost.cli.listen import listen
from callpost.cli.run import run
from callpost.cli.send import send

# Click leaves lines alone that stand under a backspace.
_FIRST_DELIVERY: Final = """\b
A first delivery, in three terminals:
  callpost init ./callpost.toml
  callpost listen
  callpost run --config ./callpost.toml
  echo '{"event":"newCall","callId":"1","from":"+4526110203","to":"+4570305050"}' |
    callpost send --config ./callpost.toml
"""


@click.group(context_settings={"help_option_names": ["-h", "--help"]}, epilog=_FIRST_DELIVERY)
@click.version_option(__version__, prog_name="callpost", message="%(prog)s %(version)s")
def callpost() -> None:
    """Deliver call events to subscribers: durably, in order, over HTTP, TCP and UDP.

    `callpost demo` shows all of it at once and needs no set-up.
    """


for command in (run, check, send, listen, init, demo):
    callpost.add_command(command)
