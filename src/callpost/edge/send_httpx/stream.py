"""What httpx reads and writes: a link of the dialler's, and what went over it in one exchange.

Every byte passes here, so this knows how far an exchange has come, whatever httpx makes of it.
"""

from math import inf
from typing import Final

import httpcore
import trio

from callpost.edge.http1 import Link
from callpost.edge.send_http_negotiated.tls import SecureLink
from callpost.model.limits import ANSWER_HEADERS_MAX_BYTES, ANSWER_MAX_BYTES
from callpost.model.outcome import Phase

_CHUNK_BYTES: Final = 16 * 1024
# Answers in between (100 Continue, 103 Early Hints); a server that sends more plays with us.
INTERIM_MAX: Final = 16
# An answer that is kept to see where it ends: as much as is read of any, with room for chunks.
_KEPT_MAX_BYTES: Final = ANSWER_HEADERS_MAX_BYTES + 2 * ANSWER_MAX_BYTES


class Enough(Exception):
    """As much of the answer has been read as anybody wants."""


class EndlessHead(Exception):
    """The headers of the answer do not come to an end; the text says of what there is too much."""


class Course:
    """How far one exchange has come; `scope` ends it.

    `received` says whether any byte of an answer came, `headed` that its headers are here, and
    `wants_no_more` that no more of its body is wanted.
    """

    def __init__(self, scope: trio.CancelScope, *, deadline: float) -> None:
        self.phase: Phase = "write"
        self.received = False
        self.headed = False
        self.wants_no_more = False
        # Why nothing more could be sent or received, "" as long as it could.
        self.reason = ""
        # The head of the answer where it is known before httpx tells, as over HTTP/2.
        self.head: list[tuple[bytes, bytes]] = []
        # What came, as long as it is short.
        self.kept = b""
        self._bytes = 0
        self._scope = scope
        self._deadline = deadline

    def answered(self) -> None:
        """The answer has begun: from now on the time-out of the whole attempt counts."""
        if not self.received:
            self.received = True
            self.phase = "read"
            self._scope.deadline = self._deadline

    def check(self, *, is_http2: bool) -> None:
        """Raise where nothing more is to be read; h2 has bounds of its own."""
        if self.wants_no_more:
            raise Enough
        if self.headed or is_http2:
            return
        if self.kept.count(b"HTTP/1.1 1") > INTERIM_MAX:
            raise EndlessHead("too many interim answers")
        if self._bytes >= ANSWER_HEADERS_MAX_BYTES:
            raise EndlessHead("header block too large")

    def take(self, data: bytes) -> None:
        """What came."""
        self._bytes += len(data)
        if self._bytes <= _KEPT_MAX_BYTES:
            self.kept += data

    @property
    def is_kept(self) -> bool:
        """Whether `kept` has all that came."""
        return self._bytes <= _KEPT_MAX_BYTES


class LinkStream(httpcore.AsyncNetworkStream):
    """A link as httpx's lower half, httpcore, wants it; each exchange sets its `course`.

    Time-outs are the course's, so those that come with a call are not looked at.
    """

    def __init__(self, link: Link | SecureLink, *, is_http2: bool) -> None:
        self.course = Course(trio.CancelScope(), deadline=inf)
        self._link = link
        self._is_http2 = is_http2

    def answered(self, head: list[tuple[bytes, bytes]]) -> None:
        """The connection has seen the head of the answer, its `:status` among the fields."""
        self.course.head = head
        self.course.answered()

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002 - see above
        """Bytes of the peer, b"" once it has closed."""
        course = self.course
        course.check(is_http2=self._is_http2)
        if not course.received and not course.reason:
            course.phase = "first-byte"
        try:
            data = await self._link.receive_some(min(max_bytes, _CHUNK_BYTES))
        except OSError as error:
            course.reason = course.reason or self._link.reason_of(error)
            raise httpcore.ReadError from error
        if not data:
            course.reason = course.reason or "closed"
        elif not self._is_http2:
            # In HTTP/2 it may be anything; the connection tells.
            course.answered()
        course.take(data)
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002 - see above
        """Hand everything to the kernel."""
        course = self.course
        if not buffer:
            return
        if not course.received:
            course.phase = "write"
        try:
            await self._link.send_all(buffer)
        except OSError as error:
            # A peer may answer (413, say) and close before it has read everything: httpcore
            # reads on where it can.
            course.reason = self._link.reason_of(error)
            raise httpcore.WriteError from error

    async def aclose(self) -> None:
        """Close it without waiting."""
        self._link.close()

    def get_extra_info(self, info: str) -> None:
        """There is nothing that httpcore need know: who holds the connection looks after it."""
