"""Datagrams to one peer over a connected UDP socket.

What the network reports of an earlier datagram (ICMP) is thrown away before the next one goes
out: nobody can tell which delivery it belongs to.
"""

import errno
import socket

import trio

from callpost.edge.dial.fault import is_local, reason_of
from callpost.edge.dial.sockets import open_socket
from callpost.model.outcome import LocalFault, Phase, Rejected, Retry


class DatagramLink:
    """A way to send datagrams, for one task at a time; whoever has it closes it."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock

    @property
    def peer_address(self) -> str:
        """The address that was chosen."""
        return str(self._socket.getpeername()[0])

    def send(self, datagram: bytes) -> Retry | Rejected | LocalFault | bool:
        """Hand it to the kernel: True once that was done, False where it has no room just now.

        Else why it cannot be sent.
        """
        self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)  # reading it clears it
        try:
            return self._sent(datagram)
        except OSError as error:
            if error.errno == errno.EMSGSIZE:
                return Rejected("too_large")
            return _failure(error, phase="write")

    async def wait(self) -> None:
        """Wait until the kernel has room again."""
        await trio.lowlevel.wait_writable(self._socket)

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def _sent(self, datagram: bytes) -> bool:
        told_of_an_earlier_one = False
        while True:
            try:
                self._socket.send(datagram)
            except BlockingIOError:
                return False
            except ConnectionRefusedError:
                # An ICMP error that came between our look and the sending.
                if told_of_an_earlier_one:
                    raise
                told_of_an_earlier_one = True
            else:
                return True


def datagram_link(address: str, port: int, *, source: str) -> DatagramLink | Retry | LocalFault:
    """A link to a vetted address; nothing is sent by making it."""
    try:
        sock = open_socket(address, kind=socket.SOCK_DGRAM, source=source)
    except OSError as error:
        return _failure(error, phase="connect")
    try:
        sock.connect((address, port))
    except OSError as error:
        sock.close()
        return _failure(error, phase="connect")
    return DatagramLink(sock)


def _failure(error: OSError, *, phase: Phase) -> Retry | LocalFault:
    reason = f"udp:{reason_of(error)}"
    return LocalFault(reason) if is_local(error) else Retry(reason=reason, phase=phase)
