"""The doors of producers, operators and Prometheus: handed over by systemd, or made here."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from socket import socket
from typing import Final, assert_never

import trio
from msgspec import Struct
from structlog.typing import FilteringBoundLogger

from callpost.config import Config
from callpost.edge.listen_tcp import PortUnusable, listen_tcp
from callpost.edge.receive_unix import GroupUnusable, SocketUnusable, bind_datagram, listen_stream
from callpost.edge.systemd import InheritedSocketUnusable, inherited_sockets
from callpost.model.limits import ADMIN_GROUP
from callpost.model.listening import NetworkPlace, Place, UnixPlace

# Whoever is in the daemon's group may read the figures; they are no secret there.
_METRICS_MODE: Final = 0o660
_OWNER_ONLY: Final = 0o700


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
    """The producers' sockets, the operator's and Prometheus', None where one is turned off."""

    stream: socket | None
    datagram: socket | None
    control: socket | None
    metrics: socket | None


def open_doors(
    config: Config, environment: Mapping[str, str], held: ExitStack, *, log: FilteringBoundLogger
) -> Doors:
    """Take the sockets that systemd hands over, make those that it does not.

    What is made goes when `held` closes; raises `CannotStart`.
    """
    try:
        inherited = inherited_sockets(environment)
    except InheritedSocketUnusable as fault:
        raise CannotStart(str(fault)) from None
    directory = Path(config.runtime_directory)

    def open_door(name: str, path: str, make: Callable[[Path], socket]) -> socket | None:
        if name in inherited:
            return held.enter_context(inherited[name])
        if not path:
            return None
        place = directory / path
        if place.parent == directory:
            _make_runtime_directory(directory)
        try:
            door = make(place)
        except SocketUnusable as fault:
            raise CannotStart(str(fault)) from None
        held.callback(place.unlink, missing_ok=True)
        return held.enter_context(door)

    mode, group = config.intake.mode, config.intake.group
    return Doors(
        open_door("events", config.intake.stream, partial(listen_stream, mode=mode, group=group)),
        open_door(
            "datagrams", config.intake.datagram, partial(bind_datagram, mode=mode, group=group)
        ),
        open_door("control", config.control.socket, lambda place: _control(place, config, log)),
        held.enter_context(metrics_door(config.metrics.listen)),
    )


@contextmanager
def metrics_door(place: Place | None) -> Iterator[socket | None]:
    """Listen at `place` until the end; raises CannotStart. None: there is no such door."""
    match place:
        case None:
            yield None
        case NetworkPlace(host=host, port=port):
            try:
                door = listen_tcp(host, port)
            except PortUnusable as fault:
                raise CannotStart(f"metrics.listen: {place}: {fault}.") from None
            with door:
                yield door
        case UnixPlace(path=path):
            try:
                door = listen_stream(Path(path), mode=_METRICS_MODE, group="")
            except SocketUnusable as fault:
                raise CannotStart(f"metrics.listen: {fault}") from None
            try:
                with door:
                    yield door
            finally:
                Path(path).unlink(missing_ok=True)
        case _ as unreachable:
            assert_never(unreachable)


def _control(place: Path, config: Config, log: FilteringBoundLogger) -> socket:
    """The operator's socket.

    Without the group that is the default, or the right to give it something, callpost is tried
    out, or run by somebody for himself: then nobody else may come in, for the daemon's own group
    may be the producers'. Another name is a wish.
    """
    mode, group = config.control.mode, config.control.group
    try:
        return listen_stream(place, mode=mode, group=group)
    except GroupUnusable as fault:
        if group != ADMIN_GROUP:
            raise
        log.warning("control.group_missing", group=group, reason=str(fault))
        return listen_stream(place, mode=mode & _OWNER_ONLY, group="")


def _make_runtime_directory(directory: Path) -> None:
    try:
        directory.mkdir(mode=0o755, exist_ok=True)
    except OSError as error:
        raise CannotStart(
            f"{directory}: the runtime directory cannot be made: {error.strerror}."
        ) from None
