"""`callpost completion`: the script by which a shell completes callpost's words.

The script asks callpost itself at each Tab, so it stays true when callpost is upgraded.
"""

from typing import Final, Literal, get_args

import asyncclick as click
from asyncclick.shell_completion import get_completion_class

from callpost.cli.paper import say

Shell = Literal["bash", "zsh", "fish"]
_NAME: Final = "callpost"
# Click's own name for it: what the script sets when it asks.
_VARIABLE: Final = "_CALLPOST_COMPLETE"
_EXAMPLES: Final = """\b
Examples:
  callpost completion bash > ~/.local/share/bash-completion/completions/callpost
  callpost completion zsh > ~/.zsh/completions/_callpost
  callpost completion fish > ~/.config/fish/completions/callpost.fish
"""


@click.command(epilog=_EXAMPLES)
@click.argument("shell", type=click.Choice(get_args(Shell)))
@click.pass_context
async def completion(ctx: click.Context, shell: Shell) -> None:
    """Print the script that completes callpost's commands, options and subscriptions in SHELL.

    For zsh the directory must be in `fpath` before `compinit`. To try it out in bash:
    `. <(callpost completion bash)`. Names of subscriptions come from the configuration, or from
    the daemon for who may not read that.

    Exit status: 0 when it was printed, 2 for wrong usage.
    """
    say(script(ctx.find_root().command, shell), end="")


def script(program: click.Command, shell: Shell) -> str:
    """Return what the shell reads."""
    template = get_completion_class(shell)(program, {}, _NAME, _VARIABLE)
    # `source()` would look for the shell on this machine; the script is the same without it.
    return template.source_template % template.source_vars()
