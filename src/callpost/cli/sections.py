"""The top of the command line: its commands in groups, as one looks for them.

A command stands under exactly one heading, in the order in which it is shown, and is imported
when it is first asked for: who types one command does not wait for the others.
"""

from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from pkgutil import resolve_name
from typing import Final

import asyncclick as click

# A first sentence is folded, never cut.
_WHOLE: Final = 1_000


class Sections(click.Group):
    """A group whose help lists its commands under headings."""

    headings: Mapping[str, Sequence[str]] = {}

    def arrange(self, headings: Mapping[str, Mapping[str, str]]) -> None:
        """Register every command under its heading: where its name leads, `module:attribute`."""
        self.headings = {heading: tuple(places) for heading, places in headings.items()}
        self.commands = OnDemand(
            {name: place for places in headings.values() for name, place in places.items()}
        )

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the commands in the order of the help."""
        del ctx  # the order is the same for every invocation
        return list(self.commands)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write one list for each heading, all with the same columns."""
        longest = max(map(len, self.list_commands(ctx)))
        for heading, names in self.headings.items():
            shown = [name for name in names if not self.commands[name].hidden]
            if not shown:
                continue
            with formatter.section(heading):
                formatter.write_dl(
                    [
                        (name.ljust(longest), self.commands[name].get_short_help_str(_WHOLE))
                        for name in shown
                    ]
                )


class OnDemand(MutableMapping[str, click.Command]):
    """Commands by their names; the names are known at once, the commands are imported."""

    def __init__(self, places: Mapping[str, str]) -> None:
        self._places = dict(places)
        self._imported: dict[str, click.Command] = {}

    def __getitem__(self, name: str) -> click.Command:
        if name not in self._imported:
            command = resolve_name(self._places[name])
            assert isinstance(command, click.Command), "what is arranged is a command"  # noqa: S101 - as it says
            self._imported[name] = command
        return self._imported[name]

    def __setitem__(self, name: str, command: click.Command) -> None:
        self._places[name] = ""
        self._imported[name] = command

    def __delitem__(self, name: str) -> None:
        del self._places[name]
        self._imported.pop(name, None)

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, name: object) -> bool:
        return name in self._places
