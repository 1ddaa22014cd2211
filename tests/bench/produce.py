"""A producer in a process of its own: feeds events over a Unix socket and counts the replies.

Run with one argument, a JSON object; prints one JSON object. It must never be what is waited
for: lines are made a thousand at a time out of a block that exists already.
"""

import json
import select
import selectors
import socket
import sys
import time
from collections.abc import Callable, Iterator
from itertools import count, islice

_BLOCK_LINES = 1_000
_READ_BYTES = 1 << 20
# Six characters that the number of the block replaces: a call of its own for each event.
_MARK = b"@@@@@@"


def main() -> None:
    """Feed as told, and say how it went."""
    pace, order = json.loads(sys.argv[1])
    began_at = time.monotonic()
    waits_ms, replies = _PACES[pace](**order)
    result = {
        "began_at": began_at,
        "ended_at": time.monotonic(),
        "accepted": replies.lines - replies.refused,
        "refused": replies.refused,
        "waits_ms": waits_ms,
    }
    sys.stdout.write(json.dumps(result))


class Replies:
    """The replies of a connection, or of several one after the other, counted."""

    def __init__(self) -> None:
        self.lines = 0
        self.refused = 0
        self._rest = b""

    def hear(self, connection: socket.socket) -> None:
        """Take in what is there; the daemon never hangs up first."""
        data = connection.recv(_READ_BYTES)
        if not data:
            sys.exit("the daemon closed the connection")
        whole, _, self._rest = (self._rest + data).rpartition(b"\n")
        self.lines += whole.count(b"\n") + bool(whole)
        self.refused += whole.count(b'"ok":false')


def line(place: int, *, tag: str, spread: int = 0, sent: str = "") -> bytes:
    """One event; with `spread` it is about one of so many extensions."""
    extension = f',"extension":"x{place % spread}"' if spread else ""
    data = f',"data":{{"sent":"{sent}"}}' if sent else ""
    return (
        f'{{"event":"newCall","callId":"{tag}-{_MARK.decode()}-{place:03d}",'
        '"from":"+4512345678","to":"+4587654321","direction":"in","user":["Alice"],'
        f'"fromName":"Bob Jensen"{extension}{data}}}\n'
    ).encode()


def blocks(numbers: Iterator[int], events: int, *, tag: str, spread: int) -> Iterator[bytes]:
    """So many events; no call occurs twice for as long as no number does."""
    lines = [line(place, tag=tag, spread=spread) for place in range(_BLOCK_LINES)]
    whole = b"".join(lines)
    for number in islice(numbers, events // _BLOCK_LINES):
        yield whole.replace(_MARK, b"%06d" % number)
    if rest := events % _BLOCK_LINES:
        yield b"".join(lines[:rest]).replace(_MARK, b"%06d" % next(numbers))


class Connection:
    """One connection that sends blocks as fast as they are taken."""

    def __init__(self, door: str, sending: Iterator[bytes]) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(door)
        self.socket.setblocking(False)
        self.replies = Replies()
        self._blocks = sending
        self._rest = memoryview(b"")

    def send(self) -> bool:
        """Send what fits; False when there is nothing more."""
        if not self._rest:
            block = next(self._blocks, None)
            if block is None:
                return False
            self._rest = memoryview(block)
        self._rest = self._rest[self.socket.send(self._rest) :]
        return True


def pipelined(
    *,
    door: str,
    events: int,
    tag: str,
    within_s: float,
    connections: int,
    replies: bool,
    spread: int,
) -> tuple[list[float], Replies]:
    """Send everything on several connections at once, reading replies as they come."""
    numbers = count()
    every = [
        Connection(door, blocks(numbers, share, tag=tag, spread=spread))
        for share in shares(events, connections)
    ]
    _feed_all(every, expected=events if replies else 0, deadline=time.monotonic() + within_s)
    total = Replies()
    for one in every:
        one.socket.close()
        total.lines += one.replies.lines
        total.refused += one.replies.refused
    return [], total


def _feed_all(every: list[Connection], *, expected: int, deadline: float) -> None:
    with selectors.DefaultSelector() as selector:
        for one in every:
            selector.register(one.socket, selectors.EVENT_READ | selectors.EVENT_WRITE, one)
        sending = len(every)
        while sending or sum(one.replies.lines for one in every) < expected:
            for key, ready in selector.select(timeout=1):
                if ready & selectors.EVENT_READ:
                    key.data.replies.hear(key.data.socket)
                if ready & selectors.EVENT_WRITE and not key.data.send():
                    sending -= 1
                    selector.modify(key.fileobj, selectors.EVENT_READ, key.data)
            if time.monotonic() > deadline:
                sys.exit(f"{sum(one.replies.lines for one in every)} replies in the time allowed")


def shares(events: int, connections: int) -> list[int]:
    """How many events each connection gets."""
    each, more = divmod(events, connections)
    return [each + (place < more) for place in range(connections)]


def one_by_one(*, door: str, events: int, tag: str, within_s: float) -> tuple[list[float], Replies]:
    """Send an event, wait for its reply, send the next; returns how long each one waited."""
    deadline = time.monotonic() + within_s
    ready = b"".join(blocks(count(), events, tag=tag, spread=0)).splitlines(keepends=True)
    waits_ms: list[float] = []
    replies = Replies()
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(door)
        for place, event in enumerate(ready, start=1):
            sent_at = time.monotonic()
            connection.sendall(event)
            while replies.lines < place:
                replies.hear(connection)
            waits_ms.append((time.monotonic() - sent_at) * 1000)
            if sent_at > deadline:
                sys.exit(f"{place} replies in the time allowed")
    return waits_ms, replies


def paced(
    *, door: str, events: int, tag: str, within_s: float, rate_per_s: float, spread: int
) -> tuple[list[float], Replies]:
    """Send at a steady rate; each event bears the moment (CLOCK_MONOTONIC, ns) of its writing."""
    replies = Replies()
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(door)
        started_at = time.monotonic()
        for place in range(events):
            _hear_until(started_at + place / rate_per_s, connection, replies)
            number, position = divmod(place, _BLOCK_LINES)
            event = line(position, tag=tag, spread=spread, sent=str(time.monotonic_ns()))
            connection.sendall(event.replace(_MARK, b"%06d" % number))
        while replies.lines < events:
            if time.monotonic() > started_at + within_s:
                sys.exit(f"{replies.lines} replies in the time allowed")
            _hear_until(time.monotonic() + 0.1, connection, replies)
    return [], replies


def _hear_until(due_at: float, connection: socket.socket, replies: Replies) -> None:
    while True:
        wait_s = due_at - time.monotonic()
        if select.select([connection], [], [], max(wait_s, 0))[0]:
            replies.hear(connection)
        elif wait_s <= 0:
            return


_PACES: dict[str, Callable[..., tuple[list[float], Replies]]] = {
    "pipelined": pipelined,
    "one by one": one_by_one,
    "paced": paced,
}


if __name__ == "__main__":
    main()
