"""The producers' way in: a stream socket and a datagram socket of the Unix domain.

`places` makes the sockets, `stream` and `datagrams` serve them; what the lines mean is the
business of whoever hands in `accept`.
"""

from callpost.edge.receive_unix.datagrams import serve_datagrams
from callpost.edge.receive_unix.places import (
    GroupUnusable,
    SocketUnusable,
    bind_datagram,
    listen_stream,
)
from callpost.edge.receive_unix.stream import Accept, serve_stream

__all__ = [
    "Accept",
    "GroupUnusable",
    "SocketUnusable",
    "bind_datagram",
    "listen_stream",
    "serve_datagrams",
    "serve_stream",
]
