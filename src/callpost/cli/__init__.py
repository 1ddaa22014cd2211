"""The words an operator types: one file per group of commands."""

from typing import Final

import asyncclick as click

from callpost import __version__
from callpost.cli.check import check
from callpost.cli.completion import completion
from callpost.cli.dead import dead
from callpost.cli.demo import demo
from callpost.cli.export_list import export_list
from callpost.cli.import_list import import_list
from callpost.cli.init import init
from callpost.cli.inspect import inspect
from callpost.cli.install_service import install_service
from callpost.cli.listen import listen
from callpost.cli.log_level import log_level
from callpost.cli.man import man
from callpost.cli.pause import pause, resume
from callpost.cli.pending import pending
from callpost.cli.purge import purge
from callpost.cli.reload import reload
from callpost.cli.replay import replay
from callpost.cli.run import run
from callpost.cli.sections import Sections
from callpost.cli.send import send
from callpost.cli.status import status
from callpost.cli.subscriptions import subscriptions
from callpost.cli.tail import tail
from callpost.cli.top import top
from callpost.cli.trial import test

# Click leaves lines alone that stand under a backspace.
_FIRST_DELIVERY: Final = """\b
A first delivery, in three terminals:
  callpost init ./callpost.toml
  callpost listen
  callpost run --config ./callpost.toml
  echo '{"event":"newCall","callId":"1","from":"+4526110203","to":"+4570305050"}' |
    callpost send --config ./callpost.toml
"""


@click.group(
    cls=Sections,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=_FIRST_DELIVERY,
)
@click.version_option(__version__, prog_name="callpost", message="%(prog)s %(version)s")
def callpost() -> None:
    """Deliver call events to subscribers: durably, in order, over HTTP, TCP and UDP.

    `callpost demo` shows all of it at once and needs no set-up.
    """


callpost.arrange(
    {
        "Running it": (
            run,
            check,
            init,
            install_service,
        ),
        "Feeding it": (send,),
        "Looking at it": (
            status,
            subscriptions,
            top,
            tail,
            pending,
            dead,
            inspect,
        ),
        "Changing it": (
            reload,
            pause,
            resume,
            replay,
            purge,
            log_level,
        ),
        "Moving from another system, or to one": (
            import_list,
            export_list,
        ),
        "Trying it out": (
            demo,
            listen,
            test,
        ),
        "The command line itself": (
            completion,
            man,
        ),
    }
)
