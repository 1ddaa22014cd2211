"""The top of the command line: its commands in groups, as one looks for them.

A command is registered under exactly one heading, in the order in which it is shown.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import asyncclick as click

# A first sentence is folded, never cut.
_WHOLE: Final = 1_000


class Sections(click.Group):
    """A group whose help lists its commands under headings."""

    headings: Mapping[str, Sequence[click.Command]] = {}

    def arrange(self, headings: Mapping[str, Sequence[click.Command]]) -> None:
        """Register every command under its heading."""
        self.headings = headings
        for commands in headings.values():
            for command in commands:
                self.add_command(command)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the commands in the order of the help."""
        del ctx  # the order is the same for every invocation
        return [str(one.name) for commands in self.headings.values() for one in commands]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write one list for each heading, all with the same columns."""
        longest = max(map(len, self.list_commands(ctx)))
        for heading, commands in self.headings.items():
            shown = [one for one in commands if not one.hidden]
            if not shown:
                continue
            with formatter.section(heading):
                formatter.write_dl(
                    [
                        (str(one.name).ljust(longest), one.get_short_help_str(_WHOLE))
                        for one in shown
                    ]
                )
