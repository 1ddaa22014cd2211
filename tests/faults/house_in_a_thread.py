"""The whole house in a thread of its own, for tests that talk to it over blocking sockets.

What it logs is kept; a bug that folds its nurseries is raised where the house is left.
"""

import gc
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import trio
from structlog.typing import EventDict

from callpost.config import Source, parse
from callpost.daemon import opened
from callpost.edge.logs import collecting_logs

# A reply takes milliseconds; who waits so long is hanging.
ANSWER_WITHIN_S: Final = 10.0


@dataclass
class Guests:
    """What a test sees of the house."""

    stream: Path
    datagram: Path
    log: list[EventDict] = field(default_factory=list)

    def troubles(self) -> list[EventDict]:
        """What must never be logged, whatever comes in."""
        return [line for line in self.log if line["level"] == "error" or "exc_info" in line]

    def converse(self, pieces: list[bytes]) -> bytes:
        """Send the pieces one by one, half-close, and return everything that is answered."""
        with socket.socket(socket.AF_UNIX) as producer:
            producer.settimeout(ANSWER_WITHIN_S)
            producer.connect(str(self.stream))
            for piece in pieces:
                producer.sendall(piece)
            producer.shutdown(socket.SHUT_WR)
            answered = b""
            while data := producer.recv(65_536):
                answered += data
            return answered

    def break_off(self, pieces: list[bytes]) -> None:
        """Send the pieces and be gone, with every reply unread."""
        with socket.socket(socket.AF_UNIX) as producer:
            producer.settimeout(ANSWER_WITHIN_S)
            producer.connect(str(self.stream))
            for piece in pieces:
                producer.sendall(piece)

    def throw(self, datagram: bytes) -> None:
        """Send one datagram."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as producer:
            producer.settimeout(ANSWER_WITHIN_S)
            producer.sendto(datagram, str(self.datagram))


@contextmanager
def a_house_in_a_thread(directory: Path, settings: str) -> Iterator[Guests]:
    """A house with these settings, until the block is left."""
    text = f'state_directory = "{directory}/state"\nruntime_directory = "{directory}/run"\n'
    config = parse(
        [Source("callpost.toml", f"{text}{settings}".encode())],
        secret=lambda _directory, _name: None,
        environment={},
    )
    guests = Guests(directory / "run" / "events.sock", directory / "run" / "datagrams.sock")
    logs = collecting_logs(guests.log.append)
    ready = threading.Event()
    held: list[tuple[trio.lowlevel.TrioToken, trio.Event]] = []
    faults: list[BaseException] = []

    async def live() -> None:
        stopping = trio.Event()
        with opened(config, {}, logs) as house:
            async with trio.open_nursery() as nursery:
                await nursery.start(house.live, stopping)
                held.append((trio.lowlevel.current_trio_token(), stopping))
                ready.set()

    def inhabit() -> None:
        try:
            trio.run(live)
        except BaseException as fault:  # noqa: BLE001 - it is raised again in the test's thread
            faults.append(fault)
        finally:
            ready.set()

    thread = threading.Thread(target=inhabit, daemon=True)
    thread.start()
    ready.wait()
    try:
        yield guests
    finally:
        if thread.is_alive() and held:
            token, stopping = held[0]
            token.run_sync_soon(stopping.set)
        thread.join(30)
        # The house freezes what stands when it is ready; here that is the suite's own.
        gc.unfreeze()
    if faults:
        raise faults[0]
    assert not thread.is_alive(), "the house did not end"
