"""Happy eyeballs: the first of several addresses that answers is the connection.

The addresses are vetted already; families alternate and the next address is tried 250 ms after
the one before it or as soon as that failed (RFC 8305, sections 4 and 5).
"""

import errno
import os
import socket
from collections.abc import Sequence
from itertools import chain, zip_longest
from typing import Final

import trio

from callpost.edge.dial.fault import is_local, reason_of
from callpost.edge.dial.sockets import family_of, open_socket
from callpost.model.outcome import LocalFault, Retry

_STAGGER_S: Final = 0.25
# A peer that vanished without a word is noticed after a minute instead of after two hours.
_KEEPALIVE_IDLE_S: Final = 30
_KEEPALIVE_PAUSE_S: Final = 10
_KEEPALIVE_PROBES: Final = 3


async def first_connected(
    addresses: Sequence[str], *, port: int, source: str
) -> socket.socket | Retry | LocalFault:
    """A socket connected to one of `addresses`, or the failure that tells most.

    The nursery holds one task per address that is being tried; all end before this returns.
    """
    winners: list[socket.socket] = []
    errors: list[OSError] = []

    async def dial(address: str, failed: trio.Event) -> None:
        try:
            winners.append(await _connected(address, port=port, source=source))
        except OSError as error:
            errors.append(error)
            failed.set()
        else:
            nursery.cancel_scope.cancel()

    try:
        async with trio.open_nursery() as nursery:
            for address in alternating(addresses):
                failed = trio.Event()
                nursery.start_soon(dial, address, failed)
                with trio.move_on_after(_STAGGER_S):
                    await failed.wait()
    except BaseException:
        for connected in winners:
            connected.close()
        raise
    for late in winners[1:]:
        late.close()
    return winners[0] if winners else _failure(errors)


def alternating(addresses: Sequence[str]) -> list[str]:
    """IPv6 and IPv4 in turn, beginning with the family that comes first."""
    first = [address for address in addresses if family_of(address) == family_of(addresses[0])]
    other = [address for address in addresses if address not in first]
    return [address for address in chain.from_iterable(zip_longest(first, other)) if address]


async def _connected(address: str, *, port: int, source: str) -> socket.socket:
    sock = open_socket(address, kind=socket.SOCK_STREAM, source=source)
    try:
        await _connect(sock, address, port)
    except BaseException:
        sock.close()
        raise
    return sock


async def _connect(sock: socket.socket, address: str, port: int) -> None:
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, _KEEPALIVE_IDLE_S)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, _KEEPALIVE_PAUSE_S)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, _KEEPALIVE_PROBES)
    error = sock.connect_ex((address, port))
    if error == errno.EINPROGRESS:
        await trio.lowlevel.wait_writable(sock)
        error = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if error:
        raise OSError(error, os.strerror(error))


def _failure(errors: Sequence[OSError]) -> Retry | LocalFault:
    """A peer that refused tells more than a family that this machine does not have."""
    for error in errors:
        if not is_local(error):
            return Retry(reason=f"connect:{reason_of(error)}", phase="connect")
    return LocalFault(f"connect:{reason_of(errors[0])}")
