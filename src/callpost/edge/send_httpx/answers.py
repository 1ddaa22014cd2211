"""What httpcore would not notice of an answer.

It takes an answer of HTTP/2 without a status for a 200, a server that takes its leave for one
that is gone, and does not mind bytes behind an answer, which the next one would be read from.
"""

from collections.abc import Callable

import httpcore
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import Event, InformationalResponseReceived, ResponseReceived, StreamReset
from h2.exceptions import FrameTooLargeError, ProtocolError, TooManyStreamsError

from callpost.edge.send_http_negotiated.frames import Frames, last_stream_of
from callpost.edge.send_httpx.stream import INTERIM_MAX

Fields = list[tuple[bytes, bytes]]


class BadAnswer(ProtocolError):
    """The text is a short word for what is wrong with it."""


class CheckedHttp2(httpcore.AsyncHTTP2Connection):
    """httpcore's connection, with an h2 that checks; `answered` is told the head of an answer."""

    def __init__(
        self,
        origin: httpcore.Origin,
        stream: httpcore.AsyncNetworkStream,
        answered: Callable[[Fields], None],
    ) -> None:
        super().__init__(origin=origin, stream=stream)
        self._checked = self._h2_state = _CheckedH2(answered)

    @property
    def is_leaving(self) -> bool:
        """Whether the peer takes no further request."""
        return self._checked.is_leaving


class _CheckedH2(H2Connection):
    def __init__(self, answered: Callable[[Fields], None]) -> None:
        super().__init__(H2Configuration(client_side=True, header_encoding=None))
        self.is_leaving = False
        self._answered = answered
        self._frames = Frames()
        self._interim = 0

    def receive_data(self, data: bytes) -> list[Event]:  # type: ignore[override] # its own type has no public name
        """See h2; raises BadAnswer too."""
        events: list[Event] = []
        for frame in self._frames.after(data):
            last = last_stream_of(frame)
            if last is None:
                events += super().receive_data(frame)
            else:
                self._take_leave(last)
        for event in events:
            self._check(event)
        return events

    def local_flow_control_window(self, stream_id: int) -> int:
        """How much may be sent, never less than nothing.

        Settings that make the window smaller leave a debt (RFC 9113, section 6.9.2), and httpcore,
        which begins before it has them, waits for a window of exactly nothing only.
        """
        return max(0, super().local_flow_control_window(stream_id))

    def _take_leave(self, last: int) -> None:
        """The peer answers what came up to `last`; h2 would take it for the end of everything."""
        self.is_leaving = True
        if self.highest_outbound_stream_id > last:
            raise httpcore.ConnectionNotAvailable

    def _check(self, event: Event) -> None:
        match event:
            case ResponseReceived(headers=headers):
                fields = [(bytes(name), bytes(value)) for name, value in headers]
                status = next((value for name, value in fields if name == b":status"), b"")
                if len(status) != 3 or not status.isdigit() or status < b"200":
                    raise BadAnswer("unexpected status")
                self._interim = 0
                self._answered(fields)
            case InformationalResponseReceived():
                self._interim += 1
                if self._interim > INTERIM_MAX:
                    raise BadAnswer("too many interim answers")
            case _:
                pass


def is_exact(answer: bytes, *, body_bytes: int, is_chunked: bool) -> bool:
    """Whether the bytes of an answer of HTTP/1.1 end where it ends itself, as far as is known.

    An answer with others in between is rare, and taken for one that does not.
    """
    head, end, body = answer.partition(b"\r\n\r\n")
    if not end or head.startswith(b"HTTP/1.1 1"):
        return False
    if is_chunked:
        return body == b"0\r\n\r\n" or body.endswith(b"\r\n0\r\n\r\n")
    return len(body) == body_bytes


def word_of(error: Exception) -> str:
    """A short word for what httpcore has found wrong with an answer; nothing of it is quoted."""
    cause = error.__cause__
    found = next(iter(cause.args), None) if isinstance(cause, Exception) else None
    match found if isinstance(found, ProtocolError | StreamReset) else error:
        case BadAnswer() as bad:
            return f"protocol:{bad}"
        case StreamReset(error_code=ErrorCodes.REFUSED_STREAM) | TooManyStreamsError():
            return "stream_refused"
        case StreamReset():
            return "stream_reset"
        case FrameTooLargeError():
            return "protocol:frame size error"
        case ProtocolError(error_code=ErrorCodes.ENHANCE_YOUR_CALM):
            return "protocol:header block too large"
        case ProtocolError(error_code=code):
            return f"protocol:{ErrorCodes(code).name.replace('_', ' ').lower()}"
        case _:
            return "protocol:malformed answer"
