"""A receiver of lines over TCP and of datagrams over UDP that only counts them.

It prints its two ports. To each line on its standard input it prints both counts, as JSON. With
the end of its input it ends.
"""

import json
import os
import selectors
import socket
import sys

_READ_BYTES = 1 << 20
# As much as the kernel gives (net.core.rmem_max): what does not fit is lost, as UDP has it.
_BUFFER_BYTES = 1 << 22


def main() -> None:
    """Count until the end of the standard input."""
    lines = datagrams = 0
    orders = sys.stdin.fileno()
    buffer = bytearray(_READ_BYTES)
    with (
        selectors.DefaultSelector() as selector,
        socket.socket() as listener,
        socket.socket(type=socket.SOCK_DGRAM) as udp,
    ):
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        udp.bind(("127.0.0.1", 0))
        udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
        udp.setblocking(False)
        print(listener.getsockname()[1], udp.getsockname()[1], flush=True)  # noqa: T201 - the way to tell
        for receiver in (listener, udp, orders):
            selector.register(receiver, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fileobj is listener:
                    selector.register(listener.accept()[0], selectors.EVENT_READ)
                elif key.fileobj is udp:
                    datagrams += _empty(udp, buffer)
                elif key.fd == orders:
                    if not os.read(orders, 1):
                        return
                    print(json.dumps([lines, datagrams]), flush=True)  # noqa: T201 - the way to tell
                elif isinstance(key.fileobj, socket.socket):
                    if size := key.fileobj.recv_into(buffer):
                        lines += buffer.count(b"\n", 0, size)
                    else:
                        selector.unregister(key.fileobj)
                        key.fileobj.close()


def _empty(udp: socket.socket, buffer: bytearray) -> int:
    datagrams = 0
    try:
        while True:
            udp.recv_into(buffer)
            datagrams += 1
    except BlockingIOError:
        return datagrams


if __name__ == "__main__":
    main()
