"""The attempts as they happen, for whoever watches: nothing here ever slows a delivery.

A listener that reads too slowly misses attempts and is told how many; while nobody listens an
attempt costs nothing here.
"""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import trio

from callpost.engine.witnesses import Witnesses
from callpost.model.delivery import Attempted

# What waits for one listener: a second of a busy machine, and about 1 MiB.
_WAITING_MAX_ATTEMPTS: Final = 1_024


class Live:
    """Hands each attempt to all `listeners`, until it is closed."""

    def __init__(self, witnesses: Witnesses) -> None:
        self._witnesses = witnesses
        self.listeners: set[Listener] = set()
        self._closed = False

    @contextmanager
    def listen(self) -> Iterator["Listener"]:
        """Hear of each attempt from now on."""
        listener = Listener()
        if self._closed:
            listener.close()
        self.listeners.add(listener)
        self._witnesses.join(listener.hear)
        try:
            yield listener
        finally:
            self._witnesses.leave(listener.hear)
            self.listeners.discard(listener)

    def close(self) -> None:
        """Let every listener come to its end: the house stops."""
        self._closed = True
        for listener in self.listeners:
            listener.close()


class Listener:
    """One who watches: iterate for attempts, and for numbers of attempts that were missed."""

    def __init__(self) -> None:
        self._waiting: deque[Attempted | int] = deque()
        self._missed = 0
        self._closed = False
        self._wake = trio.Event()

    def hear(self, attempt: Attempted) -> None:
        """Keep an attempt for the reader, or count it where too much waits already."""
        if len(self._waiting) >= _WAITING_MAX_ATTEMPTS:
            self._missed += 1
            return
        if self._missed:
            # The gap has its place among the attempts.
            self._waiting.append(self._missed)
            self._missed = 0
        self._waiting.append(attempt)
        self._wake.set()

    def close(self) -> None:
        """Let the reader come to its end once it has read what waits."""
        self._closed = True
        self._wake.set()

    def __aiter__(self) -> "Listener":
        return self

    async def __anext__(self) -> Attempted | int:
        """Wait for the next one; cancelled, it has taken nothing."""
        while not self._waiting and not self._missed:
            if self._closed:
                raise StopAsyncIteration
            self._wake = trio.Event()
            await self._wake.wait()
        if self._waiting:
            return self._waiting.popleft()
        missed, self._missed = self._missed, 0
        return missed
