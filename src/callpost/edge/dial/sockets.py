"""Sockets towards a numeric address: never blocking, bound to the source address if there is one.

Whoever gets a socket closes it.
"""

import socket
from typing import Final

# linux/in.h: a source port is chosen at connect, so that one address has 28,000 ports for each
# peer and not for all together. The socket module names it from Python 3.12 on.
_IP_BIND_ADDRESS_NO_PORT: Final = 24


def open_socket(address: str, *, kind: socket.SocketKind, source: str) -> socket.socket:
    """A non-blocking socket for a peer at `address`, bound to `source` unless that is ""."""
    sock = socket.socket(family_of(address), kind | socket.SOCK_NONBLOCK)
    try:
        if source:
            sock.setsockopt(socket.IPPROTO_IP, _IP_BIND_ADDRESS_NO_PORT, 1)
            sock.bind((source, 0))
    except BaseException:
        sock.close()
        raise
    return sock


def family_of(address: str) -> socket.AddressFamily:
    """The address family of a numeric address."""
    return socket.AF_INET6 if ":" in address else socket.AF_INET
