"""Binds the receivers to an address and a port; 0 takes any free port."""

import errno
import socket

import trio

# Connections that arrive at the same moment.
_BACKLOG = 128


class AddressUnusable(Exception):
    """The address cannot be listened on; the message is one sentence that names it."""


async def bind_http(host: str, port: int) -> trio.SocketListener:
    """Return a listener for `serve_http`, or raise AddressUnusable."""
    return await bind_tcp(host, port)


async def bind_tcp(host: str, port: int) -> trio.SocketListener:
    """Return a listener for `serve_tcp`, or raise AddressUnusable."""
    bound = await _bound(host, port, socket.SOCK_STREAM)
    bound.listen(_BACKLOG)
    return trio.SocketListener(bound)


async def bind_udp(host: str, port: int) -> trio.socket.SocketType:
    """Return a socket for `serve_udp`, or raise AddressUnusable."""
    return await _bound(host, port, socket.SOCK_DGRAM)


async def _bound(host: str, port: int, kind: socket.SocketKind) -> trio.socket.SocketType:
    try:
        found = await trio.socket.getaddrinfo(host, port, type=kind, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError):
        raise AddressUnusable(f"{host!r} is no address of this machine.") from None
    family, _, _, _, address = found[0]
    bound = trio.socket.socket(family, kind)
    try:
        if kind == socket.SOCK_STREAM:
            # A receiver that was just stopped can be started again at once.
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        await bound.bind(address)
    except OSError as error:
        bound.close()
        raise AddressUnusable(_sentence(host, port, error)) from error
    return bound


def _sentence(host: str, port: int, error: OSError) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return f"port {port} of {host} is in use by another program."
        case errno.EACCES:
            return f"port {port} of {host} is for privileged programs; take one from 1024 up."
        case errno.EADDRNOTAVAIL:
            return f"{host} is no address of this machine."
        case _:
            return f"cannot listen on port {port} of {host}: {error.strerror}."
