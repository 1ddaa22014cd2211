"""The door: a socket that is handed in, its connections, their limits and the end.

Whatever a peer sends, or does not read, costs that peer its connection and nobody else anything.
"""

import errno
import socket
import ssl
from collections.abc import Callable, MutableMapping
from contextlib import suppress
from typing import Any, Final, cast

import trio
from hypercorn.app_wrappers import ASGIWrapper
from hypercorn.trio.tcp_server import TCPServer
from hypercorn.trio.worker_context import WorkerContext
from hypercorn.typing import ASGIFramework, LifespanState
from structlog.typing import FilteringBoundLogger

from callpost.edge.serve_asgi.app import App, Drained, Receive, Send
from callpost.edge.serve_asgi.connection import (
    HandshakeFailed,
    Patience,
    PlainConnection,
    SecuredConnection,
)
from callpost.edge.serve_asgi.protocol import protocol_config

# The context of a connection that begins now.
Tls = Callable[[], ssl.SSLContext]

PATIENCE: Final = Patience()
# People and their scripts: many more than that are a fault, or an attack on our descriptors.
CONNECTIONS_MAX: Final = 128
# Whoever asks does so sooner: else it would be enough to hold that many, and say nothing.
_IDLE_LEAST_S: Final = 1.0
# At the end: how long requests in hand may take.
GRACE_S: Final = 1.0
# Out of descriptors: they come back when connections end, which nothing tells us about.
_EXHAUSTED_PAUSE_S: Final = 0.1
_EXHAUSTED: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_CROWDED: Final = (
    b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\n"
    b"content-length: 0\r\nconnection: close\r\n\r\n"
)


async def serve_asgi(
    app: App,
    listener: socket.socket,
    *,
    stopping: trio.Event,
    log: FilteringBoundLogger,
    tls: Tls | None = None,
    patience: Patience = PATIENCE,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve until `stopping`, let requests in hand end, return; `listener` stays the caller's.

    With `tls` every connection is one over TLS.

    In `connections` live the door and one task for each connection with its own below; in
    `background` what cuts them at the end.
    """
    reception = _Reception(app, log, tls, patience)
    listener.setblocking(False)
    async with trio.open_nursery() as background:
        async with trio.open_nursery() as connections:
            door = trio.CancelScope()
            connections.start_soon(_open_door, listener, door, connections, reception)
            task_status.started()
            try:
                await stopping.wait()
            finally:
                door.cancel()
                if not stopping.is_set():
                    # Cancelled: Hypercorn's writing is shielded, and would hold us up.
                    reception.cut()
            await reception.context.terminated.set()
            background.start_soon(_cut_after_grace, connections, reception)
        background.cancel_scope.cancel()


class _Reception:
    """What all connections share."""

    def __init__(
        self, app: App, log: FilteringBoundLogger, tls: Tls | None, patience: Patience
    ) -> None:
        self._app = Drained(app)
        self.config = protocol_config(log)
        self.context = WorkerContext(max_requests=None)
        self.log = log
        self.connections: set[PlainConnection] = set()
        self._tls = tls
        self._patience = patience

    def connection(self, accepted: socket.socket) -> PlainConnection:
        """What Hypercorn is to speak over."""
        transport = trio.SocketStream(trio.socket.from_stdlib_socket(accepted))
        if self._tls is None:
            return PlainConnection(transport, self._patience)
        return SecuredConnection(transport, self._tls(), self._patience)

    def app_of(self, connection: PlainConnection) -> ASGIWrapper:
        """The app, as one connection asks it."""

        async def app(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
            with connection.in_hand():
                await self._app(scope, receive, send)

        # Hypercorn has types of its own for what is the same protocol.
        return ASGIWrapper(cast("ASGIFramework", app))

    def has_room(self) -> bool:
        """Whether one more connection may come; the one that has idled longest makes room."""
        if len(self.connections) < CONNECTIONS_MAX:
            return True
        idlest = min(self.connections, key=lambda connection: connection.idle_since)
        if trio.current_time() - idlest.idle_since < _IDLE_LEAST_S:
            return False
        self.connections.discard(idlest)
        idlest.cut()
        return True

    def cut(self) -> None:
        """Close every connection as it is."""
        for connection in self.connections:
            connection.cut()


async def _open_door(
    listener: socket.socket,
    door: trio.CancelScope,
    connections: trio.Nursery,
    reception: _Reception,
) -> None:
    exhausted = False
    with door:
        while True:
            await trio.lowlevel.wait_readable(listener)
            connection, fault = _admitted(listener)
            if connection is not None:
                exhausted = False
                if reception.has_room():
                    _welcome(connection, connections, reception)
                else:
                    _turn_away(connection)
            elif fault in _EXHAUSTED:
                if not exhausted:
                    exhausted = True
                    reception.log.error("http.accept_failed", reason=errno.errorcode[fault])
                await trio.sleep(_EXHAUSTED_PAUSE_S)


def _admitted(listener: socket.socket) -> tuple[socket.socket | None, int]:
    """The next connection, or None and the error number that stands for why there is none."""
    try:
        connection, _ = listener.accept()
    except OSError as error:
        # Whatever else it is (the peer gave up waiting), it is that connection's own.
        return None, error.errno or 0
    connection.setblocking(False)
    return connection, 0


def _welcome(accepted: socket.socket, connections: trio.Nursery, reception: _Reception) -> None:
    connection = reception.connection(accepted)
    reception.connections.add(connection)
    connections.start_soon(_converse, connection, reception)


def _turn_away(connection: socket.socket) -> None:
    with connection, suppress(OSError):
        connection.send(_CROWDED)


async def _converse(connection: PlainConnection, reception: _Reception) -> None:
    """One connection, whatever comes of it: a fault of the protocol's code ends it alone."""
    try:
        await connection.open()
        server = TCPServer(
            reception.app_of(connection),
            reception.config,
            reception.context,
            LifespanState({}),
            cast("trio.SSLStream[trio.SocketStream]", connection),  # ours look just like that
        )
        connection.end_idling = server.idle_task.stop
        await server
    except* HandshakeFailed as faults:
        # On the network everybody knocks, and it is theirs what they speak.
        reception.log.debug("http.handshake_failed", reason=str(_first(faults)))
    except* Exception as faults:  # noqa: BLE001 - see the docstring: what peers send is theirs
        reception.log.warning("http.connection_failed", reason=repr(_first(faults)))
    finally:
        reception.connections.discard(connection)
        connection.cut()


async def _cut_after_grace(connections: trio.Nursery, reception: _Reception) -> None:
    await trio.sleep(GRACE_S)
    reception.cut()
    connections.cancel_scope.cancel()


def _first(fault: BaseException) -> BaseException:
    while isinstance(fault, BaseExceptionGroup):
        fault = fault.exceptions[0]
    return fault
