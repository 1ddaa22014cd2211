"""A producer that loses nothing: what was not acknowledged it sends again, with the same id.

It pipelines, and connects again whenever its connection has ended.
"""

import json
import time
from collections import deque
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Final

import trio

from faults.history import Sent
from faults.simulated_settings import Letter

# A producer that finds nobody at the door comes back so soon.
_AGAIN_AFTER_S: Final = 0.02
# One turn of sending; what is due by the pace goes out together.
_TURN_S: Final = 0.01
# So many may be without a reply.
_WINDOW: Final = 300


class PatientProducer:
    """Sends the letters of `story` at a pace, and any that are put into `urgent` at once."""

    def __init__(
        self,
        door: Path,
        story: Iterator[Letter],
        *,
        pace_per_s: float,
        acknowledged: Callable[[Sent], None],
    ) -> None:
        self._door = door
        self._story = story
        self._pace_per_s = pace_per_s
        self._acknowledged = acknowledged
        self._unanswered: dict[str, Letter] = {}
        self._answered = trio.Event()
        self.urgent: deque[Letter] = deque()
        self.is_inventing = True
        self.sent: list[Sent] = []
        self.refused = 0

    async def feed(self) -> None:
        """Go on for ever."""
        while True:
            try:
                stream = await trio.open_unix_socket(str(self._door))
            except OSError:
                await trio.sleep(_AGAIN_AFTER_S)
                continue
            out: deque[Letter] = deque()
            async with stream, trio.open_nursery() as nursery:
                nursery.start_soon(self._send, stream, out)
                await self._hear(stream, out)
                nursery.cancel_scope.cancel()

    async def content(self) -> None:
        """Wait until nothing is without its reply, and nothing waits to be sent."""
        while self._unanswered or self.urgent:
            await self._answered.wait()

    async def _send(self, stream: trio.SocketStream, out: deque[Letter]) -> None:
        due = 0.0
        batch = list(self._unanswered.values())
        try:
            while True:
                out.extend(batch)
                await stream.send_all(b"".join(letter.line + b"\n" for letter in batch))
                await trio.sleep(_TURN_S)
                due = min(due + self._pace_per_s * _TURN_S, self._pace_per_s)
                room = _WINDOW - len(self._unanswered)
                batch = list(islice(self._fresh(int(due)), max(0, room)))
                due -= min(len(batch), int(due))
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            # Whoever hears the replies notices as well.
            return

    def _fresh(self, count: int) -> Iterator[Letter]:
        now = time.time()
        while self.urgent:
            yield self._first_sent(self.urgent.popleft(), now)
        for letter in islice(self._story, count if self.is_inventing else 0):
            yield self._first_sent(letter, now)

    def _first_sent(self, letter: Letter, now: float) -> Letter:
        letter.sent.sent_at = now
        self._unanswered[letter.sent.id] = letter
        self.sent.append(letter.sent)
        return letter

    async def _hear(self, stream: trio.SocketStream, out: deque[Letter]) -> None:
        rest = b""
        try:
            async for chunk in stream:
                *lines, rest = (rest + chunk).split(b"\n")
                now = time.time()
                for line in lines:
                    self._take(json.loads(line), out.popleft(), now)
                self._answered.set()
                self._answered = trio.Event()
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            return

    def _take(self, reply: dict[str, object], letter: Letter, now: float) -> None:
        if not reply["ok"]:
            # It is sent again over the next connection.
            self.refused += 1
            return
        assert reply["id"] == letter.sent.id, "a reply out of its turn"
        del self._unanswered[letter.sent.id]
        letter.sent.acknowledged_at = now
        letter.sent.number = int(str(reply["number"]))
        self._acknowledged(letter.sent)
