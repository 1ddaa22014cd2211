"""A listening TCP socket at an address of this machine, for programs that come over the network.

Names are not resolved here, and a failure is told in words.
"""

import errno
import socket
from typing import Final

# Those who read figures come one at a time.
_BACKLOG: Final = 64
_SENTENCES: Final = {
    errno.EADDRINUSE: "something listens there already",
    errno.EADDRNOTAVAIL: "this machine does not have that address",
    errno.EACCES: "no permission to listen there (ports below 1024 are for root)",
    errno.EAFNOSUPPORT: "this machine does not speak this version of IP",
}


class PortUnusable(Exception):
    """Nobody can listen there; the message says why, without a full stop."""


def listen_tcp(host: str, port: int) -> socket.socket:
    """A listening socket that does not block; `host` is numeric. Raises PortUnusable."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        made = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    except OSError as error:
        raise _unusable(error) from None
    try:
        # Connections of the run before, which linger for a minute, do not stand in the way.
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.bind((host, port))
        made.listen(_BACKLOG)
    except OSError as error:
        made.close()
        raise _unusable(error) from None
    return made


def _unusable(error: OSError) -> PortUnusable:
    words = _SENTENCES.get(error.errno or 0) or (error.strerror or "it failed").lower()
    return PortUnusable(words)
