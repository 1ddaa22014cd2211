"""A receiver of HTTP that notes how old each event is when its first byte arrives.

It prints its port. To each line on its standard input it prints a JSON list: the ages, in
milliseconds, of all that has arrived since the last one. With the end of its input it ends.
"""

import json
import os
import re
import selectors
import socket
import sys
import time

_READ_BYTES = 1 << 16
_ANSWER = b"HTTP/1.1 204 No Content\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)
_SENT = re.compile(rb'"sent":"(\d+)"')


class Exchange:
    """One connection: what has come of the request that is under way, and since when."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self._came = b""
        self._since_ns = 0

    def hear(self, ages_ms: list[float]) -> bool:
        """Take in what is there, answer what is whole; False at the end."""
        now_ns = time.monotonic_ns()
        try:
            data = self.connection.recv(_READ_BYTES)
        except ConnectionError:
            return False
        if not self._came:
            self._since_ns = now_ns
        self._came += data
        if self._is_whole():
            if sent := _SENT.search(self._came):
                ages_ms.append((self._since_ns - int(sent[1])) / 1e6)
            self._came = b""
            self.connection.sendall(_ANSWER)
        return bool(data)

    def _is_whole(self) -> bool:
        end = self._came.find(b"\r\n\r\n")
        if end < 0:
            return False
        length = _LENGTH.search(self._came, 0, end + 2)
        return len(self._came) - end - 4 >= (int(length[1]) if length else 0)


def main() -> None:
    """Serve until the end of the standard input."""
    ages_ms: list[float] = []
    orders = sys.stdin.fileno()
    with selectors.DefaultSelector() as selector, socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(4096)
        listener.setblocking(False)
        print(listener.getsockname()[1], flush=True)  # noqa: T201 - the way to tell
        selector.register(listener, selectors.EVENT_READ)
        selector.register(orders, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fileobj is listener:
                    _admit(listener, selector)
                elif key.fd == orders:
                    if not os.read(orders, 1):
                        return
                    print(json.dumps(ages_ms), flush=True)  # noqa: T201 - the way to tell
                    ages_ms.clear()
                elif not key.data.hear(ages_ms):
                    selector.unregister(key.fileobj)
                    key.data.connection.close()


def _admit(listener: socket.socket, selector: selectors.BaseSelector) -> None:
    connection, _ = listener.accept()
    # Blocking: a subscriber's answer of thirty bytes always fits.
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    selector.register(connection, selectors.EVENT_READ, Exchange(connection))


if __name__ == "__main__":
    main()
