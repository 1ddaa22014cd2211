"""Bytes to frames of HTTP/2 (RFC 9113, section 4.1), and the one frame that h2 must not see."""

from collections.abc import Iterator
from typing import Final

from h2.exceptions import FrameTooLargeError

_HEAD_BYTES: Final = 9
# Section 4.2: more must be allowed on purpose, and we never do.
_PAYLOAD_MAX_BYTES: Final = 16_384
_GOAWAY: Final = 7


class Frames:
    """Cuts what arrives into frames; what is no frame yet is kept."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def after(self, data: bytes) -> Iterator[bytes]:
        """The frames that are whole with `data`; raises FrameTooLargeError."""
        rest = self._rest
        rest += data
        while len(rest) >= _HEAD_BYTES:
            length = int.from_bytes(rest[:3])
            if length > _PAYLOAD_MAX_BYTES:
                raise FrameTooLargeError(f"a frame of {length} bytes")
            end = _HEAD_BYTES + length
            if len(rest) < end:
                return
            frame = bytes(rest[:end])
            del rest[:end]
            yield frame


def last_stream_of(frame: bytes) -> int | None:
    """The last stream that a GOAWAY (section 6.8) promises to answer, None of other frames."""
    if frame[3] != _GOAWAY or len(frame) < _HEAD_BYTES + 8:
        return None
    return int.from_bytes(frame[9:13]) & 0x7FFF_FFFF
