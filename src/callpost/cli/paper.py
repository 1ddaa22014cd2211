"""Where commands write: colours on a terminal, plain text in a pipe, JSON for programs.

In a pipe nothing is folded or left out. A reader who has seen enough is no fault.
"""

import os
import sys
from collections.abc import Iterable
from typing import NoReturn

import asyncclick as click
import msgspec
from rich.console import Console
from rich.text import Text

from callpost.model.terminal import escaped_json


def paper() -> Console:
    """Standard output; NO_COLOR and TERM are honoured."""
    return Console(highlight=False, markup=False, emoji=False, soft_wrap=True)


def width_of(console: Console) -> int | None:
    """The columns there are, None where there is no terminal and so no limit."""
    return console.width if console.is_terminal else None


def put(lines: Iterable[Text], console: Console) -> None:
    """Write lines that fit already."""
    with console.capture() as captured:
        for line in lines:
            console.print(line)
    say(captured.get(), end="")


def say(text: str, *, end: str = "\n") -> None:
    """Write text as it is; what the terminal's encoding has no sign for is spelled out."""
    encoding = sys.stdout.encoding or "utf-8"
    writable = (text + end).encode(encoding, "backslashreplace").decode(encoding)
    try:
        sys.stdout.write(writable)
        sys.stdout.flush()
    except BrokenPipeError:
        end_silently()


def say_json(noun: object) -> None:
    """Write one JSON document for programs, to be read by people too."""
    say(msgspec.json.format(escaped_json(msgspec.json.encode(noun)), indent=2).decode())


def say_json_line(noun: object) -> None:
    """Write one JSON object on a line of its own."""
    say(escaped_json(msgspec.json.encode(noun)).decode())


def end_silently() -> NoReturn:
    """Nobody reads any more: end well, and let the interpreter flush into nothing."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
    raise click.exceptions.Exit(0)
