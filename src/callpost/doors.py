"""The doors of producers, operators, programs and Prometheus: of systemd, or made here."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from socket import AF_UNIX, socket
from typing import Final, assert_never

import trio
from msgspec import Struct
from structlog.typing import FilteringBoundLogger

from callpost.config import Config
from callpost.edge.listen_tcp import PortUnusable, listen_tcp
from callpost.edge.receive_unix import GroupUnusable, SocketUnusable, bind_datagram, listen_stream
from callpost.edge.systemd import InheritedSocketUnusable, inherited_sockets
from callpost.model.api_door import Api
from callpost.model.limits import ADMIN_GROUP
from callpost.model.listening import NetworkPlace, Place, UnixPlace

# Whoever is in the daemon's group may read the figures, which are no secret there, and knock at
# the API's door, which asks for a token.
_MODE: Final = 0o660
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
    """The producers' sockets, the operator's, the API's and Prometheus', None where one is off."""

    stream: socket | None
    datagram: socket | None
    control: socket | None
    api: socket | None
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
        held.enter_context(api_door(config.api, inherited.get("api"))),
        held.enter_context(network_door("metrics.listen", config.metrics.listen)),
    )


def place_of(door: socket | None) -> str | None:
    """Where a door is, as it is written in a configuration; None where there is none."""
    match None if door is None else door.getsockname():
        case (str(host), int(port), *_):
            return str(NetworkPlace(host=host, port=port))
        case str(path):
            return path
        case _:
            return None


@contextmanager
def network_door(key: str, place: Place | None) -> Iterator[socket | None]:
    """Listen at `place`, which stands under `key`, until the end; raises CannotStart.

    None: there is no such door.
    """
    match place:
        case None:
            yield None
        case NetworkPlace(host=host, port=port):
            try:
                door = listen_tcp(host, port)
            except PortUnusable as fault:
                raise CannotStart(f"{key}: {place}: {fault}.") from None
            with door:
                yield door
        case UnixPlace(path=path):
            try:
                door = listen_stream(Path(path), mode=_MODE, group="")
            except SocketUnusable as fault:
                raise CannotStart(f"{key}: {fault}") from None
            try:
                with door:
                    yield door
            finally:
                Path(path).unlink(missing_ok=True)
        case _ as unreachable:
            assert_never(unreachable)


@contextmanager
def api_door(api: Api, handed_over: socket | None) -> Iterator[socket | None]:
    """The socket that systemd has `handed_over`, or one that is made; raises CannotStart.

    `config` sees to it that what is made has tokens, and TLS where it needs that; here it is
    seen to for the other.
    """
    if handed_over is None:
        with network_door("api.listen", api.listen) as door:
            yield door
    else:
        with handed_over:
            _check_handed_over(handed_over, api)
            yield handed_over


def _check_handed_over(door: socket, api: Api) -> None:
    if not api.tokens:
        raise CannotStart(
            "systemd hands over a socket named 'api', but there is no [[api.token]]:"
            " no token, no door."
        )
    if door.family == AF_UNIX or api.tls is not None:
        return
    host, port = door.getsockname()[:2]
    place = NetworkPlace(host=host, port=port)
    if not place.is_loopback:
        raise CannotStart(
            f"api.tls: is required, for systemd hands over a socket named 'api' at {place},"
            " beyond this machine."
        )


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
        is_new = not directory.exists()
        directory.mkdir(exist_ok=True)
        if is_new:
            # Groups come to the sockets through it; our umask would shut them out.
            directory.chmod(0o755)
    except OSError as error:
        raise CannotStart(
            f"{directory}: the runtime directory cannot be made: {error.strerror}."
        ) from None
