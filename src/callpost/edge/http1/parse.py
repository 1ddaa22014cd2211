"""An HTTP/1.1 answer out of bytes, by llhttp (RFC 9112).

Feed what arrives, however it was cut. Once status line and headers are here they stand: a body
that is broken, endless or missing changes nothing but that the connection is not used again.
"""

from typing import Final

from httptools import HttpParserError, HttpResponseParser

from callpost.model.limits import ANSWER_HEADERS_MAX_BYTES, ANSWER_MAX_BYTES

# Answers in between (100 Continue, 103 Early Hints); a server that sends more plays with us.
_INTERIM_MAX: Final = 16
# The headers that somebody reads; the others are counted and forgotten.
_KEPT: Final = frozenset({b"retry-after", b"location", b"www-authenticate", b"content-type"})
# What is read of an answer at all, chunk sizes and trailers included: enough for a body of
# ANSWER_MAX_BYTES in chunks of any sensible size, and an end to trailers that have none.
_READ_MAX_BYTES: Final = ANSWER_HEADERS_MAX_BYTES + 4 * ANSWER_MAX_BYTES
_VERSIONS: Final = frozenset({"1.0", "1.1"})
_HEADERS_TOO_LARGE: Final = "header block too large"
_FIRST_BYTE: Final = b"H"
_LINE_ENDS: Final = b"\r\n"


class AnswerParser:
    """Reads the answers of one connection, one after the other.

    `headed` says that the final status line and headers are here; before that they mean nothing.
    `done` says that nothing more is wanted, because the answer is whole, broken or too long;
    `error` what was wrong before `headed`, "" for nothing; `reusable` whether the connection may
    carry another request; `body` holds at most ANSWER_MAX_BYTES.
    """

    __slots__ = (
        "_interim",
        "_llhttp",
        "_read_bytes",
        "body",
        "done",
        "error",
        "headed",
        "headers",
        "received",
        "reusable",
        "status",
    )

    def __init__(self) -> None:
        self.headers: list[tuple[bytes, bytes]] = []
        self.begin()
        llhttp = HttpResponseParser(self)
        # Scripts end lines with a bare LF; RFC 9112, section 2.2 lets a recipient take that.
        llhttp.set_dangerous_leniencies(lenient_optional_cr_before_lf=True)
        self._llhttp = llhttp

    def begin(self) -> None:
        """Be ready for the next answer; after one that was not `reusable` there is none.

        A parser for each answer instead would cost 1 us more.
        """
        self.status = 0
        self.headers.clear()
        self.headed = False
        self.done = False
        self.reusable = False
        self.received = False
        self.error = ""
        self.body = b""
        self._interim = 0
        self._read_bytes = 0

    def feed(self, data: bytes) -> None:
        """Take what arrived next."""
        if self.done:
            # Servers send an empty line too many now and then; anything else is not ours.
            self.reusable = self.reusable and not data.strip(_LINE_ENDS)
            return
        if not self.received and not self._begins(data):
            return
        limit = _READ_MAX_BYTES if self.headed else ANSWER_HEADERS_MAX_BYTES
        room = limit - self._read_bytes
        self._execute(data[:room])
        if len(data) >= room:
            self._reach_limit(data[room:])

    def _reach_limit(self, rest: bytes) -> None:
        """Go on only with an answer whose headers are here."""
        if not self.done:
            if not self.headed:
                self._end(_HEADERS_TOO_LARGE)
            elif self._read_bytes >= _READ_MAX_BYTES:
                self.done = True
        if rest:
            self.feed(rest)

    def _begins(self, data: bytes) -> bool:
        """Whether parsing goes on: llhttp takes RTSP and ICE for HTTP, we do not."""
        first = data.lstrip(_LINE_ENDS)[:1]
        if first:
            self.received = True
            if first != _FIRST_BYTE:
                self._end("not HTTP")
                return False
        return True

    def _execute(self, data: bytes) -> None:
        self._read_bytes += len(data)
        try:
            self._llhttp.feed_data(data)
        except HttpParserError as error:
            # Callbacks stop the parser by raising; then the verdict is there already.
            if self.done:
                self.reusable = False
            else:
                self._end(str(error).lower())
        if self.done and not self.reusable:
            # The parser and we hold each other; cut here, no garbage waits for the collector.
            del self._llhttp

    def _end(self, error: str) -> None:
        self.done = True
        self.reusable = False
        if not self.headed:
            self.error = error

    # What follows is called by llhttp.

    def on_message_begin(self) -> None:
        """Begin an answer; after the final one there must be no other."""
        if self.done:
            raise _Stop

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header; what comes behind the body (trailers) does not count."""
        if not self.headed:
            name = name.lower()
            if name in _KEPT:
                self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        """Decide whether this is the final answer."""
        self.status = self._llhttp.get_status_code()
        if self._llhttp.get_http_version() not in _VERSIONS:
            self._end("unknown version")
            raise _Stop
        if self.status < 100 or self.status == 101:
            self._end("unexpected status")
            raise _Stop
        if self.status < 200:
            self._interim += 1
            self.headers.clear()
            if self._interim > _INTERIM_MAX:
                self._end("too many interim answers")
                raise _Stop
            return
        self.headed = True

    def on_body(self, data: bytes) -> None:
        """Keep the beginning of the body; more than we want ends the reading."""
        self.body += data
        if len(self.body) > ANSWER_MAX_BYTES:
            self.body = self.body[:ANSWER_MAX_BYTES]
            self.done = True
            raise _Stop

    def on_message_complete(self) -> None:
        """Note the end of the answer, unless it was one in between."""
        if self.headed:
            self.done = True
            self.reusable = self._llhttp.should_keep_alive()


class _Stop(Exception):
    """Stops the parser from within a callback."""
