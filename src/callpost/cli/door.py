"""The way to the daemon: finds its control socket, and says in one sentence why it cannot.

A command that reads may catch `NoDaemon` and look at the spool instead.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import asyncclick as click

from callpost.cli.options import control_option
from callpost.config import Fault, Source
from callpost.config.documents import Document, read_documents
from callpost.config.faults import NO_LOOKUPS
from callpost.config.top import Top, read_top
from callpost.edge.read_config import TextFile, read_texts
from callpost.model.terminal import escaped

if TYPE_CHECKING:
    from callpost.edge.call_control import Control

__all__ = [
    "NoDaemon",
    "Refusal",
    "control_option",
    "control_path",
    "documents_of",
    "opened",
    "texts_in",
    "top_of",
]

_STANDARD_CONFIG: Final = Path("/etc/callpost/callpost.toml")
_STANDARD_SOCKET: Final = Path("/run/callpost/control.sock")


class NoDaemon(click.ClickException):
    """No daemon answers; the message says what is likely the cause."""


class Refusal(click.ClickException):
    """The daemon will not; `status` is that of HTTP, the message its sentence."""

    def __init__(self, sentence: str, status: int) -> None:
        super().__init__(sentence)
        self.status = status


@asynccontextmanager
async def opened(config: Path, control: Path | None) -> AsyncIterator["Control"]:
    """Talk to the daemon; what goes wrong on the way or there ends in `NoDaemon` or `Refusal`."""
    # The HTTP client takes longer to import than most commands take to run.
    from callpost.edge.call_control import (  # noqa: PLC0415 - see above
        ControlRefused,
        ControlUnreachable,
    )
    from callpost.edge.call_control import control as door  # noqa: PLC0415 - see above

    path = control_path(config, control)
    try:
        async with door(path) as daemon:
            yield daemon
    except ControlUnreachable as fault:
        raise NoDaemon(escaped(_elsewhere(path) or str(fault))) from None
    except ControlRefused as fault:
        raise Refusal(escaped(str(fault)), fault.status) from None


def _elsewhere(path: Path) -> str:
    """What is likely wrong where there is no socket at all, "" where there is one."""
    try:
        path.lstat()
    except FileNotFoundError:
        return (
            f"{path}: there is no control socket; callpost is not running, or its socket is"
            " elsewhere (--config or --control says where)."
        )
    except OSError:
        return ""
    return ""


def control_path(config: Path, control: Path | None) -> Path:
    """Where the control socket should be; raises `NoDaemon` where no file says so.

    An operator may use the socket without being allowed to read the configuration, and a fault
    elsewhere in the configuration is no reason not to look at the daemon.
    """
    if control is not None:
        return control
    if config == _STANDARD_CONFIG and _STANDARD_SOCKET.exists():
        return _STANDARD_SOCKET
    faults: list[Fault] = []
    path = _configured(config, faults)
    if path is None:
        raise NoDaemon(f"{escaped(str(config))}: control.socket is turned off there.")
    if faults and not path.exists():
        raise NoDaemon(f"{faults[0]} (`--control PATH` needs no configuration)")
    return path


def documents_of(config: Path, unreadable: list[Fault]) -> list[Document]:
    """The files of a configuration as far as they can be read, unchecked."""
    sources: list[Source] = []
    for read in read_texts(config):
        match read:
            case TextFile(file=file, text=text):
                sources.append(Source(file, text))
            case _:
                unreadable.append(Fault(escaped(read.file), "", "file", read.sentence))
    return read_documents(sources, unreadable)


def texts_in(config: Path, table: str, key: str) -> list[str]:
    """What each table of that name has there, also where something else in them is faulty."""
    texts = []
    for document in documents_of(config, []):
        tables = document.table.get(table)
        for one in tables if isinstance(tables, list) else ():
            text = one.get(key) if isinstance(one, dict) else None
            if isinstance(text, str):
                texts.append(text)
    return texts


def top_of(config: Path) -> Top:
    """All but the subscriptions, what is faulty by its default; raises `NoDaemon` without files."""
    faults: list[Fault] = []
    documents = documents_of(config, faults)
    if faults:
        raise NoDaemon(str(faults[0]))
    return read_top(documents, os.environ, [], NO_LOOKUPS)


def _configured(config: Path, unreadable: list[Fault]) -> Path | None:
    top = read_top(documents_of(config, unreadable), os.environ, [], NO_LOOKUPS)
    if not top.control.socket:
        return None
    return Path(top.runtime_directory) / top.control.socket
