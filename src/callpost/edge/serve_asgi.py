"""Serves an ASGI app over HTTP/1.1 on a socket that is handed in: Hypercorn on trio.

Hypercorn speaks the protocol, one connection at a time; the door, the limits and the end are
here. Whatever a peer sends, or does not read, costs that peer its connection and nobody else
anything.
"""

import errno
import socket
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from typing import Any, Final, cast

import trio
from hypercorn.app_wrappers import ASGIWrapper
from hypercorn.config import Config
from hypercorn.logging import Logger
from hypercorn.trio.tcp_server import TCPServer
from hypercorn.trio.worker_context import WorkerContext
from hypercorn.typing import ASGIFramework, LifespanState
from structlog.typing import FilteringBoundLogger

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

# People and their scripts: many more than that are a fault, or an attack on our descriptors.
CONNECTIONS_MAX: Final = 128
# A request's line and headers together; ours have a few hundred bytes.
HEAD_MAX_BYTES: Final = 16 * 1024
# How long a connection may be idle, and how long a request's head may take to arrive.
IDLE_S: Final = 15.0
# How long a peer may leave an answer unread before its connection is cut.
UNREAD_S: Final = 10.0
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
    unread_s: float = UNREAD_S,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve until `stopping`, let requests in hand end, return; `listener` stays the caller's.

    In `connections` live the door and one task for each connection with its own below; in
    `background` what cuts them at the end.
    """
    reception = _Reception(app, log, unread_s)
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

    def __init__(self, app: App, log: FilteringBoundLogger, unread_s: float) -> None:
        # Hypercorn has types of its own for what is the same protocol.
        self.app = ASGIWrapper(cast("ASGIFramework", _Drained(app)))
        self.config = _config(log)
        self.context = WorkerContext(max_requests=None)
        self.log = log
        self.unread_s = unread_s
        self.streams: set[_Stream] = set()

    def cut(self) -> None:
        """Close every connection as it is."""
        for stream in self.streams:
            stream.cut()


class _Stream:
    """A connection as Hypercorn uses it; a peer that does not read breaks it."""

    def __init__(self, connection: trio.SocketStream, unread_s: float) -> None:
        self.socket = connection.socket
        self.end_idling: Callable[[], Awaitable[None]] = trio.lowlevel.checkpoint
        self._connection = connection
        self._unread_s = unread_s
        self._broken = False

    async def send_all(self, data: bytes) -> None:
        if not self._broken:
            # Another task may be closing it, after something that was no HTTP.
            with suppress(trio.BusyResourceError), trio.move_on_after(self._unread_s):
                await self._connection.send_all(data)
                return
            self._broken = True
        raise trio.BrokenResourceError("the answer is not read")

    async def receive_some(self, most_bytes: int) -> bytes:
        received = b""
        try:
            received = await self._connection.receive_some(most_bytes)
        finally:
            if not received:
                # The peer has left: else the connection would be kept until it has idled enough.
                await self.end_idling()
        return received

    async def send_eof(self) -> None:
        await self._connection.send_eof()

    async def aclose(self) -> None:
        await self._connection.aclose()

    def cut(self) -> None:
        """Close it now; whoever waits for it wakes up."""
        self.socket.close()


class _Drained:
    """The app, and what it has left unread of a request when it answers.

    Hypercorn waits for room in the app's queue to tell it of the end: nobody would make it.
    """

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close"})
            return

        async def send_and_drain(message: Message) -> None:
            if message["type"] == "http.response.start" or message.get("more_body"):
                await send(message)
                return
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_drain, receive)
                await send(message)
                nursery.cancel_scope.cancel()

        await self._app(scope, receive, send_and_drain)


async def _drain(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


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
                if len(reception.streams) < CONNECTIONS_MAX:
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


def _welcome(connection: socket.socket, connections: trio.Nursery, reception: _Reception) -> None:
    accepted = trio.SocketStream(trio.socket.from_stdlib_socket(connection))
    stream = _Stream(accepted, reception.unread_s)
    reception.streams.add(stream)
    connections.start_soon(_converse, stream, reception)


def _turn_away(connection: socket.socket) -> None:
    with connection, suppress(OSError):
        connection.send(_CROWDED)


async def _converse(stream: _Stream, reception: _Reception) -> None:
    """One connection, whatever comes of it: a fault of the protocol's code ends it alone."""
    try:
        server = TCPServer(
            reception.app,
            reception.config,
            reception.context,
            LifespanState({}),
            cast("trio.SSLStream[trio.SocketStream]", stream),  # it takes plain ones just as well
        )
        stream.end_idling = server.idle_task.stop
        await server
    except* Exception as faults:  # noqa: BLE001 - see the docstring: what peers send is theirs
        reception.log.warning("http.connection_failed", reason=repr(_first(faults)))
    finally:
        reception.streams.discard(stream)
        stream.cut()


async def _cut_after_grace(connections: trio.Nursery, reception: _Reception) -> None:
    await trio.sleep(GRACE_S)
    reception.cut()
    connections.cancel_scope.cancel()


def _first(fault: BaseException) -> BaseException:
    while isinstance(fault, BaseExceptionGroup):
        fault = fault.exceptions[0]
    return fault


def _config(log: FilteringBoundLogger) -> Config:
    class _Told(Logger):
        """Only what the app raised is worth a line."""

        async def exception(self, message: str, *_: Any, **__: Any) -> None:  # noqa: ANN401 - Hypercorn's
            log.exception("http.failed", message=message)  # noqa: LOG004 - Hypercorn calls it within one

    config = Config()
    config.accesslog = config.errorlog = None
    config.logger_class = _Told
    config.h11_max_incomplete_size = HEAD_MAX_BYTES
    config.h2_max_header_list_size = HEAD_MAX_BYTES
    config.h2_max_concurrent_streams = 8
    config.keep_alive_timeout = IDLE_S
    config.include_server_header = False
    return config
