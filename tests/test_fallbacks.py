"""HTTP first, TCP behind it, UDP last: the order of every call over all switches, both ways."""

import json
import socket
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import trio

from callpost.edge.listen import Arrived, Behaviour, bind_http, bind_tcp, serve_http, serve_tcp
from household import Daemon, Producer, an_event

CALLS = [f"call-{number}" for number in range(8)]
# Slow enough that a receiver dies with requests in hand, never before or after all of them.
BEHAVIOUR = Behaviour(status=200, delay_s=0.01)


class Subscriber:
    """One subscriber with three doors; what came through which, in the order of arrival."""

    def __init__(self, datagrams: socket.socket) -> None:
        self.arrived: list[tuple[str, str, int, str]] = []
        self._datagrams = datagrams
        self._changed = trio.Event()

    def take(self, door: str, what: Arrived) -> None:
        """Note an arrival; datagrams that were sent before it are noted before it."""
        self._take_datagrams()
        self._note(door, what.content)

    async def read_datagrams(self) -> None:
        """Note datagrams for ever."""
        while True:
            await trio.lowlevel.wait_readable(self._datagrams)
            self._take_datagrams()

    async def until(self, satisfied: Callable[[], bool]) -> None:
        """Wait for arrivals."""
        while not satisfied():
            await self._changed.wait()

    def number_through(self, door: str) -> int:
        """How many came through a door."""
        return sum(1 for way, *_ in self.arrived if way == door)

    def ids(self) -> set[str]:
        """Every event that has arrived."""
        return {event_id for *_, event_id in self.arrived}

    def seqs(self) -> dict[str, list[int]]:
        """The `seq` of each call's events in the order of their first arrival."""
        seen: dict[str, list[int]] = defaultdict(list)
        for _, call, seq, _ in self.arrived:
            if seq not in seen[call]:
                seen[call].append(seq)
        return dict(seen)

    def _take_datagrams(self) -> None:
        while True:
            try:
                content = self._datagrams.recv(65_535)
            except BlockingIOError:
                return
            self._note("udp", content)

    def _note(self, door: str, content: bytes) -> None:
        body = json.loads(content)
        self.arrived.append((door, body["callId"], body["seq"], body["id"]))
        self._changed.set()
        self._changed = trio.Event()


class Door:
    """A receiver that lives in `nursery` until it dies with what it has in hand."""

    def __init__(self, name: str, subscriber: Subscriber) -> None:
        self.port = 0
        self._arrived = partial(subscriber.take, name)
        self._life = trio.CancelScope()
        self._ended = trio.Event()

    async def open(self, nursery: trio.Nursery, transport: str, port: int = 0) -> "Door":
        """Listen; `transport` is http or tcp."""
        bind, serve = (bind_http, serve_http) if transport == "http" else (bind_tcp, serve_tcp)
        listener = await bind("127.0.0.1", port)
        self.port = int(listener.socket.getsockname()[1])

        async def live(task_status: trio.TaskStatus[None]) -> None:
            with self._life:
                task_status.started()
                await serve(listener, arrived=self._arrived, behave=BEHAVIOUR)
            self._ended.set()

        await nursery.start(live)
        return self

    async def die(self) -> None:
        """Cut every connection."""
        self._life.cancel()
        await self._ended.wait()


@contextmanager
def a_datagram_socket() -> Iterator[socket.socket]:
    """A UDP socket on loopback with room for whatever comes."""
    with socket.socket(type=socket.SOCK_DGRAM) as bound:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * 1024 * 1024)
        bound.setblocking(False)
        bound.bind(("127.0.0.1", 0))
        yield bound


class Calls:
    """Eight calls that go on as long as a test wants."""

    def __init__(self, producer: Producer) -> None:
        self._producer = producer
        self.ids: set[str] = set()
        self._turn = 0

    async def go_on(self, turns: int, kind: str = "") -> None:
        """Every call has that many more events."""
        lines = []
        for _ in range(turns):
            self._turn += 1
            for call in CALLS:
                event_id = f"{call}-{self._turn}"
                self.ids.add(event_id)
                lines.append(an_event(call, kind or self._kind(), id=event_id))
        await self._producer.feed(lines)

    def _kind(self) -> str:
        return "newCall" if self._turn == 1 else "hold" if self._turn % 2 else "resume"


def a_subscription(http: int, tcp: int, udp: int) -> str:
    """HTTP first, then TCP with acknowledgements, then UDP."""
    return f"""
[[subscription]]
name = "crm"
url = "http://127.0.0.1:{http}/calls"
fallback = [
  {{ url = "tcp://127.0.0.1:{tcp}", ack = true }},
  {{ url = "udp://127.0.0.1:{udp}" }},
]
"""


async def test_order_is_kept_over_every_switch_of_the_way(tmp_path: Path) -> None:
    """Each receiver dies with calls in hand; the primary comes back; no call's story is broken."""
    with a_datagram_socket() as datagrams, trio.fail_after(90):
        subscriber = Subscriber(datagrams)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(subscriber.read_datagrams)
            udp = int(datagrams.getsockname()[1])
            calls = await _switched_back_and_forth(tmp_path, subscriber, udp, nursery)
            nursery.cancel_scope.cancel()
    doors = {door for door, *_ in subscriber.arrived}
    in_order = {call: list(range(1, len(seqs) + 1)) for call, seqs in subscriber.seqs().items()}
    assert doors == {"http", "tcp", "udp", "http again"}
    assert calls.ids <= subscriber.ids()
    assert subscriber.seqs() == in_order


async def _switched_back_and_forth(
    tmp_path: Path, subscriber: Subscriber, udp: int, nursery: trio.Nursery
) -> Calls:
    http = await Door("http", subscriber).open(nursery, "http")
    tcp = await Door("tcp", subscriber).open(nursery, "tcp")
    daemon = Daemon(tmp_path, a_subscription(http.port, tcp.port, udp))
    async with daemon.running():
        calls = Calls(Producer(daemon.door))
        await calls.go_on(10)
        await subscriber.until(lambda: subscriber.number_through("http") >= 15)
        await http.die()
        await subscriber.until(lambda: subscriber.number_through("tcp") >= 15)
        await tcp.die()
        await subscriber.until(lambda: subscriber.number_through("udp") >= 15)
        await Door("http again", subscriber).open(nursery, "http", http.port)
        while not subscriber.number_through("http again"):
            await calls.go_on(1)
            await subscriber.until(lambda: calls.ids <= subscriber.ids())
        await calls.go_on(5)
        await calls.go_on(1, kind="hangup")
        await subscriber.until(lambda: calls.ids <= subscriber.ids())
    return calls
