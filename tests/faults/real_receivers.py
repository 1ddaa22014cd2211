"""Receivers for a daemon that is really there: they note every arrival and fail as they were told.

What they note is raw: when a crash or a time-out has cut an attempt short is known only later.
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Final, Literal

import trio

from faults.history import Arrival, Reported, digest_of
from faults.simulated_endpoints import call_of

_READ_MAX_BYTES: Final = 65_536
_REASONS: Final = {200: b"OK", 422: b"Unprocessable Content", 503: b"Service Unavailable"}


@dataclass(frozen=True)
class Conduct:
    """What a receiver does while it may fail: each a share of its requests, the rest goes well.

    One that is forgetful has kept the event, and closes the connection without an answer.
    """

    slow_s: float = 0.0
    sick: float = 0.0
    forgetful: float = 0.0
    picky: float = 0.0


Fate = Literal["well", "sick", "forgetful", "picky"]
_STATUS: Final[dict[Fate, int]] = {"well": 200, "sick": 503, "picky": 422}


@dataclass(slots=True)
class Seen:
    """An arrival, and when the connection was made that it came on."""

    arrival: Arrival
    connected_at: float


class Receivers:
    """All doors of one life, behind one port of HTTP and one of TCP.

    The path of a request is `/SUBSCRIPTION/PLACE`; what comes over TCP is for `line`.
    `arrived` is called when a receiver has done with a request.
    """

    def __init__(
        self,
        chance: Random,
        conducts: Mapping[str, Conduct],
        *,
        arrived: Callable[[Arrival], None],
        reported: Callable[[Reported], None],
    ) -> None:
        self._chance = chance
        self._conducts = conducts
        self._arrived = arrived
        self._reported = reported
        self.are_well = False
        self.seen: list[Seen] = []

    async def serve_http(self, stream: trio.SocketStream) -> None:
        """Hear requests until the connection ends."""
        connected_at = time.time()
        buffer = bytearray()
        async with stream:
            try:
                while (request := await _request(stream, buffer)) is not None:
                    status = await self._take(request, connected_at)
                    if status is None:
                        return
                    await stream.send_all(
                        b"HTTP/1.1 %d %b\r\nContent-Length: 0\r\n\r\n" % (status, _REASONS[status])
                    )
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                return

    async def serve_tcp(self, stream: trio.SocketStream) -> None:
        """Hear lines, each with an event in an envelope, and acknowledge each."""
        connected_at = time.time()
        rest = b""
        async with stream:
            try:
                async for chunk in stream:
                    *lines, rest = (rest + chunk).split(b"\n")
                    for line in lines:
                        status = await self._take_line(line, connected_at)
                        if status is None:
                            return
                        await stream.send_all(b"%d\n" % status)
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                return

    async def _take(self, request: "_Request", connected_at: float) -> int | None:
        _, name, place = request.target.split("/")
        fields: dict[str, object] = json.loads(request.body)
        if place == "report":
            ended = str(fields["type"]).removeprefix("delivery.")
            self._reported(Reported(name, str(fields["eventId"]), ended))
            return 200
        marks = request.headers
        arrival = _arrival(
            (name, place),
            fields,
            _Marks(
                marks["webhook-id"],
                int(marks["callpost-seq"]),
                int(marks["callpost-attempt"]),
                marks.get("callpost-previous", ""),
            ),
        )
        return await self._end(arrival, connected_at)

    async def _take_line(self, line: bytes, connected_at: float) -> int | None:
        envelope = json.loads(line)
        fields: dict[str, object] = envelope["content"]
        previous_id = str(fields.get("previousId", ""))
        marks = _Marks(envelope["id"], envelope["seq"], envelope["attempt"], previous_id)
        return await self._end(_arrival(("line", "primary"), fields, marks), connected_at)

    async def _end(self, arrival: Arrival, connected_at: float) -> int | None:
        """Note it, let the time pass that it takes; the status, None where there is no answer."""
        self.seen.append(Seen(arrival, connected_at))
        conduct = self._conducts.get(arrival.subscription, Conduct())
        fate = self._fate(conduct)
        arrival.taken = fate in {"well", "forgetful"}
        arrival.heard = fate != "forgetful"
        try:
            await trio.sleep(0 if self.are_well else conduct.slow_s * self._chance.random())
        finally:
            arrival.ended_at = time.time()
            self._arrived(arrival)
        return _STATUS.get(fate)

    def _fate(self, conduct: Conduct) -> Fate:
        if self.are_well:
            return "well"
        ill: tuple[Fate, ...] = ("sick", "forgetful", "picky")
        shares = [conduct.sick, conduct.forgetful, conduct.picky]
        return self._chance.choices((*ill, "well"), (*shares, 1 - sum(shares)))[0]


@dataclass(frozen=True, slots=True)
class _Request:
    target: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class _Marks:
    id: str
    seq: int
    attempt: int
    previous_id: str


async def _request(stream: trio.SocketStream, buffer: bytearray) -> _Request | None:
    """The next request, None where the connection has ended. `buffer` keeps what came early."""
    while (end := buffer.find(b"\r\n\r\n")) < 0:
        if not await _more(stream, buffer):
            return None
    first, *lines = buffer[:end].decode("latin-1").split("\r\n")
    headers = {
        name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)
    }
    length = end + 4 + int(headers.get("content-length", "0"))
    while len(buffer) < length:
        if not await _more(stream, buffer):
            return None
    body = bytes(buffer[end + 4 : length])
    del buffer[:length]
    return _Request(first.split(" ")[1], headers, body)


async def _more(stream: trio.SocketStream, buffer: bytearray) -> bool:
    data = await stream.receive_some(_READ_MAX_BYTES)
    buffer += data
    return bool(data)


def _arrival(door: tuple[str, str], fields: dict[str, object], marks: _Marks) -> Arrival:
    is_true = (marks.id, marks.seq, marks.previous_id) == (
        fields["id"],
        fields["seq"],
        fields.get("previousId", ""),
    )
    now = time.time()
    return Arrival(
        subscription=door[0],
        place=door[1],
        id=marks.id,
        call=call_of(fields),
        kind=str(fields["event"]),
        seq=marks.seq,
        previous_id=marks.previous_id,
        attempt=marks.attempt,
        digest=digest_of(fields) if is_true else "headers and body differ",
        begun_at=now,
        ended_at=now,
    )
