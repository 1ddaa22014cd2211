"""Traffic that could go on for hours: it remembers of each call only what is still to come.

A thousand events a second are too many to keep for an oracle; what is kept is enough to see a
loss, a doubling or a wrong order at receivers that are well.
"""

import json
from collections import deque
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Final

import trio

_KINDS: Final = ("newCall", "ringing", "answer", "hangup")
_TURN_S: Final = 0.02
_READ_MAX_BYTES: Final = 262_144
_WINDOW: Final = 20_000


class SteadyReceivers:
    """Those that are well answer 200, the others 503; the path is `/NAME`."""

    def __init__(self, failing: frozenset[str]) -> None:
        self._failing = failing
        self._next_seq: dict[tuple[str, str], int] = {}
        self.arrived = 0
        self.refused = 0
        self.faults: list[str] = []
        self._changed = trio.Event()

    async def until(self, count: int, *, within_s: float) -> None:
        """Wait until so many have arrived."""
        with trio.fail_after(within_s):
            while self.arrived < count:
                await self._changed.wait()

    def under_way(self) -> int:
        """How many calls have begun and not ended at a receiver."""
        return len(self._next_seq)

    async def serve(self, stream: trio.SocketStream) -> None:
        """Hear requests until the connection ends."""
        buffer = b""
        async with stream:
            try:
                while data := await stream.receive_some(_READ_MAX_BYTES):
                    buffer += data
                    while (whole := _split(buffer)) is not None:
                        name, body, buffer = whole
                        status = b"503 No" if name in self._failing else b"200 OK"
                        if name in self._failing:
                            self.refused += 1
                        else:
                            self._take(name, body)
                        await stream.send_all(b"HTTP/1.1 %b\r\nContent-Length: 0\r\n\r\n" % status)
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                return

    def _take(self, name: str, body: bytes) -> None:
        fields = json.loads(body)
        call = (name, fields["callId"])
        seq = self._next_seq.pop(call, 1)
        if fields["seq"] != seq:
            self.faults.append(f"{call} has seq {fields['seq']} instead of {seq}")
        if fields["event"] != _KINDS[-1]:
            self._next_seq[call] = seq + 1
        self.arrived += 1
        self._changed.set()
        self._changed = trio.Event()


class SteadyProducer:
    """Sends so many events a second, each call for one of the customers in turn."""

    def __init__(self, door: Path, customers: int, *, pace_per_s: float) -> None:
        self._door = door
        self._customers = customers
        self._pace_per_s = pace_per_s
        self.acknowledged = [0] * customers
        self.faults: list[str] = []
        self.longest_lag = 0

    async def feed(self, lasts_s: float) -> None:
        """Send for so long, and until everything is answered."""
        stream = await trio.open_unix_socket(str(self._door))
        out: deque[int] = deque()
        async with stream, trio.open_nursery() as nursery:
            nursery.start_soon(self._send, stream, out, lasts_s)
            rest = b""
            async for chunk in stream:
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    customer = out.popleft()
                    if line.startswith(b'{"ok":true'):
                        self.acknowledged[customer] += 1
                    else:
                        self.faults.append(line.decode())

    async def _send(self, stream: trio.SocketStream, out: deque[int], lasts_s: float) -> None:
        events = self._events()
        begun = trio.current_time()
        sent = 0
        while (passed_s := trio.current_time() - begun) < lasts_s:
            due = min(int(passed_s * self._pace_per_s) - sent, _WINDOW - len(out))
            self.longest_lag = max(self.longest_lag, len(out))
            batch = [next(events) for _ in range(due)]
            out.extend(customer for customer, _ in batch)
            sent += len(batch)
            await stream.send_all(b"".join(line for _, line in batch))
            await trio.sleep(_TURN_S)
        # So that no receiver is left in the middle of a call.
        while sent % (len(_KINDS) * self._customers):
            customer, line = next(events)
            out.append(customer)
            sent += 1
            await stream.send_all(line)
        await stream.send_eof()

    def _events(self) -> Iterator[tuple[int, bytes]]:
        for number in count():
            for kind in _KINDS:
                for customer in range(self._customers):
                    fields = {"event": kind, "callId": f"{number}", "customer": f"c{customer}"}
                    yield customer, json.dumps(fields).encode() + b"\n"


def _split(buffer: bytes) -> tuple[str, bytes, bytes] | None:
    """A request's path and body and what follows it, None where it is not all there."""
    end = buffer.find(b"\r\n\r\n")
    if end < 0:
        return None
    head = buffer[:end].lower()
    length = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
    if len(buffer) < end + 4 + length:
        return None
    name = head.split(b" ")[1].decode().lstrip("/")
    return name, buffer[end + 4 : end + 4 + length], buffer[end + 4 + length :]
