"""One request and its answer on an HTTP/2 connection (RFC 9113, section 8.1)."""

from typing import Final

from callpost.edge.http1 import Answer, ExchangeFailure
from callpost.model.limits import ANSWER_MAX_BYTES
from callpost.model.outcome import Phase

# The headers that somebody reads.
_KEPT: Final = frozenset({b"retry-after", b"location", b"www-authenticate", b"content-type"})
# Answers in between (100 Continue, 103 Early Hints); a server that sends more plays with us.
_INTERIM_MAX: Final = 16

# RFC 9113, section 8.2.2: these belong to HTTP/1.1; the host has a field of its own.
_OF_HTTP1: Final = frozenset({b"host", b"connection", b"transfer-encoding", b"keep-alive"})

Fields = list[tuple[bytes, bytes]]


class Stream:
    """How far one exchange has come.

    `ended` says that nothing more is wanted of the peer, `whole` that it has ended the stream
    itself; once `headed` the answer stands, whatever becomes of its body.
    """

    __slots__ = (
        "_body",
        "_headers",
        "_interim",
        "_reason",
        "ended",
        "headed",
        "phase",
        "received",
        "status",
        "whole",
    )

    def __init__(self) -> None:
        self.phase: Phase = "write"
        self.status = 0
        self.headed = False
        self.ended = False
        self.whole = False
        self.received = False
        self._headers: Fields = []
        self._body = b""
        self._interim = 0
        self._reason = "closed"

    def take_headers(self, fields: Fields) -> None:
        """Status and headers of the answer."""
        self.received = True
        status = next((value for name, value in fields if name == b":status"), b"")
        if len(status) != 3 or not status.isdigit() or status < b"200":
            self.fail("protocol:unexpected status")
            return
        self.status = int(status)
        self._headers = [(name, value) for name, value in fields if name in _KEPT]
        self.headed = True
        self.phase = "read"

    def take_interim(self) -> None:
        """An answer that is none yet."""
        self.received = True
        self._interim += 1
        if self._interim > _INTERIM_MAX:
            self.fail("protocol:too many interim answers")

    def take_body(self, data: bytes) -> None:
        """A part of the body; what is too long is cut."""
        self._body += data
        if len(self._body) > ANSWER_MAX_BYTES:
            self._body = self._body[:ANSWER_MAX_BYTES]
            self.ended = True

    def fail(self, reason: str) -> None:
        """There is nothing more to come; after the headers that changes nothing."""
        if not self.ended:
            self.ended = True
            self._reason = reason

    def result(self, *, timed_out: bool, short: bool) -> Answer | ExchangeFailure:
        """What came of it; `short` says that the first byte's time-out is before the whole's."""
        if self.headed:
            return Answer(self.status, tuple(self._headers), self._body, reusable=True)
        reason = self._reason
        if timed_out:
            reason = "timeout"
            if short and not self.received:
                reason = "timeout_write" if self.phase == "write" else "timeout_first_byte"
        return ExchangeFailure(
            reason=reason, phase=self.phase, timed_out=timed_out, received=self.received
        )


def fields_of(head: bytes) -> Fields:
    """The head of a request of HTTP/1.1, as we write them, in fields of HTTP/2."""
    line, *lines = head.split(b"\r\n")
    method, target, _ = line.split(b" ")
    pairs = [(name.lower(), value) for name, _, value in (one.partition(b": ") for one in lines)]
    return [
        (b":method", method),
        (b":scheme", b"https"),
        (b":authority", next(value for name, value in pairs if name == b"host")),
        (b":path", target),
        *((name, value) for name, value in pairs if name not in _OF_HTTP1),
    ]
