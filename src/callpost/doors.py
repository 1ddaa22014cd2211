"""The producers' doors: handed over by systemd, or made at the configured paths."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from socket import socket

import trio
from msgspec import Struct

from callpost.config import Config
from callpost.edge.receive_unix import SocketUnusable, bind_datagram, listen_stream
from callpost.edge.systemd import InheritedSocketUnusable, inherited_sockets


class CannotStart(Exception):
    """The state directory or a socket is unusable; the message is one sentence for people."""


@contextmanager
def folding(*faults: type[Exception]) -> Iterator[None]:
    """Let the house end with one sentence where the spool has told why it cannot go on."""
    try:
        yield
    except faults as fault:
        raise CannotStart(str(fault)) from None
    except BaseExceptionGroup as group:
        told, others = group.split(faults)
        if told is None or (others is not None and others.split(trio.Cancelled)[1] is not None):
            raise
        first: BaseException = told
        while isinstance(first, BaseExceptionGroup):
            first = first.exceptions[0]
        raise CannotStart(str(first)) from None


class Doors(Struct, frozen=True):
    """The producers' sockets, None where one is turned off."""

    stream: socket | None
    datagram: socket | None


def open_doors(config: Config, environment: Mapping[str, str], held: ExitStack) -> Doors:
    """Take the sockets that systemd hands over, make those that it does not.

    What is made goes when `held` closes; raises `CannotStart`.
    """
    try:
        inherited = inherited_sockets(environment)
    except InheritedSocketUnusable as fault:
        raise CannotStart(str(fault)) from None
    directory = Path(config.runtime_directory)

    def open_door(name: str, path: str, make: Callable[..., socket]) -> socket | None:
        if name in inherited:
            return held.enter_context(inherited[name])
        if not path:
            return None
        place = directory / path
        if place.parent == directory:
            _make_runtime_directory(directory)
        try:
            door = make(place, mode=config.intake.mode, group=config.intake.group)
        except SocketUnusable as fault:
            raise CannotStart(str(fault)) from None
        held.callback(place.unlink, missing_ok=True)
        return held.enter_context(door)

    return Doors(
        open_door("events", config.intake.stream, listen_stream),
        open_door("datagrams", config.intake.datagram, bind_datagram),
    )


def _make_runtime_directory(directory: Path) -> None:
    try:
        directory.mkdir(mode=0o755, exist_ok=True)
    except OSError as error:
        raise CannotStart(
            f"{directory}: the runtime directory cannot be made: {error.strerror}."
        ) from None
