"""Content on a stream: one frame per event, and the frames of a subscriber's answers.

A frame's content comes out exactly as it went in, however the stream was cut on the way. The
content holds no LF and no NUL; the formats see to that.
"""

import re
from collections.abc import Iterable
from typing import Final, assert_never

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from callpost.model.delivery import Message
from callpost.model.endpoint import Frame
from callpost.model.instant import utc_text
from callpost.model.signing import signatures

# A length with more digits is nonsense, whatever the limit on the frame.
_LENGTH_MAX_DIGITS: Final = 10
_DIGITS: Final = re.compile(rb"[0-9]*")


def framed(content: bytes, frame: Frame) -> bytes:
    """`content` as one frame: octet counting is RFC 6587, section 3.4.1."""
    match frame:
        case "lf":
            return content + b"\n"
        case "crlf":
            return content + b"\r\n"
        case "nul":
            return content + b"\0"
        case "octets":
            return b"%d %b" % (len(content), content)
        case "netstring":
            return b"%d:%b," % (len(content), content)


class _Envelope(Struct, omit_defaults=True):
    id: str
    seq: int
    attempt: int
    time: str
    signature: str | UnsetType = UNSET
    content: Raw | str = ""


def enveloped(message: Message, *, keys: Iterable[bytes]) -> bytes:
    """The message in its envelope: a JSON object with the marks that HTTP has in headers.

    JSON content stands in it byte for byte as it was signed, any other content as a string.
    The signature's timestamp is `time` in whole seconds; without keys there is none.
    """
    milliseconds = int(message.sent_at * 1000)
    signature = signatures(
        keys, message_id=message.id, timestamp=milliseconds // 1000, content=message.content
    )
    is_json = message.content_type.partition(";")[0].strip().lower() == "application/json"
    return msgspec.json.encode(
        _Envelope(
            id=message.id,
            seq=message.seq,
            attempt=message.attempt,
            time=utc_text(milliseconds / 1000),
            signature=signature or UNSET,
            content=Raw(message.content) if is_json else message.content.decode(),
        )
    )


class BadFrame(ValueError):
    """The stream cannot be read on: a length that is none, or a frame above the limit."""


class FrameReader:
    """Frames of a stream: feed what arrives, take what is whole. At most `max_bytes` a frame.

    After BadFrame the stream has no next frame.
    """

    def __init__(self, frame: Frame, *, max_bytes: int) -> None:
        self._frame: Frame = frame
        self._max_bytes = max_bytes
        self._buffer = bytearray()
        self._searched = 0

    def feed(self, data: bytes) -> None:
        """Take what arrived next."""
        self._buffer += data

    def next_frame(self) -> bytes | None:
        """The content of the next whole frame, None where it has not all arrived.

        Raises BadFrame.
        """
        match self._frame:
            case "lf":
                return self._up_to(b"\n")
            case "crlf":
                return self._up_to(b"\r\n")
            case "nul":
                return self._up_to(b"\0")
            case "octets":
                return self._counted(b" ", b"")
            case "netstring":
                return self._counted(b":", b",")
            case _ as never:
                assert_never(never)

    def _up_to(self, end: bytes) -> bytes | None:
        found = self._buffer.find(end, self._searched)
        length = found if found >= 0 else len(self._buffer) - (len(end) - 1)
        if length > self._max_bytes:
            raise BadFrame("too large")
        if found < 0:
            self._searched = max(0, length)
            return None
        self._searched = 0
        return self._taken(0, found, found + len(end))

    def _counted(self, after_length: bytes, end: bytes) -> bytes | None:
        digits = _DIGITS.match(self._buffer, 0, _LENGTH_MAX_DIGITS + 1)
        start = digits.end() if digits else 0
        if start == len(self._buffer) and start <= _LENGTH_MAX_DIGITS:
            return None
        if start == 0 or self._buffer[start : start + 1] != after_length:
            raise BadFrame("no length")
        length = int(self._buffer[:start])
        if length > self._max_bytes:
            raise BadFrame("too large")
        first = start + 1
        last = first + length
        if len(self._buffer) < last + len(end):
            return None
        if self._buffer[last : last + len(end)] != end:
            raise BadFrame("wrong length")
        return self._taken(first, last, last + len(end))

    def _taken(self, first: int, last: int, end: int) -> bytes:
        content = bytes(self._buffer[first:last])
        del self._buffer[:end]
        return content
