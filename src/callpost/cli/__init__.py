"""The words an operator types: one file per group of commands."""

from typing import Final

import asyncclick as click

from callpost import __version__
from callpost.cli.sections import Sections

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


# Where each command is: only the one that is typed is imported.
callpost.arrange(
    {
        "Running it": {
            "run": "callpost.cli.run:run",
            "check": "callpost.cli.check:check",
            "init": "callpost.cli.init:init",
            "install-service": "callpost.cli.install_service:install_service",
        },
        "Feeding it": {
            "send": "callpost.cli.send:send",
        },
        "Looking at it": {
            "status": "callpost.cli.status:status",
            "subscriptions": "callpost.cli.subscriptions:subscriptions",
            "top": "callpost.cli.top:top",
            "tail": "callpost.cli.tail:tail",
            "pending": "callpost.cli.pending:pending",
            "dead": "callpost.cli.dead:dead",
            "inspect": "callpost.cli.inspect:inspect",
        },
        "Changing it": {
            "reload": "callpost.cli.reload:reload",
            "subscribe": "callpost.cli.subscribe:subscribe",
            "unsubscribe": "callpost.cli.subscribe:unsubscribe",
            "pause": "callpost.cli.pause:pause",
            "resume": "callpost.cli.pause:resume",
            "replay": "callpost.cli.replay:replay",
            "purge": "callpost.cli.purge:purge",
            "log-level": "callpost.cli.log_level:log_level",
        },
        "Moving from another system, or to one": {
            "import": "callpost.cli.import_list:import_list",
            "export": "callpost.cli.export_list:export_list",
        },
        "Trying it out": {
            "demo": "callpost.cli.demo:demo",
            "listen": "callpost.cli.listen:listen",
            "test": "callpost.cli.trial:test",
        },
        "The command line itself": {
            "completion": "callpost.cli.completion:completion",
            "man": "callpost.cli.man:man",
        },
    }
)
