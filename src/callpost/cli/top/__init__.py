"""`callpost top`: the live view of a daemon in a terminal."""

from callpost.cli.top.command import top

__all__ = ["top"]
