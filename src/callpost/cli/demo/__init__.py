"""`callpost demo`: everything at once, on one machine, without any set-up."""

from callpost.cli.demo.command import demo

__all__ = ["demo"]
